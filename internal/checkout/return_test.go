package checkout

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// payable takes the payer to the pay page, and no further.
func (w *world) payable(link string) (order, payPage string) {
	w.t.Helper()
	w.leadsTo(link)
	order = w.notes["order"]
	return order, w.leadsTo("/pay/callback/" + order + "?code=" + w.gateway.Code())
}

// notifyOf is a notification that an amount was paid for an order.
func (w *world) notifyOf(order string, amount int64) answer {
	w.t.Helper()
	body := fmt.Sprintf(`{"status":"1","notify_type":"payment","out_trade_no":%q,"syssn":"20261124000100020000000007","txamt":"%d","txcurrcd":"HKD","respcd":"0000"}`,
		order, amount)
	sum := md5.Sum([]byte(body + "TESTKEY"))
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/pay/notify", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-QF-SIGN", strings.ToUpper(hex.EncodeToString(sum[:])))
	return w.read(w.send(r))
}

// later lets the gateway be asked once more.
func (w *world) later() *world {
	w.skipped += 3 * time.Second
	return w
}

func TestWhoCancelsInTheWalletIsToldThatNothingIsPaid(t *testing.T) {
	w := newWorld(t, nil)
	order, payPage := w.payable("/pay/cat-food")
	require.NoError(t, w.gateway.Cancel(order))
	for _, check := range []string{"", "?check=2", "?check=26"} {
		page := w.later().get("/pay/return/" + order + check).body
		assert.Contains(t, page, "<h1>Not paid yet</h1>", check)
		assert.Contains(t, page, `<a href="`+strings.ReplaceAll(payPage, "&", "&amp;")+`">Pay now</a>`, check)
		assert.Contains(t, page, `<a href="/">Back to the shop</a>`, check)
		assert.NotContains(t, page, "Confirming", check)
		assert.NotContains(t, page, "Check 2", "nothing is counted")
		assert.Contains(t, page, "This page refreshes automatically.", check)
	}
	rest := w.later().get("/pay/return/" + order + "?check=99").body
	assert.Contains(t, rest, "Check again")
	assert.NotContains(t, rest, "http-equiv")

	require.NoError(t, w.gateway.Pay(order))
	w.later()
	assert.True(t, w.isReceipt(order), "who pays after all has the receipt")
}

func TestConfirmingIsShownOnlyWhileSomethingMayBePaid(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(t *testing.T, w *world, order string)
		query   string
		want    string
		payNow  bool
	}{
		"the gateway knows of no payment": {func(*testing.T, *world, string) {}, "", "Not paid yet", true},
		"the gateway is silent": {func(_ *testing.T, w *world, _ string) {
			w.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropBefore, Times: -1})
		}, "", "Confirming your payment", true},
		"the gateway was silent just now": {func(t *testing.T, w *world, order string) {
			w.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropBefore, Times: -1})
			assert.Contains(t, w.later().get("/pay/return/"+order).body, "Confirming your payment")
			w.skipped -= 2 * time.Second // so that it is not asked again
		}, "", "Confirming your payment", true},
		"WeChat says that it was paid":               {func(*testing.T, *world, string) {}, "?sheet=ok", "Confirming your payment", false},
		"WeChat says so, and the gateway never does": {func(*testing.T, *world, string) {}, "?sheet=ok&check=21", "Not paid yet", true},
		"another amount was paid": {func(t *testing.T, w *world, order string) {
			assert.Equal(t, http.StatusOK, w.notifyOf(order, 100).StatusCode)
		}, "", "Confirming your payment", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			order, _ := w.payable("/pay/cat-food")
			test.happens(t, w, order)
			page := w.later().get("/pay/return/" + order + test.query).body
			assert.Contains(t, page, "<h1>"+test.want+"</h1>")
			assert.Equal(t, test.payNow, strings.Contains(page, "Pay now"))
			assert.Contains(t, page, "Back to the shop")
			assert.Equal(t, test.want == "Confirming your payment" && test.query != "", strings.Contains(page, "sheet=ok"), "until the gateway has had its time")
		})
	}
}

func TestAnotherBrowserIsNotOfferedToPay(t *testing.T) {
	w := newWorld(t, nil)
	order, _ := w.payable("/pay/cat-food")
	w.browser = newBrowser(android)
	page := w.later().get("/pay/return/" + order).body
	assert.Contains(t, page, "Not paid yet")
	assert.NotContains(t, page, "Pay now")
	assert.Contains(t, page, "Back to the shop")
}

func TestTheReceiptSaysWhatWentBack(t *testing.T) {
	w := newWorld(t, nil)
	order, _ := w.payable("/pay/cat-food")
	require.NoError(t, w.gateway.Pay(order))
	require.True(t, w.later().isReceipt(order))
	assert.NotContains(t, w.get("/pay/return/"+order).body, "Refunded")
	_, err := w.Orders.Refund(t.Context(), order, "one-bag", 2800)
	require.NoError(t, err)
	assert.Contains(t, w.get("/pay/return/"+order).body, "<dt>Refunded</dt><dd>HK$28.00</dd>")
}

// newInvoiceShop is a shop that asks who pays an invoice.
func newInvoiceShop(t *testing.T, change func(*Config)) (w *world, link string) {
	t.Helper()
	key, err := shop.NewInvoiceKey(strings.Repeat("k", shop.MinInvoiceKey), time.Now)
	require.NoError(t, err)
	token, err := key.Sign(shop.Invoice{ID: "INV-1", Amount: 12800, Currency: "HKD", Text: "Grooming"})
	require.NoError(t, err)
	return newWorld(t, func(c *Config) { c.Shop.Invoices = key; change(c) }), "/pay?invoice=" + token
}

func TestAPaidInvoiceIsGoneBeforeAnythingIsAsked(t *testing.T) {
	named := url.Values{"name": {"陈大文"}}
	who := url.Values{"user_truename": {"陈大文"}, "user_creid": {"11010519491231002X"}}
	for name, test := range map[string]struct {
		change func(*Config)
		form   url.Values
		agents []string
	}{
		"where a field is required":     {func(c *Config) { c.Shop.Fields = []shop.Field{{Name: "name", Required: true}} }, named, []string{inWeChatAgent, desktop, iPhone}},
		"where a real name is required": {func(c *Config) { c.RealName = "required" }, who, []string{inWeChatAgent, desktop, iPhone}},
		"where nothing is asked":        {func(*Config) {}, nil, []string{inWeChatAgent, desktop, iPhone}},
	} {
		t.Run(name, func(t *testing.T) {
			w, link := newInvoiceShop(t, test.change)
			start := w.postTo(link, test.form)
			require.Equal(t, http.StatusSeeOther, start.StatusCode, start.body)
			order := w.notes["order"]
			w.leadsTo("/pay/callback/" + order + "?code=" + w.gateway.Code())
			require.NoError(t, w.gateway.Pay(order))
			require.True(t, w.later().isReceipt(order))
			payer := w.browser
			for _, agent := range test.agents {
				w.browser = newBrowser(agent)
				page := w.get(link)
				assert.Equal(t, http.StatusGone, page.StatusCode, agent)
				assert.Contains(t, page.body, "This invoice has been paid", agent)
				assert.NotContains(t, page.body, "<form", agent)
			}
			w.browser = payer
			assert.Equal(t, http.StatusGone, w.get(link).StatusCode, "to who paid it, too")
		})
	}
}

func TestProblemsNameTheShopAndTheOrder(t *testing.T) {
	w := newWorld(t, nil)
	for _, address := range []string{"/pay/dog-food", "/pay", "/pay/return/" + ledger.NewID(noon)} {
		page := w.get(address).body
		assert.Contains(t, page, "<header><bdi>Harbour Pets</bdi></header>", address)
		assert.NotContains(t, page, "<footer>", address)
	}
	order, _ := w.payable("/pay/cat-food")
	w.browser = newBrowser(inWeChatAgent)
	other := w.get("/pay/callback/" + order + "?code=x")
	assert.Equal(t, http.StatusForbidden, other.StatusCode)
	assert.Contains(t, other.body, fmt.Sprintf("<footer>Order <bdi>%s</bdi></footer>", order))

	w.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "2005"})
	w.leadsTo("/pay/cat-food")
	order = w.notes["order"]
	refused := w.get("/pay/callback/" + order + "?code=" + w.gateway.Code())
	assert.Equal(t, http.StatusBadGateway, refused.StatusCode)
	assert.Contains(t, refused.body, "Harbour Pets")
	assert.Contains(t, refused.body, order)
}

func TestAWrongInputIsMarkedAtTheField(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.RealName = "required"
		c.Shop.OpenAmount = &shop.Bounds{Min: 500, Max: 100000}
		c.Shop.Fields = []shop.Field{{Name: "name", Required: true}, {Name: "address"}, {Name: "email"}}
		c.Shop.Rules = map[string]func(string) error{"email": func(value string) error {
			if !strings.Contains(value, "@") {
				return assert.AnError
			}
			return nil
		}}
	})
	good := url.Values{"name": {"陈大文"}}
	for name, test := range map[string]struct {
		link  string
		form  url.Values
		wrong []string // what each wrong field is told
	}{
		"nothing was sent yet":  {"/pay/cat-food", nil, nil},
		"a name is missing":     {"/pay/cat-food", url.Values{"name": {" "}}, []string{"name: Please fill this in."}},
		"an address is no line": {"/pay/cat-food", url.Values{"name": {"x"}, "address": {"a\x00"}}, []string{"address: This contains characters"}},
		"two are wrong": {"/pay/cat-food", url.Values{"name": {strings.Repeat("x", 501)}, "email": {"cat"}},
			[]string{"name: This is too long.", "email: Please enter an email address"}},
		"no real name was sent yet": {"/pay/cat-food", good, nil},
		"a card number has a slip": {"/pay/cat-food", url.Values{"name": {"x"}, "user_truename": {"陈大文"}, "user_creid": {"110105194912310021"}},
			[]string{"user_creid: This is not a valid identity card number."}},
		"half of a real name":    {"/pay/cat-food", url.Values{"name": {"x"}, "user_creid": {"11010519491231002x"}}, []string{"user_truename: Please fill this in."}},
		"no amount was sent yet": {"/pay", nil, nil},
		"an amount is empty":     {"/pay?amount=", nil, []string{"amount: Please fill this in."}},
		"an amount is unclear":   {"/pay?amount=1,000", nil, []string{"amount: Please enter the amount as a number, such as 5.00."}},
		"an amount is too small": {"/pay?amount=4", nil, []string{"amount: Please enter an amount from HK$5.00 to HK$1,000.00."}},
		"an amount is nothing":   {"/pay?amount=0", nil, []string{"amount: Please enter an amount from HK$5.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			var page answer
			if test.form == nil {
				page = w.get(test.link)
			} else {
				page = w.postTo(test.link, test.form)
			}
			require.Contains(t, page.body, "<form")
			assert.Equal(t, len(test.wrong), strings.Count(page.body, `aria-invalid="true"`), page.body)
			for _, wrong := range test.wrong {
				field, sentence, _ := strings.Cut(wrong, ": ")
				assert.Contains(t, page.body, `aria-invalid="true" aria-describedby="wrong-`+field+`"`)
				assert.Contains(t, page.body, `<p id="wrong-`+field+`" class="wrong">`+sentence)
			}
		})
	}
}

func TestTheDesktopSaysThatThePhoneIsPaying(t *testing.T) {
	w := newWorld(t, nil)
	w.browser = newBrowser(desktop)
	page := w.get("/pay/cat-food")
	code := html.UnescapeString(watched.FindStringSubmatch(page.body)[1])
	assert.Contains(t, page.body, "Scan with WeChat to pay")
	assert.Contains(t, page.body, "Please pay by ")
	assert.Contains(t, page.body, `href="/">Back to the shop</a>`)
	assert.JSONEq(t, `{"status":"waiting"}`, w.getJSON(code).body)
	screen := w.browser

	w.browser = newBrowser(inWeChatAgent)
	order, _ := w.payable(code)
	phone := w.browser

	w.browser = screen
	assert.JSONEq(t, `{"status":"paying"}`, w.getJSON(code).body)
	page = w.get(code)
	assert.Contains(t, page.body, "<h1>Finish paying on your phone</h1>")
	assert.Contains(t, page.body, `data-state="paying"`)

	w.browser = phone
	require.NoError(t, w.gateway.Pay(order))
	require.True(t, w.later().isReceipt(order))
	w.browser = screen
	assert.Equal(t, "/pay/return/"+order, w.get(code).location())
}

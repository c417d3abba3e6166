package checkout

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// newWalletWorld is a checkout with all wallets, and a phone outside WeChat.
func newWalletWorld(t *testing.T, change func(*Config)) *world {
	w := newWorld(t, func(c *Config) {
		c.Wallets = qfpay.Wallets()
		if change != nil {
			change(c)
		}
	})
	w.browser = newBrowser(iPhone)
	return w
}

// answer is what a request got.
type answer struct {
	*http.Response
	body string
}

func (w *world) get(address string) answer {
	w.t.Helper()
	response, err := w.visit(address)
	return w.read(response, err)
}

func (w *world) getJSON(address string) answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	r.Header.Set("Accept", "application/json")
	response, err := w.send(r)
	return w.read(response, err)
}

func (w *world) read(response *http.Response, err error) answer {
	w.t.Helper()
	require.NoError(w.t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	return answer{response, string(body)}
}

// press presses the button of a wallet on the page of an order.
func (w *world) press(order, wallet string) answer {
	w.t.Helper()
	return w.postTo("/pay/callback/"+order, url.Values{"wallet": {wallet}})
}

func (w *world) postTo(address string, form url.Values) answer {
	w.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, address, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := w.send(r)
	return w.read(response, err)
}

func (a answer) location() string { return a.Header.Get("Location") }

var (
	confirmForm = regexp.MustCompile(`action="/pay/callback/([0-9A-Z]{26})"`)
	linkField   = regexp.MustCompile(`<input id="link" value="([^"]+)"`)
	watched     = regexp.MustCompile(`data-watch="([^"]+)"`)
)

// orderOn is the order of a page of wallets.
func (w *world) orderOn(page answer) string {
	w.t.Helper()
	require.Equal(w.t, http.StatusOK, page.StatusCode, page.body)
	form := confirmForm.FindStringSubmatch(page.body)
	require.NotNil(w.t, form, page.body)
	return form[1]
}

// handoffOn is the path of the link into WeChat on a page.
func (w *world) handoffOn(page answer) string {
	w.t.Helper()
	link := linkField.FindStringSubmatch(page.body)
	require.NotNil(w.t, link, page.body)
	return strings.TrimPrefix(html.UnescapeString(link[1]), string(site))
}

// isReceipt reports whether the return page of an order says that it is paid.
func (w *world) isReceipt(order string) bool {
	w.t.Helper()
	return strings.Contains(w.get("/pay/return/"+order).body, "Payment received")
}

func (w *world) stored(order string) ledger.Order {
	w.t.Helper()
	found, err := w.Orders.Find(w.t.Context(), order)
	require.NoError(w.t, err)
	return found
}

func (w *world) trade(order string) qfpaytest.Trade {
	w.t.Helper()
	trade, ok := w.gateway.Trade(order)
	require.True(w.t, ok)
	return trade
}

func TestEachWalletLeadsFromItsButtonToTheReceipt(t *testing.T) {
	for _, wallet := range []struct{ name, payType, title string }{
		{"wechat", "800212", "WeChat Pay"},
		{"alipayhk", "801512", "AlipayHK"},
		{"unionpay", "800712", "UnionPay"},
		{"payme", "805812", "PayMe"},
	} {
		t.Run(wallet.name, func(t *testing.T) {
			w := newWalletWorld(t, nil)
			page := w.get("/pay/cat-food")
			order := w.orderOn(page)
			assert.Contains(t, page.body, wallet.title+"</button>")
			w.orderOn(w.get("/pay/callback/" + order))
			_, err := w.Orders.Find(t.Context(), order)
			require.ErrorIs(t, err, ledger.ErrUnknown, "to look at the page stores nothing")
			assert.Zero(t, w.gateway.Calls("payment")+w.gateway.Calls("query"), "and calls nobody")

			pressed := w.press(order, wallet.name)
			require.Equal(t, http.StatusSeeOther, pressed.StatusCode, pressed.body)
			assert.Equal(t, pressed.location(), w.press(order, wallet.name).location(), "pressed again, it is the same payment")
			assert.Equal(t, 1, w.gateway.Calls("payment"))
			assert.Contains(t, open(t, pressed), wallet.title)

			trade, back := w.trade(order), string(site)+"/pay/return/"+order
			assert.Equal(t, wallet.payType, trade.Params["pay_type"])
			assert.Equal(t, back, trade.Params["return_url"])
			if wallet.name == "wechat" {
				assert.JSONEq(t, `{"scene_info":{"h5_info":{"type":"Wap","wap_url":"https://shop.example/","wap_name":"Harbour Pets"}},"spbill_create_ip":"192.0.2.1"}`,
					trade.Params["extend_info"])
				payURL, err := url.Parse(pressed.location())
				require.NoError(t, err)
				assert.Equal(t, back, payURL.Query().Get("redirect_url"))
			}
			assert.Equal(t, wallet.name, w.stored(order).Method)

			assert.Contains(t, w.get("/pay/return/"+order).body, `<a href="`+html.EscapeString(pressed.location())+`">Pay now</a>`, "who comes back at once may have paid: the same payment cannot be paid twice")
			assert.Contains(t, w.get("/pay/return/"+order+"?check=6").body, `<a href="/pay/callback/`+order+`">Pay now</a>`, "who comes back without paying can choose again")
			require.NoError(t, w.gateway.Pay(order))
			w.skipped = 3 * time.Second // the gateway was asked just now
			assert.True(t, w.isReceipt(order))
			assert.Equal(t, "/pay/return/"+order, w.press(order, wallet.name).location(), "there is nothing left to pay")
		})
	}
}

// open opens a wallet's page as a browser does that says which site it comes from.
func open(t *testing.T, pressed answer) string {
	t.Helper()
	require.Equal(t, "strict-origin", pressed.Header.Get("Referrer-Policy"), "WeChat Pay takes nobody without a Referer")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, pressed.location(), nil)
	require.NoError(t, err)
	r.Header.Set("User-Agent", iPhone)
	r.Header.Set("Referer", string(site)+"/")
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode, "%s", body)
	return string(body)
}

func TestTheReferrerIsForWeChatPayAlone(t *testing.T) {
	for _, wallets := range [][]qfpay.Method{nil, {qfpay.MethodPayMe}} {
		w := newWorld(t, func(c *Config) { c.Wallets = wallets })
		assert.Equal(t, "no-referrer", w.get("/pay/cat-food").Header.Get("Referrer-Policy"))
	}
	assert.Equal(t, "strict-origin", newWalletWorld(t, nil).get("/pay/cat-food").Header.Get("Referrer-Policy"))
}

func TestABrowserWithoutTheCookieCannotPress(t *testing.T) {
	w := newWalletWorld(t, nil)
	order := w.orderOn(w.get("/pay/cat-food"))
	w.browser = newBrowser(android)
	assert.Equal(t, http.StatusForbidden, w.press(order, "payme").StatusCode)
	assert.Equal(t, http.StatusForbidden, w.get("/pay/callback/"+order).StatusCode)
	assert.Zero(t, w.gateway.Calls("payment"))
}

func TestWhatIsNoWalletOfTheShopIsRefused(t *testing.T) {
	w := newWalletWorld(t, func(c *Config) { c.Wallets = []qfpay.Method{qfpay.MethodPayMe} })
	page := w.get("/pay/cat-food")
	assert.Equal(t, 1, strings.Count(page.body, `name="wallet"`))
	order := w.orderOn(page)
	for _, form := range []url.Values{
		{}, {"wallet": {""}}, {"wallet": {"alipayhk"}}, {"wallet": {"jsapi"}}, {"wallet": {"hosted"}}, {"wallet": {"payme", "payme"}},
	} {
		refused := w.postTo("/pay/callback/"+order, form)
		assert.Equal(t, http.StatusBadRequest, refused.StatusCode, form)
		assert.Contains(t, refused.body, `href="/pay/cat-food"`, form)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/pay/callback/"+order, strings.NewReader("wallet=x"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	response, err := w.send(r)
	assert.JSONEq(t, `{"error":"unknown wallet"}`, w.read(response, err).body)
	assert.Zero(t, w.gateway.Calls("payment"))
}

func TestAnotherWalletIsAnotherOrderOfTheSamePayer(t *testing.T) {
	w := newWalletWorld(t, nil)
	first := w.orderOn(w.get("/pay/cat-food"))
	byPayMe := w.press(first, "payme").location()
	byAlipay := w.press(first, "alipayhk").location()
	second := w.notes["order"]
	assert.NotEqual(t, byPayMe, byAlipay)
	assert.NotEqual(t, first, second)
	assert.Equal(t, 2, w.gateway.Calls("payment"))

	assert.Equal(t, byPayMe, w.press(first, "payme").location(), "the first one can be paid still")
	assert.Equal(t, byAlipay, w.press(first, "alipayhk").location(), "the old page leads to the second one again")
	assert.Equal(t, 2, w.gateway.Calls("payment"), "no order is paid for twice")

	var trades []string
	for _, trade := range w.gateway.Trades() {
		stored := w.stored(trade.OutTradeNo)
		trades = append(trades, stored.Method)
		assert.Equal(t, w.stored(first).Payer, stored.Payer)
		assert.Regexp(t, `^[0-9a-f]{16}$`, stored.Payer)
		assert.Equal(t, w.stored(first).Intent, stored.Intent)
	}
	assert.ElementsMatch(t, []string{"payme", "alipayhk"}, trades)

	w.browser = newBrowser(iPhone)
	other := w.orderOn(w.get("/pay/cat-food"))
	w.press(other, "payme")
	assert.NotEqual(t, w.stored(first).Payer, w.stored(other).Payer, "another browser is another payer")
}

func TestAPayerWhoComesBackIsOfferedTheWalletsOfTheSameOrder(t *testing.T) {
	w := newWalletWorld(t, nil)
	order := w.orderOn(w.get("/pay/cat-food"))
	w.press(order, "payme")
	assert.Equal(t, order, w.orderOn(w.get("/pay/cat-food")))
	assert.Equal(t, order, w.orderOn(w.get("/pay/callback/"+order)))
	assert.NotEqual(t, order, w.orderOn(w.get("/pay/cat-food?again="+order)))
}

func TestWhoHasPaidByOneWalletDoesNotPayByAnother(t *testing.T) {
	w := newWalletWorld(t, nil)
	order := w.orderOn(w.get("/pay/cat-food"))
	w.press(order, "payme")
	require.NoError(t, w.gateway.Pay(order)) // and nobody has told the shop
	assert.Equal(t, "/pay/return/"+order, w.press(order, "alipayhk").location())
	assert.Equal(t, 1, w.gateway.Calls("payment"))
}

func TestNobodyPaysByAnotherWalletWhileTheGatewayDoesNotSayWhetherTheFirstWasPaid(t *testing.T) {
	w := newWalletWorld(t, nil)
	order := w.orderOn(w.get("/pay/cat-food"))
	require.Equal(t, http.StatusSeeOther, w.press(order, "payme").StatusCode)
	require.NoError(t, w.gateway.Pay(order))
	w.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropBefore, Times: -1})
	for range 2 { // the second time, the gateway was asked just now
		assert.Equal(t, "/pay/return/"+order, w.press(order, "alipayhk").location())
	}
	assert.Equal(t, 1, w.gateway.Calls("payment"))
	assert.Contains(t, w.get("/pay/return/"+order).body, "Confirming your payment")
}

func TestAWalletThatIsNotActivatedLeavesTheOthers(t *testing.T) {
	w := newWalletWorld(t, nil)
	order := w.orderOn(w.get("/pay/cat-food"))
	w.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "1104", Respmsg: "pay_type: filter error"})
	refused := w.press(order, "payme")
	assert.Equal(t, http.StatusBadGateway, refused.StatusCode)
	again := w.orderOn(w.get("/pay/cat-food?again=" + order))
	assert.NotEqual(t, order, again)
	assert.Equal(t, http.StatusSeeOther, w.press(again, "alipayhk").StatusCode)
}

func TestARefusalOnThePayersSideIsSaidAsSuch(t *testing.T) {
	for respcd, kind := range map[string]pages.Kind{
		"1118": pages.PayerRefused, "1123": pages.PayerRefused, "1147": pages.PayerRefused, "1201": pages.PayerRefused,
		"1202": pages.PayerRefused, "1204": pages.PayerRefused, "1203": pages.GatewayRefused, "1108": pages.GatewayRefused,
	} {
		w := newWalletWorld(t, func(c *Config) { c.PassErrors = true })
		order := w.orderOn(w.get("/pay/cat-food"))
		w.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: respcd})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/pay/callback/"+order, strings.NewReader("wallet=payme"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		_, err := w.send(r)
		assert.Equal(t, kind, err, respcd)
	}
}

func TestAFaultOfTheShopsAccountDoesNotSendThePayerToSignInAgain(t *testing.T) {
	for respcd, status := range map[string]int{"1108": http.StatusBadGateway, "1203": http.StatusBadGateway, "1104": http.StatusFound, "9999": http.StatusFound} {
		w := newWorld(t, nil)
		w.leadsTo("/pay/cat-food")
		order := w.notes["order"]
		w.gateway.Inject(qfpaytest.Fault{Call: "openid", Kind: qfpaytest.Respcd, Respcd: respcd})
		assert.Equal(t, status, w.get("/pay/callback/"+order+"?code="+w.gateway.Code()).StatusCode, respcd)
	}
}

func TestOnlyAPhoneOutsideWeChatIsOfferedWallets(t *testing.T) {
	for name, test := range map[string]struct {
		agent          string
		wallets, inApp bool
		status         int
	}{
		"an iPhone":           {iPhone, true, false, http.StatusOK},
		"an Android phone":    {android, true, false, http.StatusOK},
		"WeChat":              {inWeChatAgent, false, false, http.StatusFound},
		"a desktop":           {desktop, false, false, http.StatusOK},
		"WeChat on a desktop": {desktop + " MicroMessenger/7.0 WindowsWechat", false, false, http.StatusFound},
		"WeCom":               {inWeChatAgent + " wxwork/4.1", true, true, http.StatusOK},
		"a mini program":      {inWeChatAgent + " miniProgram/wx0123456789abcdef", true, true, http.StatusOK},
		"one on a desktop":    {desktop + " MicroMessenger/7.0.20 NetType/WIFI MiniProgramEnv/Windows WindowsWechat/WMPF", false, false, http.StatusOK},
		"Facebook on iOS":     {iPhone + " [FBAN/FBIOS;FBAV/512.0.0.33.105]", true, true, http.StatusOK},
		"Facebook on Android": {android + " [FB_IAB/FB4A;FBAV/512.0.0.33.105;]", true, true, http.StatusOK},
		"Instagram":           {iPhone + " Instagram 389.0.0.40.86", true, true, http.StatusOK},
		"WhatsApp":            {android + " WhatsApp/2.25", true, true, http.StatusOK},
		"Line":                {iPhone + " Safari Line/15.12.0", true, true, http.StatusOK},
		"TikTok":              {iPhone + " musical_ly_39.5.0 BytedanceWebview/d8a21c6", true, true, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalletWorld(t, nil)
			w.browser = newBrowser(test.agent)
			page := w.get("/pay/cat-food")
			assert.Equal(t, test.status, page.StatusCode)
			assert.Equal(t, test.wallets, strings.Contains(page.body, `name="wallet"`))
			assert.Equal(t, test.inApp, strings.Contains(page.body, "open it in your browser"))
			assert.Equal(t, test.wallets, len(w.jar) > 0 && test.status == http.StatusOK, "the cookie comes with the page")
		})
	}
}

func TestFromThePageOfWalletsTheSameOrderIsPaidInWeChat(t *testing.T) {
	w := newWalletWorld(t, nil)
	page := w.get("/pay/cat-food")
	order, link := w.orderOn(page), w.handoffOn(page)
	phone := w.browser
	w.browser = newBrowser(inWeChatAgent)
	w.leadsTo(link)
	assert.Equal(t, order, w.notes["order"])
	code := w.gateway.Code()
	w.leadsTo("/pay/callback/" + order + "?code=" + code)
	assert.Equal(t, "jsapi", w.stored(order).Method)
	assert.Equal(t, w.Seal.Payer(w.trade(order).Params["sub_openid"]), w.stored(order).Payer)

	w.browser = phone
	assert.JSONEq(t, `{"status":"paying"}`, w.getJSON(link).body)
	assert.Equal(t, http.StatusSeeOther, w.press(order, "payme").StatusCode, "who turns back to a wallet")
	assert.Equal(t, 2, w.gateway.Calls("payment"), "pays another order")
	assert.Len(t, w.gateway.Trades(), 2)
	require.NoError(t, w.gateway.Pay(order))
	w.skipped = 3 * time.Second
	assert.True(t, w.isReceipt(order))
	assert.JSONEq(t, `{"status":"paid","location":"/pay/return/`+order+`"}`, w.getJSON(link).body)
}

func TestWhoTriedAWalletStartsANewOrderInWeChat(t *testing.T) {
	w := newWalletWorld(t, nil)
	page := w.get("/pay/cat-food")
	order, link := w.orderOn(page), w.handoffOn(page)
	w.press(order, "payme")
	w.browser = newBrowser(inWeChatAgent)
	oauth := w.leadsTo(link)
	assert.NotEqual(t, order, w.notes["order"])
	assert.NotContains(t, oauth, order)
	assert.Equal(t, 1, w.gateway.Calls("payment"))
}

func TestAWalletThatAnAppDidNotOpenIsTriedAgainInTheBrowser(t *testing.T) {
	w := newWalletWorld(t, nil)
	w.browser = newBrowser(iPhone + " [FBAN/FBIOS;FBAV/512.0.0.33.105]")
	page := w.get("/pay/cat-food")
	tried, link := w.orderOn(page), w.handoffOn(page)
	w.press(tried, "payme")
	w.browser = newBrowser(iPhone)
	order := w.orderOn(w.get(link))
	assert.NotEqual(t, tried, order)
	assert.Equal(t, order, w.orderOn(w.get(link)), "opened twice, it is one order")
	require.Equal(t, http.StatusSeeOther, w.press(order, "payme").StatusCode)
	assert.Equal(t, 2, w.gateway.Calls("payment"))
}

func TestWeChatDoesNotGoOnWithThePaymentOfAWallet(t *testing.T) {
	w := newWalletWorld(t, nil)
	page := w.get("/pay/cat-food")
	order, link := w.orderOn(page), w.handoffOn(page)
	phone := w.browser
	w.browser = newBrowser(inWeChatAgent)
	w.leadsTo(link) // WeChat has the order's cookie now
	inWeChat := w.browser
	w.browser = phone
	w.press(order, "alipayhk")
	w.browser = inWeChat
	taken := w.get("/pay/callback/" + order + "?code=" + w.gateway.Code())
	assert.Equal(t, http.StatusForbidden, taken.StatusCode)
	assert.Contains(t, taken.body, "/pay/cat-food?again="+order)
	assert.Equal(t, 1, w.gateway.Calls("payment"))
	w.leadsTo("/pay/cat-food")
	assert.NotEqual(t, order, w.notes["order"])
}

func TestAPhonesCameraOpensTheDesktopsOrderAsAPageOfWallets(t *testing.T) {
	w := newWalletWorld(t, nil)
	w.browser = newBrowser(desktop)
	watch := watched.FindStringSubmatch(w.get("/pay/cat-food").body)
	require.NotNil(t, watch)
	code, desktop := html.UnescapeString(watch[1]), w.browser
	order := w.notes["order"]
	assert.JSONEq(t, `{"status":"waiting"}`, w.getJSON(code).body)

	w.browser = newBrowser(android)
	assert.Equal(t, order, w.orderOn(w.get(code)))
	require.Equal(t, http.StatusSeeOther, w.press(order, "alipayhk").StatusCode)
	assert.Equal(t, order, w.orderOn(w.get(code)), "the page comes again")
	w.browser = newBrowser(iPhone)
	assert.Equal(t, http.StatusForbidden, w.get(code).StatusCode, "a second phone cannot pay it too")

	require.NoError(t, w.gateway.Pay(order))
	assert.True(t, w.isReceipt(order))
	w.browser = desktop
	assert.JSONEq(t, `{"status":"paid","location":"/pay/return/`+order+`"}`, w.getJSON(code).body)
}

func TestPressesAreLimitedPerClientAddress(t *testing.T) {
	w := newWalletWorld(t, nil)
	statuses := map[int]int{}
	for range 34 {
		w.browser = newBrowser(iPhone)
		statuses[w.press(w.orderOn(w.get("/pay/cat-food")), "payme").StatusCode]++
	}
	assert.Equal(t, 34, statuses[http.StatusSeeOther]+statuses[http.StatusTooManyRequests])
	assert.GreaterOrEqual(t, statuses[http.StatusTooManyRequests], 1)
	assert.Equal(t, statuses[http.StatusSeeOther], w.gateway.Calls("payment"))
}

func TestHostedAndWalletsGoTogether(t *testing.T) {
	w := newWalletWorld(t, func(c *Config) { c.Hosted = true })
	order := w.orderOn(w.get("/pay/cat-food"))
	assert.Equal(t, http.StatusSeeOther, w.press(order, "unionpay").StatusCode)
	w.browser = newBrowser(inWeChatAgent)
	page := w.get("/pay/cat-food")
	w.orderOn(page)
	assert.NotContains(t, page.body, `name="wallet"`)
	assert.Contains(t, page.body, "Pay</button>")
}

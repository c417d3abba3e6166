package qfpayjsapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// program is a shop's own, which is told of what happens.
type program struct {
	*httptest.Server
	mu     sync.Mutex
	events []event
}

// event is what a webhook tells.
type event struct {
	Type string
	Data struct {
		Shop, Order, Invoice string
		OutTradeNo           string `json:"out_trade_no"`
		Fields               map[string]string
	}
}

func startProgram(t *testing.T) *program {
	p := &program{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var told event
		if !assert.NoError(t, json.Unmarshal(body, &told), string(body)) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events = append(p.events, told)
	}))
	t.Cleanup(p.Close)
	return p
}

// told returns what the program was told of, each as in "order.paid pets <order>",
// in their order.
func (p *program) told() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		all = append(all, strings.Join([]string{e.Type, e.Data.Shop, e.Data.Order + e.Data.OutTradeNo}, " "))
	}
	return all
}

// twoOfOneAccount are two shops, pets and toys, with one account and one invoice
// key. Toys is at /toys, and each has a program of its own.
func twoOfOneAccount(t *testing.T, settings ...set) (s *shop, pets, toys *program) {
	t.Helper()
	pets, toys = startProgram(t), startProgram(t)
	s = openShop(t, append(settings, withBlock("name pets\nwebhook "+pets.URL+" "+webhookSecret+"\nfield phone\ninvoice_key "+invoiceKey))...)
	s.site = s.beside("pets", "toys", "Harbour Pets", "Harbour Toys", pets.URL, toys.URL)
	s.load()
	return s, pets, toys
}

// beside is the shop's block once more, at /toys, with other words in the place of
// some.
func (s *shop) beside(changes ...string) string {
	return strings.NewReplacer(append(changes, "qfpay_jsapi {", "qfpay_jsapi {\npath /toys")...).Replace(s.directive()) + "\n"
}

func TestEachShopOfAnAccountHearsOfItsOwnOrdersOnly(t *testing.T) {
	shop, pets, toys := twoOfOneAccount(t)
	payer := shop.payer(wechat)
	paid := func(path, phone string) (order string) {
		start := payer.post(path+"/cat-food", map[string][]string{"phone": {phone}})
		callback := payer.oauth(start.location)
		require.Equal(t, http.StatusFound, payer.get(callback).status)
		return orderOf(t, callback)
	}
	ofPets, ofToys := paid("/pay", "1111"), paid("/toys", "2222")
	require.NoError(t, shop.gateway.Pay(ofPets))
	payer.get("/pay/return/" + ofPets)
	assert.Equal(t, http.StatusNotFound, payer.get("/toys/return/"+ofPets).status)
	assert.Equal(t, http.StatusNotFound, payer.get("/toys/status/"+ofPets).status)

	// Some accounts have one address for notifications.
	require.NoError(t, shop.gateway.Pay(ofToys))
	told := notification(ofToys, map[string]string{"syssn": shop.syssn(ofToys)})
	assert.Equal(t, "SUCCESS", shop.notify(told).body)
	status, answer := shop.office("POST", "/qfpay_jsapi/orders/"+ofToys+"/refund", `{"refund_id":"r1","amount":800}`)
	require.Equal(t, http.StatusOK, status, answer)
	shop.eventually("all are told", func() bool { return len(pets.told()) == 1 && len(toys.told()) == 2 })
	shop.load() // and nothing is told again
	assert.Equal(t, []string{"order.paid pets " + ofPets}, pets.told())
	assert.ElementsMatch(t, []string{"order.paid toys " + ofToys, "order.refunded toys " + ofToys}, toys.told())
	assert.Equal(t, "1111", pets.events[0].Data.Fields["phone"])
	assert.Equal(t, "2222", toys.events[0].Data.Fields["phone"])
	assert.Empty(t, shop.open())

	_, page := shop.office("GET", "/qfpay_jsapi/orders?name=pets", "")
	assert.Equal(t, []string{ofPets}, listed(page))
	_, page = shop.office("GET", "/qfpay_jsapi/orders?name=toys", "")
	assert.Equal(t, []string{ofToys}, listed(page))
}

// syssn is the gateway's own number of an order's payment.
func (s *shop) syssn(order string) string {
	s.t.Helper()
	trade, ok := s.gateway.Trade(order)
	require.True(s.t, ok)
	return trade.Syssn
}

func TestAnInvoiceOfOneShopIsNotPaidByTheSameNumberAtAnother(t *testing.T) {
	shop, _, toys := twoOfOneAccount(t)
	query := "?invoice=" + invoiceToken(t, "1001", nil)
	shop.buy("/pay" + query)
	assert.Equal(t, http.StatusGone, shop.payer(wechat).get("/pay"+query).status, "pets has been paid")
	_, order := shop.payer(wechat).prepare("/toys" + query)
	require.NoError(t, shop.gateway.Pay(order))
	shop.payer(wechat).get("/toys/return/" + order)
	shop.eventually("toys hears of it", func() bool { return slices.Equal(toys.told(), []string{"order.paid toys " + order}) })
	assert.Equal(t, http.StatusGone, shop.payer(wechat).get("/toys"+query).status)
}

func TestACookieOfOneShopBuysNothingAtAnotherOfTheSameAccount(t *testing.T) {
	shop, pets, toys := twoOfOneAccount(t)
	shop.site = strings.Replace(shop.site, "price 128.00", "price 1.28", 1)
	shop.load()
	payer := shop.payer(wechat)
	start := payer.get("/toys/cat-food")
	require.Len(t, start.cookies, 1)
	cheap := strings.TrimPrefix(start.cookies[0].Name, "qfpay_")
	code := mustParse(t, payer.oauth(start.location)).RawQuery
	thief := shop.payer(wechat).with("Cookie", start.cookies[0].Name+"="+start.cookies[0].Value)
	assert.Equal(t, http.StatusForbidden, thief.get("/pay/callback/"+cheap+"?"+code).status)
	assert.NotContains(t, thief.get("/pay/cat-food").location, cheap, "nor does it count as an order under way")
	handedOn := strings.TrimPrefix(handedOver(t, shop.payer(desktop).get("/toys/cat-food")), "/toys?handoff=")
	assert.Equal(t, http.StatusForbidden, shop.payer(wechat).get("/pay?handoff="+handedOn).status)
	assert.Zero(t, shop.gateway.Calls("openid"))
	assert.Empty(t, shop.stored())
	assert.Empty(t, append(pets.told(), toys.told()...))
}

func TestAMerchantIDThatIsAddedLaterChangesNothing(t *testing.T) {
	shop := openShop(t)
	paid := shop.sold("")
	payer := shop.payer(wechat)
	_, pending := payer.prepare("/pay/cat-food")
	shop.block += "mchid M1\n"
	shop.load()
	assert.Equal(t, "paid", shop.statusOf(paid)["status"])
	assert.Equal(t, "pending", shop.statusOf(pending)["status"])
	assert.Contains(t, shop.again(payer).get("/pay/return/"+paid).body, "Payment received")
	assert.Contains(t, payer.get("/pay/return/"+pending).body, "/q/direct?", "the payer goes on")
	_, page := shop.office("GET", "/qfpay_jsapi/orders", "")
	assert.Equal(t, []string{pending, paid}, listed(page))
	assert.NotContains(t, shop.log(), "no block of this configuration names")
}

func TestBlocksOfOneNameThatDifferAreNotLoaded(t *testing.T) {
	shop := openShop(t)
	for setting, other := range map[string]string{
		"merchant_name": shop.beside("Harbour Pets", "Peak Pets"),
		"currency":      shop.beside("HKD", "CNY"),
		"webhook":       shop.beside("currency HKD", "currency HKD\nwebhook https://shop.example/hook {env.TEST_QFPAY_WEBHOOK}"),
		"ledger":        shop.beside(shop.file, shop.file+".other"),
	} {
		t.Setenv("TEST_QFPAY_WEBHOOK", webhookSecret)
		shop.site = other
		err := shop.tryToLoad()
		require.ErrorContains(t, err, "name: another block of the shop", setting)
		assert.ErrorContains(t, err, "has another "+setting)
		assert.ErrorContains(t, err, "give this block a name of its own")
		assert.NotContains(t, err.Error(), webhookSecret)
		shop.site = strings.Replace(other, "qfpay_jsapi {", "qfpay_jsapi {\nname toys", 1)
		assert.NoError(t, shop.tryToLoad(), "%s of a shop with a name of its own", setting)
	}
	shop.site = shop.beside("46.50", "50.00")
	assert.NoError(t, shop.tryToLoad(), "what they sell may differ")
}

func TestOpenOrdersOfARemovedBlockAreSaidAtLoadAndByTheDoctor(t *testing.T) {
	shop, _, _ := twoOfOneAccount(t)
	_, order := shop.payer(wechat).prepare("/toys/cat-food")
	assert.Regexp(t, `GOOD +shops +every shop with open orders has a block`, shop.caddy("", "doctor").out)
	assert.NotContains(t, shop.log(), "no block of this configuration names")

	block := shop.site
	shop.site = ""
	shop.load()
	_, lines := shop.lines()
	at := slices.IndexFunc(lines, func(l line) bool { return strings.Contains(l["msg"].(string), "no block of this configuration names") })
	require.GreaterOrEqual(t, at, 0)
	assert.Equal(t, []any{"warn", "toys"}, []any{lines[at]["level"], lines[at]["shop"]})
	assert.Regexp(t, `WARNING +shops +the ledger has open orders of shops that have no block: toys`, shop.caddy("", "doctor").out)

	// Who is to be told of it is not known now: the gateway has to say it again.
	require.NoError(t, shop.gateway.Pay(order))
	paid := notification(order, map[string]string{"syssn": shop.syssn(order)})
	assert.Equal(t, http.StatusServiceUnavailable, shop.notify(paid).status)
	assert.NotContains(t, shop.history(order), "paid")
	shop.site = block
	shop.load()
	assert.Equal(t, "SUCCESS", shop.notify(paid).body)
	assert.Contains(t, shop.history(order), "paid")
	assert.Equal(t, http.StatusOK, shop.payer(wechat).get("/toys/return/"+order).status)
	assert.Equal(t, http.StatusOK, shop.payer(wechat).get("/toys/return/"+strings.ToLower(order)).status, "ids are found in either case")
	assert.NotContains(t, shop.caddy("", "doctor").out, "no block names")
}

func TestEventsForAWebhookThatIsNotNamedAnyMoreAreSaidAtLoad(t *testing.T) {
	shop := openShop(t, withBlock("webhook http://127.0.0.1:1/paid "+webhookSecret))
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	require.Equal(t, "SUCCESS", shop.notify(notification(order, map[string]string{"syssn": shop.syssn(order)})).body)
	assert.NotContains(t, shop.log(), "events wait for a webhook")
	shop.block = "webhook http://127.0.0.1:2/paid " + webhookSecret
	shop.load()
	assert.Contains(t, shop.log(), "events are waiting for a webhook or a mail address that the shop's block no longer names")
}

// A site that answers to every name has to say which one payers are sent back to.
func TestASiteForAnyNameIsNotLoadedWithoutItsPublicURL(t *testing.T) {
	shop := openShop(t)
	open := shop.url[strings.LastIndex(shop.url, ":"):]
	shop.address = open
	require.ErrorContains(t, shop.tryToLoad(), "public_url: required, because this site answers to any host name")
	assert.Equal(t, http.StatusFound, shop.payer(wechat).get("/pay/cat-food").status, "what ran before goes on")

	shop.block = "public_url https://shop.example"
	shop.load()
	shop.url = "http://127.0.0.1" + open
	made := shop.payer(wechat)
	made.header.Set("X-Forwarded-Host", "evil.example")
	start := made.get("/pay/cat-food")
	if start.location != "" && strings.Contains(start.location, "redirect_uri") {
		assert.True(t, strings.HasPrefix(mustParse(t, start.location).Query().Get("redirect_uri"), "https://shop.example/pay/callback/"), start.location)
	}
	assert.NotContains(t, start.location, "evil.example")
}

func TestADuplicateNumberIsNeverPaidByAnEnquiry(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	order := orderOf(t, callback)
	// Somebody else's trade has the number: the gateway takes it, and says no to us.
	shop.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.RespcdAfter, Respcd: "1251"})
	assert.Equal(t, http.StatusBadGateway, payer.get(callback).status)
	require.NoError(t, shop.gateway.Pay(order))
	shop.letEnquiriesBeDue()
	payer.get("/pay/return/" + order)
	status, _ := shop.office("POST", "/qfpay_jsapi/orders/"+order+"/query", "{}")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "failed", shop.statusOf(order)["status"])
	assert.NotContains(t, shop.history(order), "paid")
	assert.Equal(t, http.StatusFound, payer.get("/pay/cat-food").status, "the payer starts again, with another number")
}

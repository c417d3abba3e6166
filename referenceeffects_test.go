package qfpayjsapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// effects are what the examples of the reference bring about that no single
// request shows: each is tried at a shop that has loaded the example, with the
// example's own pay link if it has one.
type effects map[string]func(shop *shop, link string)

var effectsOfSubdirectives = effects{
	"app_code":   isPaidFor(12800, "HKD"), // the simulator takes no other
	"client_key": isPaidFor(12800, "HKD"), // nor another's signature
	"mchid": func(shop *shop, link string) {
		assert.Equal(shop.t, "M1", shop.authorization(link).Get("mchid"))
	},
	"sign_type": func(shop *shop, link string) {
		shop.ordered(link)
		assert.Equal(shop.t, "SHA256", shop.held.signType.Load())
	},
	"pay_page": func(shop *shop, link string) {
		payPage, _ := shop.payer(wechat).prepare(link)
		assert.True(shop.t, strings.HasPrefix(payPage, "https://o2-hk.qfapi.com/q/direct?"), payPage)
	},
	"timeout": func(shop *shop, link string) {
		payer := shop.payer(wechat)
		callback := payer.authorize(link)
		through := shop.held.hold("/trade/v1/payment")
		defer through()
		began := time.Now()
		payer.get(callback)
		took := time.Since(began)
		assert.GreaterOrEqual(shop.t, took, 3*time.Second, "until the payer is answered")
		assert.Less(shop.t, took, 10*time.Second, "which is the default")
	},
	"param": func(shop *shop, _ string) {
		params := shop.ordered("/pay/tea").Params
		assert.Equal(shop.t, "counter-1", params["udid"])
		assert.Equal(shop.t, "Y", params["rmb_tag"])
	},
	"limit_pay": func(shop *shop, link string) {
		assert.Equal(shop.t, "no_credit", shop.ordered(link).Params["limit_pay"])
	},
	"merchant_name": func(shop *shop, link string) {
		payPage, _ := shop.payer(wechat).prepare(link)
		address, err := url.Parse(payPage)
		require.NoError(shop.t, err)
		assert.Equal(shop.t, "Harbour Pets 海港宠物", address.Query().Get("mchntnm"))
	},
	"currency": func(shop *shop, _ string) { isPaidFor(500, "JPY")(shop, "/pay/tea") },
	"item":     func(shop *shop, _ string) { isPaidFor(9*4650, "HKD")(shop, "/pay/litter?quantity=9") },
	"catalog":  isPaidFor(5*2500, "HKD"),
	"invoice_key": func(shop *shop, _ string) {
		isPaidFor(9900, "HKD")(shop, "/pay?invoice="+shop.token(referenceInvoiceKey))
	},
	"keep_fields": func(shop *shop, link string) {
		order, _ := shop.buy(link)
		shop.execute(`UPDATE orders SET fields = '{"note":"ring twice"}', ended_at = '2020-01-01 00:00:00.000000Z'`)
		shop.loadBlock(shop.referenceBlock("keep_fields 90d"))
		shop.eventually("erased", func() bool { return slices.Contains(shop.history(order), "fields_erased") })
		assert.Equal(shop.t, []string{""}, shop.rows(`SELECT fields FROM orders`))
	},
	"time_zone": func(shop *shop, link string) {
		_, receipt := shop.buy(link)
		assert.Regexp(shop.t, `\(UTC(\+|&#43;)[12]\)`, receipt.body)
	},
	"order_ttl": func(shop *shop, link string) {
		shop.ordered(link)
		minutes := `SELECT CAST(round((julianday(expires_at) - julianday(started_at)) * 24 * 60) AS INTEGER) FROM orders`
		assert.Equal(shop.t, []string{"30"}, shop.rows(minutes))
	},
	"notify_url": func(shop *shop, link string) {
		assert.Equal(shop.t, "https://shop.example.com/pay/notify", shop.ordered(link).NotifyURL)
	},
	"success_url": func(shop *shop, link string) {
		order, answer := shop.buy(link)
		assert.Equal(shop.t, "/thank-you.html?order="+order, answer.location)
	},
	"failure_url": func(shop *shop, link string) {
		payer := shop.payer(wechat)
		_, order := payer.prepare(link)
		require.NoError(shop.t, shop.gateway.Fail(order))
		assert.Equal(shop.t, "/sorry.html?order="+order, payer.get("/pay/return/"+order).location)
	},
	"name": func(shop *shop, link string) {
		shop.ordered(link)
		assert.Equal(shop.t, []string{"harbour-pets"}, shop.rows(`SELECT shop FROM orders`))
	},
	"ledger": func(shop *shop, link string) {
		order := shop.ordered(link).OutTradeNo
		assert.Equal(shop.t, []string{order}, shop.rows(`SELECT id FROM orders`))
	},
	"mail": func(shop *shop, link string) {
		payer := shop.payer(wechat)
		callback := payer.oauth(payer.post(link, url.Values{"email": {"payer@example.com"}}).location)
		payer.get(callback)
		order := orderOf(shop.t, callback)
		require.NoError(shop.t, shop.gateway.Pay(order))
		payer.get("/pay/return/" + order)
		assert.Len(shop.t, shop.rows(`SELECT endpoint FROM deliveries WHERE kind = 'order.paid' AND endpoint LIKE 'mail-%'`), 2, "the owner and the payer are told")
	},
	"webhook": func(shop *shop, link string) {
		order, _ := shop.buy(link)
		told := shop.receiver.wait(shop.t)
		assert.Contains(shop.t, told, `"type":"order.paid"`)
		assert.Contains(shop.t, told, order)
	},
}

var effectsOfParameters = effects{
	"quantity": isPaidFor(2*12800, "HKD"),
	"item":     isPaidFor(2*12800+4650, "HKD"),
	"amount":   isPaidFor(1250, "HKD"),
	"ref": func(shop *shop, link string) {
		order, receipt := shop.buy(link)
		assert.Equal(shop.t, "INV-7", shop.statusOf(order)["ref"])
		assert.Contains(shop.t, receipt.body, "INV-7")
	},
}

// isPaidFor expects that the link leads to a payment of so much, in minor units.
func isPaidFor(amount int64, currency string) func(*shop, string) {
	return func(shop *shop, link string) {
		trade := shop.ordered(link)
		assert.Equal(shop.t, amount, trade.Amount)
		assert.Equal(shop.t, currency, trade.Currency)
	}
}

// ordered takes a payer to the pay page and returns what the gateway was asked for.
func (s *shop) ordered(link string) qfpaytest.Trade {
	s.t.Helper()
	_, order := s.payer(wechat).prepare(link)
	trade, ok := s.gateway.Trade(order)
	require.True(s.t, ok)
	return trade
}

// authorization is what the OAuth address says that a pay link leads to.
func (s *shop) authorization(link string) url.Values {
	s.t.Helper()
	address, err := url.Parse(s.payer(wechat).get(link).location)
	require.NoError(s.t, err)
	return address.Query()
}

// receiver is a program that takes webhooks.
type receiver struct {
	url   string
	heard chan string
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{heard: make(chan string, 10)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		body := new(strings.Builder)
		_ = request.Write(body)
		r.heard <- body.String()
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// wait returns the next message.
func (r *receiver) wait(t testing.TB) string {
	t.Helper()
	select {
	case message := <-r.heard:
		return message
	case <-time.After(10 * time.Second):
		require.Fail(t, "no webhook came")
		return ""
	}
}

package qfpayjsapi_test

import (
	"context"
	"errors"
	"html"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// late is longer than the timeout of the shop under test.
const late = 1500 * time.Millisecond

// What may become of a callback.
const (
	goesOn   = "the payer is sent to the pay page"
	restarts = "the flow starts again"
	unknown  = "the page says that it is being checked"
)

func TestEveryFaultOfTheOpenIDCall(t *testing.T) {
	for _, test := range []struct {
		fault  qfpaytest.Fault
		status int
		after  string // what the same callback does once the fault is over
	}{
		{qfpaytest.Fault{Kind: qfpaytest.Delay, Delay: 50 * time.Millisecond}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Delay, Delay: late}, http.StatusGatewayTimeout, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.DropBefore}, http.StatusGatewayTimeout, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.DropAfter}, http.StatusGatewayTimeout, restarts},
		{qfpaytest.Fault{Kind: qfpaytest.Status5xx}, http.StatusBadGateway, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.TooMany}, http.StatusServiceUnavailable, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Garbage}, http.StatusBadGateway, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.HTML}, http.StatusBadGateway, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Oversized}, http.StatusBadGateway, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Truncated}, http.StatusBadGateway, restarts},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1100"}, http.StatusServiceUnavailable, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1104"}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1108"}, http.StatusBadGateway, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1203"}, http.StatusBadGateway, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "9999"}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Numbers}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.BareRespcd}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Nulls}, http.StatusFound, goesOn},
	} {
		t.Run(string(test.fault.Kind)+" "+test.fault.Respcd+test.fault.Delay.String(), func(t *testing.T) {
			shop := openShop(t, withTimeout("1s"))
			payer := shop.payer(wechat)
			callback := payer.authorize("/pay/cat-food")
			test.fault.Call, test.fault.Times = "openid", -1
			shop.gateway.Inject(test.fault)
			reply := payer.get(callback)
			assert.Equal(t, test.status, reply.status)
			if test.status == http.StatusServiceUnavailable {
				assert.NotEmpty(t, reply.header.Get("Retry-After"))
			}
			if test.status != http.StatusFound {
				assert.Zero(t, shop.payable())
				assert.Empty(t, shop.stored(), "nothing is stored before WeChat has vouched for the payer")
			}
			if test.fault.Kind == qfpaytest.Respcd && test.status == http.StatusFound {
				assert.Equal(t, restarts, leadsTo(t, reply), "what may be about the code starts the flow again")
				return
			}
			shop.gateway.ClearFaults()
			if test.status == http.StatusFound {
				assert.Equal(t, test.after, leadsTo(t, reply))
			}
			assert.Equal(t, test.after, leadsTo(t, payer.get(callback)))
		})
	}
}

func TestEveryFaultOfThePaymentCall(t *testing.T) {
	for _, test := range []struct {
		fault   qfpaytest.Fault
		status  int
		outcome string
	}{
		{qfpaytest.Fault{Kind: qfpaytest.Delay, Delay: 50 * time.Millisecond}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Numbers}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.BareRespcd}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Nulls}, http.StatusFound, goesOn},
		{qfpaytest.Fault{Kind: qfpaytest.Delay, Delay: late}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.DropBefore}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.DropAfter}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.Status5xx}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.Garbage}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.HTML}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.Oversized}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.Truncated}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.MissingPayParams}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1145"}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "9999"}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.RespcdAfter, Respcd: "1298"}, http.StatusOK, unknown},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1251"}, http.StatusBadGateway, ""}, // the number is somebody else's
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1203"}, http.StatusBadGateway, ""},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1108"}, http.StatusBadGateway, ""},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1100"}, http.StatusServiceUnavailable, ""},
		{qfpaytest.Fault{Kind: qfpaytest.TooMany}, http.StatusServiceUnavailable, ""},
	} {
		t.Run(string(test.fault.Kind)+" "+test.fault.Respcd+test.fault.Delay.String(), func(t *testing.T) {
			shop := openShop(t, withTimeout("1s"))
			payer := shop.payer(wechat)
			callback := payer.authorize("/pay/cat-food")
			order := orderOf(t, callback)
			test.fault.Call, test.fault.Times = "payment", -1
			shop.gateway.Inject(test.fault)
			reply := payer.get(callback)
			assert.Equal(t, test.status, reply.status)
			shop.gateway.ClearFaults()
			if test.outcome == goesOn {
				assert.Equal(t, goesOn, leadsTo(t, reply))
				return
			}
			if test.outcome == unknown {
				assert.Equal(t, unknown, leadsTo(t, reply))
				assert.Equal(t, unknown, leadsTo(t, payer.get(callback)), "the same callback says the same")
				assert.NotContains(t, shop.history(order), "failed", "unknown is never treated as no")
			} else {
				assert.Contains(t, shop.history(order), "failed")
				assert.Contains(t, payer.get(callback).location, "/pay/return/"+order)
			}
			assert.Equal(t, 1, shop.gateway.Calls("payment"), "the same order is never sent again")

			again := startAgain(t, reply)
			payURL, second := payer.prepare(again)
			assert.NotEqual(t, order, second)
			assert.NotEmpty(t, payURL)
			assert.Equal(t, payURL, payer.get("/pay/cat-food").location, "the one order that can be paid is the second")
		})
	}
}

func TestEveryFaultOfTheEnquiry(t *testing.T) {
	for _, fault := range []qfpaytest.Fault{
		{Kind: qfpaytest.Delay, Delay: late},
		{Kind: qfpaytest.DropBefore},
		{Kind: qfpaytest.DropAfter},
		{Kind: qfpaytest.Status5xx},
		{Kind: qfpaytest.TooMany},
		{Kind: qfpaytest.Garbage},
		{Kind: qfpaytest.HTML},
		{Kind: qfpaytest.Oversized},
		{Kind: qfpaytest.Truncated},
		{Kind: qfpaytest.Respcd, Respcd: "1108"},
		{Kind: qfpaytest.Respcd, Respcd: "1136"},
		{Kind: qfpaytest.Respcd, Respcd: "9999"},
	} {
		t.Run(string(fault.Kind)+" "+fault.Respcd, func(t *testing.T) {
			shop := openShop(t, withTimeout("1s"))
			payer := shop.payer(wechat)
			_, order := payer.prepare("/pay/cat-food")
			require.NoError(t, shop.gateway.Pay(order))
			fault.Call, fault.Times = "query", -1
			shop.gateway.Inject(fault)
			waiting := payer.get("/pay/return/" + order)
			assert.Equal(t, http.StatusOK, waiting.status)
			assert.Contains(t, waiting.body, `http-equiv="refresh"`)
			assert.Equal(t, []string{"claimed", "prepared"}, shop.history(order))
			shop.gateway.ClearFaults()
			shop.letEnquiriesBeDue()
			payer.get("/pay/return/" + order)
			assert.Contains(t, shop.history(order), "paid")
		})
	}
	for _, kind := range []qfpaytest.FaultKind{qfpaytest.Numbers, qfpaytest.BareRespcd, qfpaytest.Nulls} {
		t.Run("harmless "+string(kind), func(t *testing.T) {
			shop := openShop(t)
			payer := shop.payer(wechat)
			_, order := payer.prepare("/pay/cat-food")
			require.NoError(t, shop.gateway.Pay(order))
			shop.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: kind, Times: -1})
			payer.get("/pay/return/" + order)
			assert.Contains(t, shop.history(order), "paid")
		})
	}
}

func TestAPaymentWhoseReplyWasLostIsNeverCalledFailed(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	order := orderOf(t, callback)
	shop.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropAfter})
	payer.get(callback)
	back := payer.get("/pay/return/" + order)
	assert.Equal(t, unknown, leadsTo(t, back))
	assert.Equal(t, 1, shop.gateway.Calls("query"), "the gateway is asked about it")
	require.NoError(t, shop.gateway.Pay(order), "if it is paid all the same")
	shop.letEnquiriesBeDue()
	payer.get("/pay/return/" + order)
	assert.Contains(t, shop.history(order), "paid")
}

func TestAnUnreachableGateway(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	_, order := payer.prepare("/pay/dog-treats")
	shop.line.Close()
	assert.Equal(t, http.StatusFound, shop.payer(wechat).get("/pay/cat-food").status, "starting calls nobody")
	assert.Equal(t, http.StatusGatewayTimeout, payer.get(callback).status)
	assert.Equal(t, http.StatusOK, payer.get("/pay/return/"+order).status)
}

func TestWithoutTheLedgerNothingIsSentToTheGateway(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	shop.execute(`ALTER TABLE orders RENAME TO away`)
	reply := payer.get(callback)
	assert.Equal(t, http.StatusServiceUnavailable, reply.status)
	assert.NotEmpty(t, reply.header.Get("Retry-After"))
	assert.Zero(t, shop.payable())
	again := payer.get("/pay/cat-food")
	assert.Equal(t, http.StatusServiceUnavailable, again.status, "what became of the first order cannot be known")
	assert.NotEmpty(t, again.header.Get("Retry-After"))
}

// Whatever is asked while the ledger fails, the answer is an honest "try again", and
// nothing is lost or called.
func TestWithoutTheLedgerEveryPageAsksToTryAgain(t *testing.T) {
	shop := openShop(t, withOrders, withBlock("invoice_key "+invoiceKey))
	payer, second := shop.payer(wechat), shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	callback := second.authorize("/pay/cat-food")
	handoff := handedOver(t, shop.payer(desktop).get("/pay/dog-treats"))
	calls := func() int {
		return shop.gateway.Calls("payment") + shop.gateway.Calls("openid") + shop.gateway.Calls("query")
	}
	before, stored := calls(), shop.stored()
	shop.failLedger(func(context.Context, string) error { return errors.New("sentinel of a disk") })
	pages := map[string]func() reply{
		"the start of an order under way": func() reply { return payer.get("/pay/cat-food") },
		"the start of an invoice":         func() reply { return payer.get("/pay?invoice=" + invoiceToken(t, "1001", nil)) },
		"the hand-off":                    func() reply { return payer.get(handoff) },
		"the desktop page that watches":   func() reply { return shop.payer(desktop).watch(handoff) },
		"the callback":                    func() reply { return second.get(callback) },
		"the pay sheet":                   func() reply { return payer.get("/pay/callback/" + order) },
		"the return":                      func() reply { return payer.get("/pay/return/" + order) },
		"the status":                      func() reply { return payer.get("/pay/status/" + order) },
		"the notification":                func() reply { return shop.notify(notification(order, nil)) },
		"the orders page":                 func() reply { return shop.owner().get("/orders") },
		"an order's page":                 func() reply { return shop.owner().get("/orders?order=" + order) },
	}
	for name, visit := range pages {
		answer := visit()
		assert.Equal(t, http.StatusServiceUnavailable, answer.status, name)
		assert.NotContains(t, answer.body, "sentinel", name)
		if name != "the notification" {
			assert.NotEmpty(t, answer.header.Get("Retry-After"), name)
		}
	}
	for _, address := range []string{"/qfpay_jsapi/orders", "/qfpay_jsapi/orders/" + order, "/qfpay_jsapi/orphans"} {
		status, answer := shop.office("GET", address, "")
		assert.Equal(t, http.StatusServiceUnavailable, status, "%s: %v", address, answer)
	}
	assert.Regexp(t, `BAD +ledger +SQLite .*sentinel of a disk`, shop.caddy("", "doctor").out)
	assert.Equal(t, before+1, calls(), "the doctor's own enquiry")

	shop.failLedger(nil)
	assert.Equal(t, stored, shop.stored())
	assert.Equal(t, goesOn, leadsTo(t, second.get(callback)))
	assert.Equal(t, "SUCCESS", shop.notify(notification(order, map[string]string{"syssn": shop.syssn(order)})).body)
	assert.Contains(t, payer.get("/pay/return/"+order).body, "Payment received")
}

func TestWithoutTheLedgerTheReturnPageSaysThatAPaymentCounts(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	shop.execute(`ALTER TABLE orders RENAME TO away`)
	reply := payer.get("/pay/return/" + order)
	assert.Equal(t, http.StatusServiceUnavailable, reply.status)
	assert.Contains(t, reply.body, "If you have already paid, your payment counts.")
}

// leadsTo names what a callback or return led to.
func leadsTo(t *testing.T, reply reply) string {
	t.Helper()
	switch {
	case regexp.MustCompile(`/q/direct\?`).MatchString(reply.location):
		return goesOn
	case regexp.MustCompile(`/get_weixin_oauth_code\?`).MatchString(reply.location):
		return restarts
	case reply.status == http.StatusOK && againLink.MatchString(reply.body):
		return unknown
	default:
		t.Logf("status %d, location %q", reply.status, reply.location)
		return "something else"
	}
}

var againLink = regexp.MustCompile(`href="(/pay/[^"]*again=[^"]*)"`)

func startAgain(t *testing.T, reply reply) string {
	t.Helper()
	link := againLink.FindStringSubmatch(reply.body)
	require.NotNil(t, link, reply.body)
	return html.UnescapeString(link[1])
}

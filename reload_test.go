package qfpayjsapi_test

import (
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// callDuring makes a callback whose payment call is under way while something
// else happens.
func (s *shop) callDuring(p *payer, callback string, event func()) reply {
	s.t.Helper()
	through := s.held.hold("/trade/v1/payment")
	defer through()
	came := make(chan reply, 1)
	go func() { came <- p.get(callback) }()
	s.eventually("the payment call is under way", func() bool { return s.held.waiting.Load() > 0 })
	event()
	through()
	return <-came
}

func TestAPaymentOutlivesTheConfigurationItCameInWith(t *testing.T) {
	for name, reload := range map[string]func(*shop){
		"for another one":               func(s *shop) { s.block += "item collar 88.00\n" },
		"for one without the directive": func(s *shop) { s.without = true },
		"for one with another ledger":   func(s *shop) { s.file += ".new" },
		"for another one, and again": func(s *shop) {
			s.load()
			s.block += "item collar 88.00\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t)
			payer := shop.payer(wechat)
			callback := payer.authorize("/pay/cat-food")
			first := shop.file
			reply := shop.callDuring(payer, callback, func() {
				reload(shop)
				shop.load()
			})
			assert.Equal(t, goesOn, leadsTo(t, reply), reply.body)
			goesOnWithItsLedger := !shop.without && shop.file == first
			shop.file = first
			assert.Equal(t, []string{"claimed", "prepared"}, shop.history(orderOf(t, callback)))
			if goesOnWithItsLedger {
				assert.Equal(t, reply.location, shop.again(payer).get(callback).location)
			}
		})
	}
}

// again is the payer with connections of today.
func (s *shop) again(p *payer) *payer {
	p.browser.CloseIdleConnections()
	return p
}

func TestARejectedConfigurationChangesNothing(t *testing.T) {
	for name, reject := range map[string]set{
		"while it is provisioned": withSite(`qfpay_jsapi {
			environment {env.TEST_NOT_SET}
			app_code ` + appCode + `
			client_key {env.TEST_QFPAY_CLIENT_KEY}
			merchant_name "Harbour Pets"
			currency HKD
			item toy 10
			path /pay2
		}`),
		"while it is started": func(s *shop, _ *qfpaytest.Config) { s.site += "}\nhttp://192.0.2.1:1 {\nbind 192.0.2.1\n" },
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, withNotifications)
			payer := shop.payer(wechat)
			callback := payer.authorize("/pay/cat-food")
			good := shop.site
			reply := shop.callDuring(payer, callback, func() {
				reject(shop, nil)
				require.Error(t, shop.tryToLoad())
				shop.site = good
			})
			assert.Equal(t, goesOn, leadsTo(t, reply), reply.body)
			order := orderOf(t, callback)
			require.NoError(t, shop.gateway.Pay(order))
			shop.eventually("the order is paid and nothing is left to do", func() bool {
				return len(shop.open()) == 0
			})
			assert.Equal(t, []string{"claimed", "prepared", "paid"}, shop.history(order))
			assert.Equal(t, http.StatusFound, payer.get("/pay/dog-treats").status)
		})
	}
}

func TestReloadsLeaveNothingRunning(t *testing.T) {
	shop := openShop(t, withNotifications)
	pay := func() {
		payer := shop.payer(wechat)
		defer payer.browser.CloseIdleConnections()
		_, order := payer.prepare("/pay/cat-food")
		require.NoError(t, shop.gateway.Pay(order))
		payer.get("/pay/return/" + order)
		shop.eventually("nothing is left to do", func() bool { return len(shop.open()) == 0 })
	}
	pay()
	before := goleak.IgnoreCurrent()
	adminServer := goleak.IgnoreAnyFunction("github.com/caddyserver/caddy/v2.replaceLocalAdminServer.func2") // Caddy leaves it at a stop
	for range 5 {
		shop.load()
		pay()
	}
	shop.without = true
	shop.load()
	require.NoError(t, caddy.Stop())
	shop.line.CloseClientConnections()
	assert.NoError(t, goleak.Find(before, adminServer))
}

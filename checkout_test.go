package qfpayjsapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestAnOrderExpiresAndThePayerIsTold(t *testing.T) {
	c := openTestShop(t, map[string]any{"order_ttl": "15m"})
	early := c.authorize(t, "/pay/cat-food")
	c.clock.pass(15 * time.Minute)
	assert.Equal(t, http.StatusGone, c.visit(t, early).StatusCode)
	assert.Zero(t, c.simulator.Calls("openid"))

	t.Run("a prepared order is not sent to the pay page any more", func(t *testing.T) {
		callback := c.authorize(t, "/pay/cat-food")
		payURL := c.visit(t, callback).Header.Get("Location")
		require.NotEmpty(t, payURL)
		c.clock.pass(14 * time.Minute)
		assert.Equal(t, payURL, c.visit(t, callback).Header.Get("Location"))
		c.clock.pass(time.Minute)
		assert.Equal(t, http.StatusGone, c.visit(t, callback).StatusCode)
		assert.NotEqual(t, payURL, c.visit(t, "/pay/cat-food").Header.Get("Location"), "the link makes a new order")
	})
	t.Run("a paid order still leads to its receipt", func(t *testing.T) {
		callback := c.authorize(t, "/pay/cat-food?ref=1")
		c.visit(t, callback)
		order := orderIn(callback)
		require.NoError(t, c.simulator.Pay(order))
		c.visit(t, "/pay/return/"+order)
		c.clock.pass(time.Hour)
		assert.Equal(t, "/pay/return/"+order, c.visit(t, callback).Header.Get("Location"))
	})
}

func TestTheReturnPageRefreshesLessOftenAndThenStops(t *testing.T) {
	c := openTestShop(t, nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.visit(t, callback)
	order := orderIn(callback)
	for check, seconds := range map[string]string{"1": "3", "19": "3", "20": "10", "43": "10", "44": "", "99999999999999999999": "3", "-5": "3", "x": "3", "5000": ""} {
		c.clock.pass(time.Second)
		response := c.visit(t, "/pay/return/"+order+"?check="+check)
		body := bodyOf(t, response)
		if seconds == "" {
			assert.NotContains(t, body, `http-equiv="refresh"`, check)
		} else {
			assert.Contains(t, body, `http-equiv="refresh" content="`+seconds+`;`, check)
		}
	}
}

// What makes an order payable reached no browser, so another one may take its place.
func TestAfterALostReplyTheLinkMakesANewOrder(t *testing.T) {
	c := openTestShop(t, nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Garbage})
	c.visit(t, callback)
	assert.NotEqual(t, orderIn(callback), orderIn(c.authorize(t, "/pay/cat-food")))
}

func TestASecondTapWhileTheCallbackIsUnderWayKeepsTheOrder(t *testing.T) {
	c := openTestShop(t, nil)
	callback := c.dieAtCallback(t, false) // as one under way leaves it
	c.clock.pass(time.Second)
	assert.Equal(t, orderIn(callback), orderIn(c.authorize(t, "/pay/cat-food")))
	assert.NotEqual(t, orderIn(callback), orderIn(c.authorize(t, "/pay/cat-food?again="+orderIn(callback))))
	c.clock.pass(callTime)
	assert.NotEqual(t, orderIn(callback), orderIn(c.authorize(t, "/pay/cat-food?ref=")), "it never will be payable")
}

func TestBehindATrustedProxyTheForwardedAddressCounts(t *testing.T) {
	c := openTestShop(t, nil)
	for _, test := range []struct {
		name         string
		trusted      bool
		proto, host  string
		configured   string
		want         string
		secureCookie bool
		query        string
	}{
		{"a proxy that is trusted", true, "https", "shop.example", "", "https://shop.example", true, ""},
		{"a stranger", false, "https", "evil.example", "", "http://inner.example", false, ""},
		{"several proxies", true, "https, http", "shop.example, inner.lan", "", "https://shop.example", true, ""},
		{"several proxies that lack a space", true, "https,http", "shop.example:8443,inner.lan", "", "https://shop.example:8443", true, ""},
		{"a proxy that writes capitals", true, "HTTPS", "Shop.Example", "", "https://shop.example", true, ""},
		{"a list that begins with nothing", true, ", https", " , inner.lan", "", "http://inner.example", false, ""},
		{"a stranger that makes a list", false, "https, http", "evil.example, inner.lan", "", "http://inner.example", false, ""},
		{"a proxy that says nonsense", true, "gopher", "", "", "http://inner.example", false, ""},
		{"a configured address, to which the start was sent", false, "", "", "https://fixed.example", "https://fixed.example", true, "?moved=1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.PublicURL = test.configured
			require.NoError(t, c.openCheckout(caddy.Context{}))
			r := httptest.NewRequest(http.MethodGet, "http://inner.example/pay/cat-food"+test.query, nil)
			r.Header.Set("User-Agent", "MicroMessenger")
			r.Header.Set("X-Forwarded-Proto", test.proto)
			r.Header.Set("X-Forwarded-Host", test.host)
			r = asCaddyWould(r)
			caddyhttp.SetVar(r.Context(), caddyhttp.TrustedProxyVarKey, test.trusted)
			w := httptest.NewRecorder()
			require.NoError(t, c.ServeHTTP(w, r, nobody))
			location, err := url.Parse(w.Header().Get("Location"))
			require.NoError(t, err)
			assert.True(t, strings.HasPrefix(location.Query().Get("redirect_uri"), test.want+"/pay/callback/"), location)
			cookie := w.Result().Cookies()[0]
			assert.Equal(t, test.secureCookie, cookie.Secure)
			assert.Equal(t, test.secureCookie, strings.HasPrefix(cookie.Name, "__Secure-qfpay_"))
		})
	}
}

// How much browsers may have the gateway asked, as the order service says.
const (
	browserRate     = 3
	browserBurst    = 60
	enquiryInterval = 2 * time.Second
)

func TestBrowsersThatLookAtManyOrdersUseABoundedShareOfTheGateway(t *testing.T) {
	c := openTestShop(t, nil)
	var ids []string
	for range 2 * browserBurst {
		ids = append(ids, c.prepare(t, "/pay/cat-food"))
		clear(c.jar)
	}
	lookAtAll := func() {
		for _, order := range ids {
			assert.Equal(t, http.StatusOK, c.visit(t, "/pay/status/"+order).StatusCode)
			assert.Equal(t, http.StatusOK, c.visit(t, "/pay/return/"+order).StatusCode)
		}
	}
	lookAtAll()
	assert.Equal(t, browserBurst, c.simulator.Calls("query"))
	for range 10 {
		c.clock.pass(enquiryInterval)
		lookAtAll()
	}
	assert.Equal(t, browserBurst+browserRate*20, c.simulator.Calls("query"), "in twenty seconds")

	c.clock.pass(time.Minute) // in which the calls that were made are forgotten
	before := c.simulator.Calls("query")
	lookAtAll()
	assert.Equal(t, before+browserBurst, c.simulator.Calls("query"), "browsers have used up their share")
	before = c.simulator.Calls("query")
	c.work(t, 30*time.Second)
	assert.Greater(t, c.simulator.Calls("query"), before, "the reconciler asks all the same")
}

func TestANotificationThatComesTwiceAtOnceIsOneEvent(t *testing.T) {
	c := openTestShop(t, nil)
	var all sync.WaitGroup
	for range 20 {
		c.jar = map[string]string{}
		callback := c.authorize(t, "/pay/cat-food")
		c.visit(t, callback)
		for range 5 {
			all.Go(func() {
				_ = c.ServeHTTP(httptest.NewRecorder(), asCaddyWould(c.notification(orderIn(callback))), nobody)
			})
			all.Go(func() { // and an orphan
				_ = c.ServeHTTP(httptest.NewRecorder(), asCaddyWould(c.notificationOf("UNKNOWN"+orderIn(callback), orderIn(callback))), nobody)
			})
		}
		all.Wait()
	}
	told := map[string]int{}
	for _, change := range c.heard.events {
		if change.Orphan != nil {
			told[change.Event+change.Orphan.Syssn]++
		} else {
			told[change.Event+change.Order.ID]++
		}
	}
	assert.Len(t, told, 40)
	for event, times := range told {
		assert.Equal(t, 1, times, event)
	}
}

func TestErrorsPassWithNothingWritten(t *testing.T) {
	c := openTestShop(t, map[string]any{"errors": "pass"})
	r := httptest.NewRequest(http.MethodGet, "/pay/dog-food", nil)
	w := httptest.NewRecorder()
	err := c.ServeHTTP(w, asCaddyWould(r), nobody)
	var handled caddyhttp.HandlerError
	require.True(t, errors.As(err, &handled))
	assert.Equal(t, http.StatusNotFound, handled.StatusCode)
	assert.Empty(t, w.Body.String())
	assert.False(t, w.Flushed)
}

package qfpayjsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// counter is a handler without Caddy around it, with a clock that tests move.
type counter struct {
	*Handler
	simulator *qfpaytest.Simulator
	hands     *hands
	jar       map[string]string
}

// hands are those of a clock that only tests move.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hands) set(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = at
}

func openCounter(t testing.TB, changes map[string]any) *counter {
	t.Helper()
	c := &counter{hands: &hands{at: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)}, jar: map[string]string{}}
	var err error
	c.simulator, err = qfpaytest.New(qfpaytest.Config{
		AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, AnyPort: true, NotifyOff: true,
		Now: c.hands.now,
	})
	require.NoError(t, err)
	line := httptest.NewServer(c.simulator)
	t.Cleanup(func() {
		line.Close()
		assert.NoError(t, c.simulator.Close())
	})
	config := map[string]any{"environment": line.URL, "pay_page": line.URL + "/q/direct"}
	for field, value := range changes {
		config[field] = value
	}
	c.Handler, err = provision(t, config)
	require.NoError(t, err)
	c.logger = zap.NewNop()
	c.now = c.hands.now
	return c
}

// visit is a request of WeChat's browser that keeps cookies.
func (c *counter) visit(t testing.TB, address string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, c.ServeHTTP(w, c.request(address), nobody))
	for _, cookie := range w.Result().Cookies() {
		if cookie.MaxAge < 0 {
			delete(c.jar, cookie.Name)
			continue
		}
		c.jar[cookie.Name] = cookie.Value
	}
	return w.Result()
}

// request is what WeChat's browser sends, with the cookies it has.
func (c *counter) request(address string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("User-Agent", "MicroMessenger/8.0")
	for name, value := range c.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return asCaddyWould(r)
}

// authorize opens a pay link and returns the path of the callback with a code.
func (c *counter) authorize(t testing.TB, link string) string {
	t.Helper()
	start := c.visit(t, link)
	require.Equal(t, http.StatusFound, start.StatusCode)
	return c.back(t, start.Header.Get("Location"))
}

// back is where the OAuth leads back to, with a code.
func (c *counter) back(t testing.TB, oauth string) string {
	t.Helper()
	address, err := url.Parse(oauth)
	require.NoError(t, err)
	callback, err := url.Parse(address.Query().Get("redirect_uri"))
	require.NoError(t, err)
	return callback.Path + "?code=" + c.simulator.Code()
}

// asCaddyWould adds what Caddy's server puts into every request.
func asCaddyWould(r *http.Request) *http.Request {
	vars := map[string]any{caddyhttp.ClientIPVarKey: "192.0.2.1", caddyhttp.TrustedProxyVarKey: false}
	ctx := context.WithValue(r.Context(), caddyhttp.VarsCtxKey, vars)
	return r.WithContext(context.WithValue(ctx, caddy.ReplacerCtxKey, caddy.NewReplacer()))
}

var nobody = caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusTeapot)
	return nil
})

func TestAnOrderExpiresAndThePayerIsTold(t *testing.T) {
	c := openCounter(t, map[string]any{"order_ttl": "15m"})
	early := c.authorize(t, "/pay/cat-food")
	c.hands.set(c.now().Add(15 * time.Minute))
	assert.Equal(t, http.StatusGone, c.visit(t, early).StatusCode)
	assert.Zero(t, c.simulator.Calls("openid"))

	t.Run("a prepared order is not sent to the pay page any more", func(t *testing.T) {
		callback := c.authorize(t, "/pay/cat-food")
		payURL := c.visit(t, callback).Header.Get("Location")
		require.NotEmpty(t, payURL)
		c.hands.set(c.now().Add(14 * time.Minute))
		assert.Equal(t, payURL, c.visit(t, callback).Header.Get("Location"))
		c.hands.set(c.now().Add(time.Minute))
		assert.Equal(t, http.StatusGone, c.visit(t, callback).StatusCode)
		assert.NotEqual(t, payURL, c.visit(t, "/pay/cat-food").Header.Get("Location"), "the link makes a new order")
	})
	t.Run("a paid order still leads to its receipt", func(t *testing.T) {
		callback := c.authorize(t, "/pay/cat-food?ref=1")
		c.visit(t, callback)
		order := strings.Split(callback, "/")[3][:26]
		require.NoError(t, c.simulator.Pay(order))
		c.visit(t, "/pay/return/"+order)
		c.hands.set(c.now().Add(time.Hour))
		assert.Equal(t, "/pay/return/"+order, c.visit(t, callback).Header.Get("Location"))
	})
}

func TestTheReturnPageLooksLessOftenAndThenStops(t *testing.T) {
	c := openCounter(t, nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.visit(t, callback)
	order := strings.Split(callback, "/")[3][:26]
	for check, seconds := range map[string]string{"1": "3", "19": "3", "20": "10", "43": "10", "44": "", "99999999999999999999": "3", "-5": "3", "x": "3", "5000": ""} {
		c.hands.set(c.now().Add(time.Second))
		response := c.visit(t, "/pay/return/"+order+"?check="+check)
		body := bodyOf(t, response)
		if seconds == "" {
			assert.NotContains(t, body, `http-equiv="refresh"`, check)
		} else {
			assert.Contains(t, body, `http-equiv="refresh" content="`+seconds+`;`, check)
		}
	}
}

func TestASecondTapWhileTheCallbackWaitsKeepsTheOrder(t *testing.T) {
	c := openCounter(t, nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Garbage})
	c.visit(t, callback) // leaves an intent without an answer, as a call under way does
	c.hands.set(c.now().Add(c.callbackTime() - time.Second))
	assert.Equal(t, orderIn(callback), orderIn(c.authorize(t, "/pay/cat-food")))
	assert.NotEqual(t, orderIn(callback), orderIn(c.authorize(t, "/pay/cat-food?again="+orderIn(callback))))
}

func TestLongAfterALostReplyTheLinkMakesANewOrder(t *testing.T) {
	c := openCounter(t, nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Garbage})
	c.visit(t, callback)
	c.hands.set(c.now().Add(c.callbackTime()))
	assert.NotEqual(t, orderIn(callback), orderIn(c.authorize(t, "/pay/cat-food")))
}

func orderIn(callback string) string { return strings.Split(callback, "/")[3][:26] }

func TestOnlyATradeWithOurNumberAmountAndCurrencyCounts(t *testing.T) {
	const number = "01M821FMT07W1N4ZJ6X0Q3V5YB"
	good := qfpay.Trade{Syssn: "1", OutTradeNo: number, OrderType: "payment", Respcd: "0000", Cancel: "0", Amount: 12800, Currency: "HKD"}
	for _, test := range []struct {
		name   string
		change func(*qfpay.Trade)
		status ledger.Status
	}{
		{"as it was ordered", func(*qfpay.Trade) {}, ledger.StatusPaid},
		{"another amount", func(t *qfpay.Trade) { t.Amount = 1 }, ledger.StatusPending},
		{"another currency", func(t *qfpay.Trade) { t.Currency = "JPY" }, ledger.StatusPending},
		{"another number", func(t *qfpay.Trade) { t.OutTradeNo = "X" }, ledger.StatusPending},
		{"a refund", func(t *qfpay.Trade) { t.OrderType = "refund" }, ledger.StatusPending},
		{"still open", func(t *qfpay.Trade) { t.Respcd = "1143" }, ledger.StatusPending},
		{"a code that nobody knows", func(t *qfpay.Trade) { t.Respcd = "7777" }, ledger.StatusPending},
		{"partly refunded", func(t *qfpay.Trade) { t.Cancel = "5" }, ledger.StatusPartiallyRefunded},
		{"reversed", func(t *qfpay.Trade) { t.Cancel = "1" }, ledger.StatusFailed},
		{"refunded", func(t *qfpay.Trade) { t.Cancel = "3" }, ledger.StatusRefunded},
		{"closed", func(t *qfpay.Trade) { t.Respcd = "1142" }, ledger.StatusFailed},
		{"cancelled, but for another amount", func(t *qfpay.Trade) { t.Respcd, t.Amount = "2007", 1 }, ledger.StatusPending},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openCounter(t, nil)
			intent, err := c.offer().Intend(checkout.Asked{Item: "cat-food"}, c.now())
			require.NoError(t, err)
			require.NoError(t, c.ledger.Begin(t.Context(), number, intent))
			trade := good
			test.change(&trade)
			order, err := c.ledger.Find(t.Context(), number)
			require.NoError(t, err)
			settled, err := c.settle(t.Context(), order, newsOfTrade(trade))
			require.NoError(t, err)
			assert.Equal(t, test.status, settled.Status())
			stored, err := c.ledger.Find(t.Context(), number)
			require.NoError(t, err)
			assert.Equal(t, test.status, stored.Status())
		})
	}
}

func TestBehindATrustedProxyTheForwardedAddressCounts(t *testing.T) {
	c := openCounter(t, nil)
	for _, test := range []struct {
		name         string
		trusted      bool
		proto, host  string
		configured   string
		want         string
		secureCookie bool
	}{
		{"a proxy that is trusted", true, "https", "shop.example", "", "https://shop.example", true},
		{"a stranger", false, "https", "evil.example", "", "http://inner.example", false},
		{"a proxy that says nonsense", true, "gopher", "", "", "http://inner.example", false},
		{"a configured address", false, "", "", "https://fixed.example", "https://fixed.example", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.PublicURL = test.configured
			r := httptest.NewRequest(http.MethodGet, "http://inner.example/pay/cat-food", nil)
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

func TestRefusalsAreCountedPerNetworkAndBounded(t *testing.T) {
	f := refusals()
	now := time.Now()
	for range f.burst {
		assert.Zero(t, f.wait("192.0.2.1", now))
		f.count("192.0.2.1", now)
	}
	assert.Positive(t, f.wait("192.0.2.1", now))
	assert.Zero(t, f.wait("192.0.2.2", now), "another client goes on")
	assert.Zero(t, f.wait("192.0.2.1", now.Add(f.interval)), "after a while it may try again")
	for range f.burst {
		f.count("2001:db8::1", now)
	}
	assert.Positive(t, f.wait("2001:db8::2", now), "one IPv6 client commands a /64")
	for i := range 3 * quotaClients {
		f.count(netipAddress(i), now)
	}
	assert.LessOrEqual(t, len(f.young)+len(f.old), 2*quotaClients)
}

func TestWhoDoesMuchAtOnceWaitsForAllOfIt(t *testing.T) {
	f := refusals()
	now := time.Now()
	for range f.burst + 90 { // let in before the first of them was counted
		f.count("192.0.2.1", now)
	}
	assert.Positive(t, f.wait("192.0.2.1", now.Add(90*f.interval)), "not as many again with every interval")
	assert.Zero(t, f.wait("192.0.2.1", now.Add(91*f.interval)))
	for range 100 * quotaDebt {
		f.count("192.0.2.1", now)
	}
	assert.LessOrEqual(t, f.wait("192.0.2.1", now), time.Hour+f.interval)
}

func TestEnquiriesAreRememberedBoundedly(t *testing.T) {
	var asked recently
	now := time.Now()
	assert.True(t, asked.due("a", now))
	assert.False(t, asked.due("a", now.Add(enquiryInterval-1)))
	assert.True(t, asked.due("a", now.Add(enquiryInterval)))
	for i := range 3 * recentlyMost {
		asked.due(netipAddress(i), now)
	}
	assert.LessOrEqual(t, len(asked.times), recentlyMost)
	assert.True(t, asked.due("b", now.Add(time.Minute)), "old ones make room")
}

func TestManyEyesOnManyOrdersLeaveTheGatewayToThosePaying(t *testing.T) {
	c := openCounter(t, nil)
	var orders []string
	for range 2 * glanceBurst {
		intent, err := c.offer().Intend(checkout.Asked{Item: "cat-food"}, c.now())
		require.NoError(t, err)
		orders = append(orders, checkout.NewOrder(c.now()))
		require.NoError(t, c.ledger.Reopen(t.Context(), orders[len(orders)-1]))
		require.NoError(t, c.ledger.Begin(t.Context(), orders[len(orders)-1], intent))
	}
	look := func() {
		for _, order := range orders {
			assert.Equal(t, http.StatusOK, c.visit(t, "/pay/status/"+order).StatusCode)
			assert.Equal(t, http.StatusOK, c.visit(t, "/pay/return/"+order).StatusCode)
		}
	}
	look()
	assert.Equal(t, glanceBurst, c.simulator.Calls("query"))
	for range 10 {
		c.hands.set(c.now().Add(enquiryInterval))
		look()
	}
	assert.LessOrEqual(t, c.simulator.Calls("query"), glanceBurst+glanceRate*20, "in twenty seconds")
	order, err := c.ledger.Find(t.Context(), orders[0])
	require.NoError(t, err)
	before := c.simulator.Calls("query")
	c.hands.set(c.now().Add(enquiryInterval))
	look()
	c.hands.set(c.now().Add(enquiryInterval))
	c.enquire(t.Context(), order)
	assert.Greater(t, c.simulator.Calls("query"), before, "the app asks all the same")
}

func TestNewsThatComeTwiceAtOnceAreOneEvent(t *testing.T) {
	c := openCounter(t, nil)
	var heard sync.Map // how often, by event and order
	c.emit = func(event string, data map[string]any) {
		times, _ := heard.LoadOrStore(fmt.Sprint(event, data["order"], data["out_trade_no"]), new(atomic.Int32))
		times.(*atomic.Int32).Add(1)
	}
	var all sync.WaitGroup
	for range 20 {
		c.jar = map[string]string{}
		callback := c.authorize(t, "/pay/cat-food")
		c.visit(t, callback)
		for _, order := range []string{orderIn(callback), checkout.NewOrder(c.now())} { // and an orphan
			for range 5 {
				all.Go(func() { _ = c.ServeHTTP(httptest.NewRecorder(), asCaddyWould(c.notification(order)), nobody) })
			}
		}
		all.Wait()
	}
	heard.Range(func(event, times any) bool {
		assert.EqualValues(t, 1, times.(*atomic.Int32).Load(), event)
		return true
	})
}

func TestErrorsPassWithNothingWritten(t *testing.T) {
	c := openCounter(t, map[string]any{"errors": "pass"})
	r := httptest.NewRequest(http.MethodGet, "/pay/dog-food", nil)
	w := httptest.NewRecorder()
	err := c.ServeHTTP(w, asCaddyWould(r), nobody)
	var handled caddyhttp.HandlerError
	require.True(t, errors.As(err, &handled))
	assert.Equal(t, http.StatusNotFound, handled.StatusCode)
	assert.Empty(t, w.Body.String())
	assert.False(t, w.Flushed)
}

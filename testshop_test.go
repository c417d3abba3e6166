package qfpayjsapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// testShop is a shop on one machine with a gateway and one payer's browser, with a
// clock that tests move.
type testShop struct {
	*machine
	simulator *qfpaytest.Simulator
	clock     *testClock
	jar       map[string]string
}

// testClock is a clock that only tests move.
type testClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *testClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *testClock) pass(time time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time)
}

// sleep lets the time pass that somebody waits. Others get to work meanwhile.
func (c *testClock) sleep(ctx context.Context, wait time.Duration) bool {
	c.pass(wait)
	time.Sleep(100 * time.Microsecond)
	return ctx.Err() == nil
}

func openTestShop(t testing.TB, changes map[string]any) *testShop {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	newLedger(t, file)
	return openTestShopOn(t, openLedger(t, file), "", changes)
}

// openTestShopOn opens a shop on a ledger that has others' orders too, which come
// from other accounts.
func openTestShopOn(t testing.TB, l ledger.Ledger, account string, changes map[string]any) *testShop {
	t.Helper()
	c := &testShop{clock: &testClock{at: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)}, jar: map[string]string{}}
	var err error
	c.simulator, err = qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, AnyPort: true, NotifyOff: true,
		Now: c.clock.now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.simulator.Close()) })
	config := map[string]any{"environment": gatewayAddress, "pay_page": gatewayAddress + "/q/direct"}
	for field, value := range changes {
		config[field] = value
	}
	h, err := provision(t, config)
	require.NoError(t, err)
	c.machine = assemble(t, h, surroundings{
		ledger: l, account: account, gateway: direct{c.simulator}, now: c.clock.now, sleep: c.clock.sleep,
	})
	return c
}

// visit is a request of WeChat's browser that keeps cookies.
func (c *testShop) visit(t testing.TB, address string) *http.Response {
	t.Helper()
	return c.visitAt(t, c.Handler, address)
}

// visitAt is the same, at a node of the shop.
func (c *testShop) visitAt(t testing.TB, node *Handler, address string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, node.ServeHTTP(w, c.request(address), nobody))
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
func (c *testShop) request(address string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("User-Agent", "MicroMessenger/8.0")
	for name, value := range c.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return asCaddyWould(r)
}

// authorize opens a pay link and returns the path of the callback with a code.
func (c *testShop) authorize(t testing.TB, link string) string {
	t.Helper()
	start := c.visit(t, link)
	require.Equal(t, http.StatusFound, start.StatusCode)
	return c.back(t, start.Header.Get("Location"))
}

// back is where the OAuth leads back to, with a code.
func (c *testShop) back(t testing.TB, oauth string) string {
	t.Helper()
	address, err := url.Parse(oauth)
	require.NoError(t, err)
	callback, err := url.Parse(address.Query().Get("redirect_uri"))
	require.NoError(t, err)
	return callback.Path + "?code=" + c.simulator.Code()
}

// order is an order as the ledger knows it.
func (c *testShop) order(t testing.TB, id string) ledger.Order {
	t.Helper()
	found, err := c.orders.Find(context.Background(), id)
	require.NoError(t, err)
	return found
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

func orderIn(callback string) string { return strings.Split(callback, "/")[3][:26] }

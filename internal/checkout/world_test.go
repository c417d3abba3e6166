package checkout

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// world is a checkout with a gateway and a ledger of its own, and the browser of one
// payer, in WeChat at first. There is no Caddy in it.
type world struct {
	*Checkout
	browser
	t        *testing.T
	gateway  *qfpaytest.Simulator
	notes    map[string]string // of the last request
	notified []string
	skipped  time.Duration // by which the clock is ahead
}

func (w *world) now() time.Time { return time.Now().Add(w.skipped) }

type browser struct {
	agent string
	jar   map[string]string // cookies
	comes Origin            // that the server sees
}

func newBrowser(agent string) browser { return browser{agent, map[string]string{}, site} }

// The browsers of payers.
const (
	inWeChatAgent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.60"
	iPhone        = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Mobile/15E148 Safari/604.1"
	android       = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/139.0.0.0 Mobile Safari/537.36"
	desktop       = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/139.0.0.0 Safari/537.36"
)

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, browser: newBrowser(inWeChatAgent)}
	var err error
	w.gateway, err = qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, AnyPort: true, NotifyOff: true, Now: w.now, RealName: true,
		Wallets: []string{"wechat", "alipayhk", "unionpay", "payme"},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.gateway.Close()) })
	opened, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, opened.Close()) })
	line := httptest.NewServer(w.gateway)
	t.Cleanup(line.Close)
	client, err := qfpay.NewClient(qfpay.Config{Gateway: line.URL, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY"})
	require.NoError(t, err)
	catalog, err := shop.OpenCatalog("", "HKD", []shop.Item{{ID: "cat-food", Price: "128.00"}}, zap.NewNop())
	require.NoError(t, err)
	config := Config{
		Name: "harbour-pets", Path: "/pay", NotifyPath: "/pay/notify", PublicURL: string(site), NotifyURL: "off", OutsideWeChat: "handoff",
		Shop:     &shop.Shop{Merchant: "Harbour Pets", Currency: "HKD", Catalog: catalog},
		OrderTTL: 15 * time.Minute, Zone: ledger.GatewayZone, Timeout: 2 * time.Second, BodyTime: time.Second, PayPage: line.URL + "/q/direct",
		Seal: newSeal(t, "TESTKEY", "harbour-pets", "/pay"), Pages: pages.Builtin(), Shared: NewShared(),
		Orders: orders.New(orders.Config{
			Shop: "harbour-pets", Account: "TESTAPPCODE", Ledger: opened, Client: client, Timeout: 2 * time.Second,
			Shops: orders.NewShops(), Observer: w, Log: zap.NewNop(), Now: w.now,
		}),
		Verify: func(body []byte, sign string) bool { return qfpay.VerifyNotification(body, sign, "TESTKEY", qfpay.MD5) },
		Server: w, Observer: w, Log: zap.NewNop(), Now: w.now,
	}
	if change != nil {
		change(&config)
	}
	w.Checkout = New(config)
	return w
}

// Origin implements Server.
func (w *world) Origin(*http.Request) Origin { return w.comes }

// ClientAddress implements Server.
func (w *world) ClientAddress(*http.Request) string { return "192.0.2.1" }

// Note implements Server.
func (w *world) Note(_ *http.Request, name, value string) { w.notes[name] = value }

// Called implements Observer and orders.Observer.
func (w *world) Called(string, string, time.Duration, error) {}

// Notified implements Observer.
func (w *world) Notified(_, outcome string) { w.notified = append(w.notified, outcome) }

// Changed implements orders.Observer.
func (w *world) Changed(orders.Change) {}

// Open implements orders.Observer.
func (w *world) Open(map[string]int) {}

// visit is a request of the payer's browser, which keeps cookies.
func (w *world) visit(address string) (*http.Response, error) {
	return w.send(httptest.NewRequestWithContext(context.Background(), http.MethodGet, address, nil))
}

// send adds what the payer's browser sends with every request.
func (w *world) send(r *http.Request) (*http.Response, error) {
	address := r.URL.String()
	r.Header.Set("User-Agent", w.agent)
	for name, value := range w.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	require.True(w.t, w.Serves(r), address)
	w.notes = map[string]string{}
	answer := httptest.NewRecorder()
	err := w.ServeHTTP(answer, r)
	for _, cookie := range answer.Result().Cookies() {
		w.jar[cookie.Name] = cookie.Value
	}
	return answer.Result(), err
}

// leadsTo is where a request is redirected.
func (w *world) leadsTo(address string) string {
	w.t.Helper()
	answer, err := w.visit(address)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusFound, answer.StatusCode)
	return answer.Header.Get("Location")
}

func TestAPaymentGoesFromItsLinkToItsReceipt(t *testing.T) {
	w := newWorld(t, nil)
	oauth, err := url.Parse(w.leadsTo("/pay/cat-food"))
	require.NoError(t, err)
	order := w.notes["order"]
	assert.Equal(t, map[string]string{"step": "start", "order": order, "amount": "128.00", "currency": "HKD"}, w.notes)
	assert.Equal(t, string(site)+"/pay/callback/"+order, oauth.Query().Get("redirect_uri"))
	assert.Zero(t, w.gateway.Calls("payment"))

	callback := "/pay/callback/" + order + "?code=" + w.gateway.Code()
	payPage := w.leadsTo(callback)
	assert.Equal(t, payPage, w.leadsTo(callback), "the same callback leads to the same address")
	assert.Equal(t, 1, w.gateway.Calls("payment"))

	require.NoError(t, w.gateway.Pay(order))
	answer, err := w.visit("/pay/return/" + order)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, "paid", w.notes["status"])
}

func TestProblemsForTheSitesErrorRoutesComeBackUnwritten(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PassErrors = true })
	for address, kind := range map[string]pages.Kind{
		"/pay/dog-food":                     pages.UnknownItem,
		"/pay":                              pages.NothingChosen,
		"/pay/return/" + ledger.NewID(noon): pages.UnknownOrder,
		"/pay/callback/" + ledger.NewID(noon) + "?code": pages.OtherBrowser,
	} {
		answer, err := w.visit(address)
		assert.Equal(t, kind, err, address)
		assert.Empty(t, answer.Header.Get("Content-Type"), address)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		assert.Empty(t, body, address)
	}
}

func TestOnlyWhatIsTheCheckoutsIsServed(t *testing.T) {
	pass := newWorld(t, func(c *Config) { c.OutsideWeChat = "pass" })
	handoff := newWorld(t, nil)
	for path, want := range map[string]struct{ handoff, pass bool }{
		"/pay":             {true, false},
		"/pay/":            {true, false},
		"/pay/cat-food":    {true, false},
		"/pay/notify":      {true, true},
		"/pay/return/ID":   {true, true},
		"/pay/callback/ID": {true, true},
		"/payments":        {false, false},
		"/":                {false, false},
		"/shop/pay":        {false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		assert.Equal(t, want.handoff, handoff.Serves(r), path)
		assert.Equal(t, want.pass, pass.Serves(r), path)
		assert.Zero(t, testing.AllocsPerRun(10, func() { handoff.Serves(r) }), path)
	}
}

func TestAForgedNotificationIsCountedAndRefused(t *testing.T) {
	w := newWorld(t, nil)
	r := httptest.NewRequest(http.MethodPost, "/pay/notify", strings.NewReader(`{"status":"1"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-QF-SIGN", strings.Repeat("0", 32))
	w.notes = map[string]string{}
	answer := httptest.NewRecorder()
	require.NoError(t, w.ServeHTTP(answer, r))
	assert.Equal(t, http.StatusUnauthorized, answer.Code)
	assert.Equal(t, []string{"forged"}, w.notified)
}

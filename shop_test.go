package qfpayjsapi_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	appCode   = "TESTAPPCODE"
	clientKey = "sentinel-of-the-client-key"
)

// The user agents of the browsers that open pay links.
const (
	wechat       = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile Safari/537.36 XWEB/1260 MMWEBSDK/20240404 MicroMessenger/8.0.49 WeChat/arm64"
	wecomDesktop = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/116 Safari/537.36 wxwork/4.1.22 MicroMessenger/7.0.1 WindowsWechat"
	phone        = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"
	desktop      = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
)

// shop is a running Caddy with the directive, and the gateway it talks to.
type shop struct {
	t       testing.TB
	url     string
	admin   string
	gateway *qfpaytest.Simulator
	line    *httptest.Server // on which the gateway is reached
	folder  string           // Caddy's storage
	file    string           // the ledger
	logFile string

	without bool                          // leaves the block out
	around  func(directive string) string // writes it otherwise into the site
	held    gate

	site    string // Caddyfile lines beside the block
	address string // of the site in the place of url
	names   string // more names of the site, each after a comma
	block   string // subdirectives beside the usual ones
	timeout string
	global  string
	account func() string // subdirectives that need the gateway's address
	dearer  string        // another price of the dog treats

	files    string    // a folder with what the examples of the reference name
	receiver *receiver // of the webhooks of the reference
}

// set changes a shop before it opens.
type set func(*shop, *qfpaytest.Config)

func withBlock(lines string) set {
	return func(s *shop, _ *qfpaytest.Config) { s.block += lines + "\n" }
}
func withSite(lines string) set                     { return func(s *shop, _ *qfpaytest.Config) { s.site += lines + "\n" } }
func withoutDirective(s *shop, _ *qfpaytest.Config) { s.without = true }

// withTimeout sets how long the gateway may take.
func withTimeout(timeout string) set {
	return func(s *shop, _ *qfpaytest.Config) { s.timeout = "timeout " + timeout }
}

func withMchID(id string) set {
	return func(s *shop, c *qfpaytest.Config) {
		c.MchID = id
		s.block += "mchid " + id + "\n"
	}
}

func openShop(t testing.TB, settings ...set) *shop {
	t.Helper()
	s := &shop{
		t:       t,
		url:     "http://" + freeAddress(t),
		admin:   freeAddress(t),
		folder:  t.TempDir(),
		file:    filepath.Join(t.TempDir(), "ledger.db"),
		logFile: filepath.Join(t.TempDir(), "caddy.log"),
		timeout: "timeout 2s",
	}
	config := qfpaytest.Config{Strict: true, AppCode: appCode, ClientKey: clientKey, Seed: 1, AnyPort: true, NoRateLimit: true, NotifyOff: true}
	for _, set := range settings {
		set(s, &config)
	}
	var err error
	s.gateway, err = qfpaytest.New(config)
	require.NoError(t, err)
	s.line = httptest.NewServer(s.held.before(s.gateway))
	s.load()
	t.Cleanup(func() {
		require.NoError(t, caddy.Stop())
		s.line.Close()
		require.NoError(t, s.gateway.Close())
	})
	return s
}

// load loads the shop's configuration, as at start or at a reload.
func (s *shop) load() {
	s.t.Helper()
	require.NoError(s.t, s.tryToLoad())
}

func (s *shop) tryToLoad() error {
	s.t.Helper()
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(s.caddyfile()), map[string]any{"filename": "Caddyfile"})
	require.NoError(s.t, err)
	defer http.DefaultClient.CloseIdleConnections() // the configuration before closes them, at a moment of its own
	return caddy.Load(config, true)
}

// gate holds calls to the gateway up until they are let through.
type gate struct {
	mu      sync.Mutex
	path    string
	opens   chan struct{}
	waiting atomic.Int32

	signType atomic.Value // of the last call that announced one
}

// hold makes calls to a path of the gateway wait until through is called.
func (g *gate) hold(path string) (through func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.path, g.opens = path, make(chan struct{})
	return sync.OnceFunc(func() { close(g.opens) })
}

func (g *gate) before(gateway http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		path, opens := g.path, g.opens
		g.mu.Unlock()
		if announced := r.Header.Get("X-QF-SIGNTYPE"); announced != "" {
			g.signType.Store(announced)
		}
		if path == r.URL.Path {
			g.waiting.Add(1)
			<-opens
			g.waiting.Add(-1)
		}
		gateway.ServeHTTP(w, r)
	})
}

func (s *shop) caddyfile() string {
	directive := s.directive()
	if s.without {
		directive = ""
	}
	if s.around != nil {
		directive = s.around(directive)
	}
	return fmt.Sprintf(`{
	admin %s
	persist_config off
	auto_https off
	grace_period 200ms
	storage file_system %s
	log {
		output file %s
		level DEBUG
	}
	%s
}
%s%s {
	log
	%s
	%s
	respond "the shop" 200
}
`, s.admin, s.folder, s.logFile, s.global, cmp.Or(s.address, s.url), s.names, directive, s.site)
}

func (s *shop) directive() string {
	account, treats := "", "46.50"
	if s.account != nil {
		account = s.account()
	}
	if s.dearer != "" {
		treats = s.dearer
	}
	return fmt.Sprintf(`qfpay_jsapi {
		environment %s
		pay_page %s/q/direct
		app_code %s
		client_key {env.TEST_QFPAY_CLIENT_KEY}
		merchant_name "Harbour Pets"
		currency HKD
		ledger sqlite %s
		%s
		item cat-food {
			price 128.00
			name "Cat food 猫粮"
			max_quantity 3
		}
		item dog-treats %s
		%s
		%s
	}`, s.line.URL, s.line.URL, appCode, s.file, s.timeout, treats, account, s.block)
}

func TestMain(m *testing.M) {
	os.Setenv("TEST_QFPAY_CLIENT_KEY", clientKey)
	folder, err := os.MkdirTemp("", "qfpay_jsapi")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_DATA_HOME", folder) // for ledgers that no test names
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// nextPort counts up from a random start, below the ports that the system hands
// out by itself: no address is given out twice, and no other test gets it.
var nextPort = 20000 + rand.IntN(8000)

// freeAddress finds an address to listen on.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		nextPort++
		address := fmt.Sprintf("127.0.0.1:%d", nextPort)
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
}

// eventually waits for what another goroutine will do soon.
func (s *shop) eventually(what string, done func() bool) {
	s.t.Helper()
	require.Eventually(s.t, done, time.Minute, 10*time.Millisecond, what)
}

// payable counts the trades at the gateway that could still be paid, or are.
func (s *shop) payable() int {
	return len(s.gateway.Trades())
}

// payer is a browser that follows no redirect by itself.
type payer struct {
	t       testing.TB
	shop    *shop
	agent   string
	header  http.Header
	browser *http.Client
}

func (s *shop) payer(agent string) *payer {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return &payer{
		t: s.t, shop: s, agent: agent, header: http.Header{},
		browser: &http.Client{
			Jar:           jar,
			Timeout:       30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// reply is what a browser got.
type reply struct {
	status   int
	location string
	header   http.Header
	cookies  []*http.Cookie
	body     string
}

func (p *payer) get(address string) reply { return p.do(http.MethodGet, address, "", nil) }

func (p *payer) post(address string, form url.Values) reply {
	return p.do(http.MethodPost, address, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (p *payer) do(method, address, contentType string, body io.Reader) reply {
	p.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = p.shop.url + address
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, address, body)
	require.NoError(p.t, err)
	r.Header = p.header.Clone()
	r.Header.Set("User-Agent", p.agent)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := p.browser.Do(r)
	mayRepeat := method == http.MethodGet || strings.HasSuffix(address, "/notify") && r.GetBody != nil
	for try := 0; try < 3 && mayRepeat && isCut(err); try++ { // a reload cut the connection, as browsers and the gateway know
		p.browser.CloseIdleConnections() // of which the reload cut more than one
		if r.GetBody != nil {
			r.Body, _ = r.GetBody()
		}
		resp, err = p.browser.Do(r)
	}
	require.NoError(p.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return reply{resp.StatusCode, resp.Header.Get("Location"), resp.Header, resp.Cookies(), string(text)}
}

// isCut reports whether the server closed the connection before it answered.
func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		err != nil && strings.Contains(err.Error(), "server closed idle connection") // which net/http does not export
}

// authorize opens a pay link and goes through the OAuth: it returns the
// callback's address with the code.
func (p *payer) authorize(link string) (callback string) {
	p.t.Helper()
	start := p.get(link)
	require.Equal(p.t, http.StatusFound, start.status, start.body)
	return p.oauth(start.location)
}

func (p *payer) oauth(address string) (callback string) {
	p.t.Helper()
	back := p.get(address)
	require.Equal(p.t, http.StatusFound, back.status, back.body)
	return back.location
}

// prepare goes from a pay link to the address of the pay page.
func (p *payer) prepare(link string) (payURL, order string) {
	p.t.Helper()
	callback := p.authorize(link)
	reply := p.get(callback)
	require.Equal(p.t, http.StatusFound, reply.status, reply.body)
	return reply.location, orderOf(p.t, callback)
}

var orderInPath = regexp.MustCompile(`/(?:callback|return)/([0-9A-Z]{26})`)

func orderOf(t testing.TB, address string) string {
	t.Helper()
	found := orderInPath.FindStringSubmatch(address)
	require.NotNil(t, found, "no order in %s", address)
	return found[1]
}

// log returns what Caddy has logged so far.
func (s *shop) log() string {
	text, err := os.ReadFile(s.logFile)
	require.NoError(s.t, err)
	return string(bytes.ToValidUTF8(text, []byte("?")))
}

// letEnquiriesBeDue stands for waiting until every order may be asked about
// again.
func (s *shop) letEnquiriesBeDue() { s.execute(`UPDATE orders SET asked_at = NULL`) }

package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	clientKey    = "SENTINEL-CLIENT-KEY"
	wechatApp    = "wx0123456789abcdef"
	wechatSecret = "SENTINEL-WECHAT-SECRET"
)

// healthy is a shop with which all is well, but for its public URL and
// notifications, which cannot be on this machine; and its gateway.
func healthy(t *testing.T) (Shop, *qfpaytest.Simulator) {
	t.Helper()
	gateway, err := qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: "TESTAPPCODE", ClientKey: clientKey, WeChatAppID: wechatApp, WeChatAppSecret: wechatSecret, NotifyOff: true, AnyPort: true,
	})
	require.NoError(t, err)
	server := httptest.NewServer(gateway)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, gateway.Close())
	})
	opened, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), zap.NewNop())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	s := Shop{
		Title: "Pets /pay", Name: "pets", Now: time.Now,
		Gateway: server.URL, Enquire: client(t, server.URL, clientKey),
		PublicURL: "https://shop.example", NotifyPath: "/pay/notify", NotifyOff: true,
		Currency: "HKD", Catalog: catalog(t, "", shop.Item{ID: "cat-food", Price: "128.00"}),
		Ledger:    opened,
		LostShops: func(context.Context) ([]string, error) { return nil, nil },
	}
	return s, gateway
}

func client(t *testing.T, gateway, key string) func(context.Context, qfpay.Query) ([]qfpay.Trade, error) {
	t.Helper()
	made, err := qfpay.NewClient(qfpay.Config{Gateway: gateway, AppCode: "TESTAPPCODE", ClientKey: qfpay.Secret(key), Timeout: 2 * time.Second})
	require.NoError(t, err)
	return made.Query
}

func account(t *testing.T, site, secret string) func(context.Context, string) (string, error) {
	t.Helper()
	made, err := wechat.New(wechat.Config{
		AppID: wechatApp, AppSecret: redact.Secret(secret), AuthorizeURL: site + "/connect/oauth2/authorize", TokenURL: site + "/sns/oauth2/access_token",
	})
	require.NoError(t, err)
	t.Cleanup(made.CloseIdle)
	return made.OpenID
}

func catalog(t *testing.T, file string, items ...shop.Item) *shop.CatalogFile {
	t.Helper()
	opened, err := shop.OpenCatalog(file, "HKD", items, zap.NewNop())
	require.NoError(t, err)
	return opened
}

// hook is a webhook's endpoint at a URL.
func hook(t *testing.T, url string) Webhook {
	t.Helper()
	endpoint, err := webhook.New(url, "whsec_bm8tc2VjcmV0LWJ1dC1hLWRlbW9uc3RyYXRpb24t")
	require.NoError(t, err)
	return endpoint
}

// closedPort is a URL at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return "http://" + listener.Addr().String()
}

// outcome is a finding in one line.
func (f Finding) outcome() string {
	return strings.TrimSpace(f.Status + ": " + f.Found + " → " + f.Advice)
}

func TestExamineReportsAllChecksOfAllShopsInOrder(t *testing.T) {
	pets, _ := healthy(t)
	toys := pets
	toys.Title, toys.Name = "Toys /toys", "toys"
	report := Examine(t.Context(), []Shop{pets, toys}, zap.NewNop())
	require.Len(t, report.Findings, 2*len(checks))
	for i, found := range report.Findings {
		assert.Equal(t, checks[i%len(checks)].name, found.Check)
		assert.Equal(t, []string{"Pets /pay", "Toys /toys"}[i/len(checks)], found.Shop)
		if found.Check == "notifications" {
			assert.Equal(t, "warning", found.Status)
		} else {
			assert.Equal(t, "good", found.Status, found.outcome())
		}
	}
	assert.False(t, report.HasBad())
}

func TestACheckThatPanicsIsABadFinding(t *testing.T) {
	s, _ := healthy(t)
	s.LostShops = func(context.Context) ([]string, error) { panic("a mistake") }
	core, logs := observer.New(zap.ErrorLevel)
	report := Examine(t.Context(), []Shop{s}, zap.New(core))
	assert.True(t, report.HasBad())
	for _, found := range report.Findings {
		assert.Equal(t, "Pets /pay", found.Shop)
		assert.Equal(t, found.Check == "shops", found.Status == "bad", found.outcome())
	}
	assert.Equal(t, 1, logs.FilterMessage("panic").Len())
}

func TestACheckEndsWithItsContext(t *testing.T) {
	s, _ := healthy(t)
	s.LostShops = func(ctx context.Context) ([]string, error) {
		deadline, bounded := ctx.Deadline()
		assert.True(t, bounded)
		assert.LessOrEqual(t, time.Until(deadline), checkLimit)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	assert.True(t, Examine(ctx, []Shop{s}, zap.NewNop()).HasBad())
}

func TestCredentialsThatTheGatewayRefusesAreBad(t *testing.T) {
	s, gateway := healthy(t)
	s.Enquire = client(t, s.Gateway, "another-key")
	found := s.checkCredentials(t.Context())
	assert.Equal(t, "bad", found.Status)
	assert.Contains(t, found.Advice, "Compare app_code, client_key")
	assert.NotContains(t, found.Found, "another-key")

	s.Enquire = client(t, s.Gateway, clientKey)
	gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.Respcd, Respcd: "1108"})
	assert.Contains(t, s.checkCredentials(t.Context()).Found, "respcd 1108")

	s.Enquire = client(t, closedPort(t), clientKey)
	assert.Contains(t, s.checkCredentials(t.Context()).Advice, "Check that this machine can reach the gateway")

	s.Enquire = func(context.Context, qfpay.Query) ([]qfpay.Trade, error) { return make([]qfpay.Trade, 1), nil }
	assert.Contains(t, s.checkCredentials(t.Context()).outcome(), "bad: the gateway knows an order that cannot exist")
}

func TestTheOfficialAccountIsTriedWithAnImpossibleCode(t *testing.T) {
	s, _ := healthy(t)
	s.AppID, s.OpenID = wechatApp, account(t, s.Gateway, wechatSecret)
	assert.Equal(t, good("WeChat knows %s, and refused only the code", wechatApp), s.checkOfficialAccount(t.Context()))

	s.OpenID = account(t, s.Gateway, "another-secret")
	found := s.checkOfficialAccount(t.Context())
	assert.Equal(t, "bad", found.Status)
	assert.Contains(t, found.Advice, "Compare app id and secret")
	assert.NotContains(t, found.Found, "another-secret")

	s.OpenID = func(context.Context, string) (string, error) { return "o-payer", nil }
	assert.Contains(t, s.checkOfficialAccount(t.Context()).outcome(), "bad: WeChat accepted a code that cannot exist")
}

func TestTheClockIsComparedWithTheGateways(t *testing.T) {
	s, _ := healthy(t)
	for off, want := range map[time.Duration]string{
		0:                 "good",
		20 * time.Second:  "good",
		40 * time.Second:  "warning",
		-40 * time.Second: "warning",
		11 * time.Minute:  "bad",
		-time.Hour:        "bad",
	} {
		s.Now = func() time.Time { return time.Now().Add(off) }
		assert.Equal(t, want, s.checkClock(t.Context()).Status, off)
	}
	s.Gateway = closedPort(t)
	assert.Equal(t, "warning", s.checkClock(t.Context()).Status)
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil }))
	t.Cleanup(silent.Close)
	s.Gateway = silent.URL
	assert.Contains(t, s.checkClock(t.Context()).outcome(), "warning: unknown, because the gateway does not send its time")
}

func TestThePublicURLShouldBeSetAndSecure(t *testing.T) {
	for name, test := range map[string]struct {
		url   string
		hosts []string
		want  string
	}{
		"secure":           {"https://shop.example", nil, "good: https://shop.example"},
		"over http":        {"http://shop.example", nil, "warning: http://shop.example is not https"},
		"of each request":  {"", []string{"a.example", "b.example"}, "warning: public_url is not set: it is taken from each request, which must name one of: a.example, b.example"},
		"of any host name": {"", nil, "warning: public_url is not set, and the site's own host names cannot be determined"},
	} {
		assert.Contains(t, Shop{PublicURL: test.url, Hosts: test.hosts}.checkPublicURL(t.Context()).outcome(), test.want, name)
	}
}

func TestThePublicURLMustLeadToThisProgram(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"this program":   {404, `{"error":"unknown order"}`, "good: https://shop.example"},
		"another site":   {404, "<h1>Not found</h1>", "bad: "},
		"a parked name":  {200, "For sale", "bad: "},
		"a login":        {302, "", "bad: "},
		"another status": {200, `{"error":"unknown order"}`, "bad: "},
	} {
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		}))
		assert.Contains(t, checkSite(t.Context(), "https://shop.example", site.URL+"/pay/status/doctor").outcome(), test.want, name)
		site.Close()
	}
	assert.Contains(t, checkSite(t.Context(), "https://shop.example", closedPort(t)).outcome(), "good: https://shop.example, though this machine cannot reach it")
}

func TestNotificationsMustBeAbleToArrive(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // some of the names are looked up
	defer cancel()
	for name, test := range map[string]struct {
		shop Shop
		want string
	}{
		"off":               {Shop{NotifyOff: true, PublicURL: "https://shop.example"}, "warning: notify_url is off"},
		"of each request":   {Shop{}, "warning: the notify address depends on the request"},
		"on another port":   {Shop{PublicURL: "https://shop.example:8443", NotifyPath: "/pay/notify"}, "warning: the gateway can only reach ports 80 and 443, so https://shop.example:8443/pay/notify is not sent with payments: notifications come only where the gateway knows the address otherwise"},
		"unreadable":        {Shop{NotifyURL: "https://%zz"}, "bad: notify_url cannot be read"},
		"of this machine":   {Shop{NotifyURL: "https://localhost/pay/notify"}, "which the gateway cannot reach"},
		"of a private net":  {Shop{NotifyURL: "https://192.168.0.7/pay/notify"}, "bad: 192.168.0.7 resolves to 192.168.0.7, which the gateway cannot reach"},
		"of nobody's name":  {Shop{NotifyURL: "https://nobody.invalid/pay/notify"}, "bad: nobody.invalid cannot be resolved"},
		"without a name":    {Shop{NotifyURL: "https:///pay/notify"}, "bad: "},
		"of a mapped local": {Shop{NotifyURL: "https://[::ffff:127.0.0.1]/pay/notify"}, "which the gateway cannot reach"},
	} {
		assert.Contains(t, test.shop.checkNotifications(ctx).outcome(), test.want, name)
	}
}

func TestTheNotifyAddressMustAnswerAsThisProgramDoes(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		allow  string
		want   string
	}{
		"this program":   {405, "POST", "good"},
		"a login":        {302, "", "bad"},
		"another server": {405, "GET, POST", "bad"},
		"a static file":  {200, "", "bad"},
	} {
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", test.allow)
			w.WriteHeader(test.status)
		}))
		assert.Equal(t, test.want, checkNotifyAnswer(t.Context(), site.URL+"/pay/notify").Status, name)
		site.Close()
	}
	assert.Contains(t, checkNotifyAnswer(t.Context(), closedPort(t)).outcome(), "Make it reachable")
}

func TestALedgerThatCannotBeWrittenIsBad(t *testing.T) {
	s, _ := healthy(t)
	broken := errors.New("no space left on device")
	s.Ledger = fullLedger{s.Ledger, broken}
	assert.Contains(t, s.checkLedger(t.Context()).outcome(), "bad: SQLite ")
	assert.Contains(t, s.checkLedger(t.Context()).Found, broken.Error())
	for _, check := range []func(Shop, context.Context) Finding{Shop.checkOpenOrders, Shop.checkOrphans} {
		assert.Equal(t, bad("See the check of the ledger.", "no space left on device"), check(s, t.Context()))
	}
}

// fullLedger is a ledger all of whose steps fail.
type fullLedger struct {
	ledger.Ledger
	err error
}

func (l fullLedger) Update(context.Context, func(*ledger.Tx) error) error { return l.err }
func (l fullLedger) View(context.Context, func(*ledger.Tx) error) error   { return l.err }

func TestTheCatalogueIsReadAfresh(t *testing.T) {
	s, _ := healthy(t)
	assert.Equal(t, good("items: 1"), s.checkCatalogue(t.Context()))
	s.Catalog = catalog(t, "", shop.Item{ID: "pin", Price: "1.99"})
	assert.Contains(t, s.checkCatalogue(t.Context()).outcome(), "warning: pin costs HKD 1.99")
	s.Catalog = catalog(t, "", shop.Item{ID: "pin", Price: "2.00"})
	assert.Equal(t, "good", s.checkCatalogue(t.Context()).Status, "200 is not under 200")

	file := filepath.Join(t.TempDir(), "catalog.json")
	require.NoError(t, os.WriteFile(file, []byte("[]"), 0o600))
	s.Catalog = catalog(t, file)
	assert.Contains(t, s.checkCatalogue(t.Context()).outcome(), "bad: nothing is sold")
	s.OtherwisePay = true
	assert.Equal(t, "good", s.checkCatalogue(t.Context()).Status)
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	assert.Contains(t, s.checkCatalogue(t.Context()).Advice, "Correct the file")
}

func TestTheCatalogueIsComparedWithWhatIsSold(t *testing.T) {
	s, _ := healthy(t)
	now := time.Now()
	s.Now = func() time.Time { return now }
	file := filepath.Join(t.TempDir(), "catalog.json")
	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"pin","price":"5.00"}]`), 0o600))
	s.Catalog = catalog(t, file)
	assert.Equal(t, good("items: 1"), s.checkCatalogue(t.Context()))
	require.NoError(t, os.WriteFile(file, []byte(`[{"id":"pin","price":"6.00"}]`), 0o600))
	assert.Contains(t, s.checkCatalogue(t.Context()).outcome(), "warning: pin is not yet sold as the file says")
	now = now.Add(3 * time.Second)
	assert.Equal(t, good("items: 1"), s.checkCatalogue(t.Context()))
}

func TestWebhooksAreReachedAsDeliveriesReachThem(t *testing.T) {
	s, _ := healthy(t)
	assert.Equal(t, "good", s.checkWebhooks(t.Context()).Status)
	s.Webhooks = []Webhook{hook(t, s.Gateway)}
	assert.Equal(t, good("reachable: 1"), s.checkWebhooks(t.Context()))

	closed := closedPort(t)
	s.Webhooks = append(s.Webhooks, hook(t, closed+"/?token=hidden"))
	found := s.checkWebhooks(t.Context())
	assert.Contains(t, found.outcome(), "bad: "+strings.TrimPrefix(closed, "http://")+" cannot be reached: ")
	assert.NotContains(t, found.outcome(), "hidden")
}

func TestAWebhookAtAPrivateAddressIsToldHowToBeAllowed(t *testing.T) {
	s, _ := healthy(t)
	port := s.Gateway[strings.LastIndex(s.Gateway, ":"):]
	s.Webhooks = []Webhook{hiddenHook{}}
	found := s.checkWebhooks(t.Context())
	assert.Equal(t, "bad", found.Status)
	assert.Contains(t, found.Advice, "Write its IP address into the URL")

	s.Webhooks = []Webhook{hook(t, "http://127.0.0.1"+port), hook(t, "http://localhost"+port)}
	assert.Equal(t, good("reachable: 2"), s.checkWebhooks(t.Context()), "what the advice says is allowed")
}

func TestTheMailServerIsAsked(t *testing.T) {
	s, _ := healthy(t)
	assert.Equal(t, "good", s.checkMail(t.Context()).Status)
	s.Mail = mailServer{}
	assert.Equal(t, good("the server accepts mail from here"), s.checkMail(t.Context()))
	s.Mail = mailServer{errors.New("connecting to mail.example.com:587: no")}
	assert.Contains(t, s.checkMail(t.Context()).outcome(), "bad: connecting to mail.example.com:587: no → Correct the URL of mail")
}

// mailServer answers a check.
type mailServer struct{ err error }

func (m mailServer) Check(context.Context) error { return m.err }

// hiddenHook has a name that leads into a private network.
type hiddenHook struct{}

func (hiddenHook) Dial(context.Context) error {
	return fmt.Errorf("10.0.0.7 is %w", webhook.ErrNotPublic)
}

func TestOrdersThatShouldHaveEndedAreAWarning(t *testing.T) {
	s, _ := healthy(t)
	claim := func(shop string, started time.Time) {
		require.NoError(t, s.Ledger.Update(t.Context(), func(tx *ledger.Tx) error {
			_, err := tx.Claim(ledger.Order{
				ID: ledger.NewID(started), Shop: shop, Account: "TESTAPPCODE@localhost", Claimed: started, Expires: started.Add(15 * time.Minute),
				CheckAt: started.Add(5 * time.Second),
				Intent:  ledger.Intent{At: started, Amount: 12800, Currency: "HKD", Description: "Cat food"},
			})
			return err
		}))
	}
	claim("pets", time.Now())
	claim("toys", time.Now().Add(-2*overdue))
	assert.Equal(t, good("1"), s.checkOpenOrders(t.Context()), "those of others are not counted")
	claim("pets", time.Now().Add(-2*overdue))
	assert.Contains(t, s.checkOpenOrders(t.Context()).outcome(), "warning: 2 open, 1 of them for more than 26h0m0s")
}

func TestShopsWithoutABlockAreAWarning(t *testing.T) {
	s, _ := healthy(t)
	s.LostShops = func(context.Context) ([]string, error) { return []string{"toys", "plants"}, nil }
	assert.Contains(t, s.checkShops(t.Context()).outcome(), "warning: the ledger has open orders of shops that have no block: toys, plants")
	s.LostShops = func(context.Context) ([]string, error) { return nil, errors.New("no connection") }
	assert.Equal(t, "bad", s.checkShops(t.Context()).Status)
}

func TestOrphansAreAWarning(t *testing.T) {
	s, _ := healthy(t)
	assert.Equal(t, good("none"), s.checkOrphans(t.Context()))
	require.NoError(t, s.Ledger.Update(t.Context(), func(tx *ledger.Tx) error {
		_, err := tx.AddOrphan(ledger.Orphan{Account: "TESTAPPCODE@localhost", Syssn: "A", Shop: "pets", At: time.Now(), Amount: 100, Currency: "HKD"})
		return err
	}))
	assert.Contains(t, s.checkOrphans(t.Context()).outcome(), "warning: payments without an order: 1, the last of 20")
}

// slowWhenShared is a ledger that takes a row quickly, unless two are written at once.
type slowWhenShared struct {
	ledger.Ledger
	mu    sync.Mutex
	busy  bool
	tried int
}

func (l *slowWhenShared) Update(ctx context.Context, do func(*ledger.Tx) error) error {
	l.mu.Lock()
	l.tried++
	shared := l.busy
	l.busy = true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.busy = false
		l.mu.Unlock()
	}()
	if shared {
		time.Sleep(slowLedger + 100*time.Millisecond)
	} else {
		time.Sleep(100 * time.Millisecond)
	}
	return l.Ledger.Update(ctx, do)
}

func TestTheLedgerOfSeveralBlocksIsTriedOnceAndNotCalledSlowForIt(t *testing.T) {
	pets, _ := healthy(t)
	shared := &slowWhenShared{Ledger: pets.Ledger}
	pets.Ledger = shared
	report := Examine(t.Context(), []Shop{pets, pets, pets}, zap.NewNop())
	found := 0
	for _, finding := range report.Findings {
		if finding.Check == "ledger" {
			found++
			assert.Equal(t, "good", finding.Status, finding.Found)
		}
	}
	assert.Equal(t, 3, found)
	assert.Equal(t, 1, shared.tried)
}

func TestPathsThatDoNotReachTheBlockAreFound(t *testing.T) {
	for name, test := range map[string]struct {
		arrive func(context.Context, string) Arrival
		status string
		found  string
	}{
		"all reach it": {func(_ context.Context, path string) Arrival { return Arrival{As: path, Status: 204} }, "good", "/pay and everything below it reach the block"},
		"only the path itself": {func(_ context.Context, path string) Arrival {
			if path == "/pay" {
				return Arrival{As: path, Status: 204}
			}
			return Arrival{Status: 404}
		}, "bad", "a request for /pay/callback/doctor does not reach the block: something else answers it with status 404"},
		"only what is below": {func(_ context.Context, path string) Arrival {
			if path == "/pay" {
				return Arrival{Status: 401}
			}
			return Arrival{As: path, Status: 204}
		}, "bad", "a request for /pay does not reach the block: something else answers it with status 401"},
		"without the beginning": {func(_ context.Context, path string) Arrival {
			return Arrival{As: strings.TrimPrefix(path, "/pay") + "/", Status: 404}
		}, "bad", "a request for /pay/callback/doctor reaches the block as /callback/doctor/, which it does not answer"},
		"nobody can say": {nil, "good", "the routes to the block cannot be seen from here"},
	} {
		found := Shop{Path: "/pay", NotifyPath: "/pay/notify", Arrive: test.arrive}.checkPaths(t.Context())
		assert.Equal(t, test.status, found.Status, name)
		assert.Equal(t, test.found, found.Found, name)
	}
}

func TestTheAccountAloneIsCheckedAtTheStart(t *testing.T) {
	pets, gateway := healthy(t)
	assert.Empty(t, CheckAccount(t.Context(), pets, zap.NewNop()))
	assert.Equal(t, 1, gateway.Calls("query"), "one call is enough")
	pets.Enquire = client(t, pets.Gateway, "ANOTHER-KEY")
	problems := CheckAccount(t.Context(), pets, zap.NewNop())
	require.Len(t, problems, 1)
	assert.Equal(t, "credentials", problems[0].Check)
	assert.Contains(t, problems[0].Advice, "client_key")
}

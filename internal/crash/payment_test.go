//go:build unix

package crash

import (
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

var ports = struct {
	sync.Mutex
	next int
}{next: 14000 + rand.IntN(5000)}

// shop is a node with what outlives it: the gateway, the shop's program that is
// told of payments, and a payer.
type shop struct {
	*node
	gateway *qfpaytest.Simulator
	payer   *http.Client
	deaths  int

	mu   sync.Mutex
	told map[string]int // how often, by webhook-id
}

// patience bounds how long a test waits for what must happen.
const patience = 60 * time.Second

func openShop(t *testing.T, storage string, notifications bool) *shop {
	t.Helper()
	s := &shop{told: map[string]int{}, node: &node{
		t: t, url: "http://" + freeAddress(t), folder: t.TempDir(), storage: storage,
	}}
	var err error
	s.gateway, err = qfpaytest.New(qfpaytest.Config{
		AppCode: appCode, ClientKey: clientKey, Seed: 1, AnyPort: true, NoRateLimit: true,
		NotifyURL: s.url + "/pay/notify", NotifyOff: !notifications, TimeScale: 600,
	})
	require.NoError(t, err)
	line, program := httptest.NewServer(s.gateway), httptest.NewServer(s)
	s.line, s.program = line.URL, program.URL
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.payer = &http.Client{
		Jar: jar, Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		s.kill()
		line.Close()
		program.Close()
		require.NoError(t, s.gateway.Close())
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(s.folder, "log"))
			t.Logf("%s", log)
		}
	})
	return s
}

// ServeHTTP is the shop's program.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told[r.Header.Get("Webhook-Id")]++
	w.WriteHeader(http.StatusNoContent)
}

func (s *shop) timesTold(id string) int { return s.allTold()[id] }

func (s *shop) allTold() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.told)
}

// revive starts the node again if it is dead. It does not die a second time.
func (s *shop) revive() {
	if s.isDead() {
		s.deaths++
		s.start(strings.Replace(s.storage, "{n}", "0", 1))
	}
}

// try asks once. The status is 0 without an answer.
func (s *shop) try(address string) (status int, location string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil)
	require.NoError(s.t, err)
	r.Header.Set("User-Agent", "MicroMessenger/8.0")
	response, err := s.payer.Do(r)
	if err != nil {
		return 0, ""
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode, response.Header.Get("Location")
}

// get asks until somebody answers who has no trouble with storage.
func (s *shop) get(address string) (status int, location string) {
	s.t.Helper()
	s.until("an answer from "+address, func() bool {
		status, location = s.try(address)
		return status != 0 && status != http.StatusServiceUnavailable
	})
	return status, location
}

// authorize opens a pay link and returns the callback with a code.
func (s *shop) authorize(link string) (callback string) {
	s.t.Helper()
	_, oauth := s.get(link)
	_, callback = s.get(oauth)
	return callback
}

// prepare takes the payer as far as the gateway takes the order, and returns
// the order. A code that was used up leads through the OAuth once more.
func (s *shop) prepare() (order string) {
	s.t.Helper()
	callback := s.authorize(s.url + "/pay/cat-food?ref=" + strconv.Itoa(len(s.gateway.Trades())))
	for range 5 {
		order = regexp.MustCompile(`[0-9A-Z]{26}`).FindString(callback)
		status, location := s.get(callback)
		if status == http.StatusOK || !strings.Contains(location, "get_weixin_oauth_code") {
			return order
		}
		_, callback = s.get(location)
	}
	s.t.Fatal("the OAuth is led through again and again")
	return ""
}

// facts returns the names of the facts known of an order.
func (s *shop) facts(order string) (facts []string) {
	_ = filepath.WalkDir(filepath.Join(s.folder, "data"), func(path string, _ fs.DirEntry, _ error) error {
		name, isFact := strings.CutSuffix(filepath.Base(path), ".json")
		if isFact && filepath.Base(filepath.Dir(path)) == order {
			facts = append(facts, name)
		}
		return nil
	})
	return facts
}

// openOrders returns the orders on the index, also those of which there is news alone.
func (s *shop) openOrders() (orders []string) {
	found, err := filepath.Glob(filepath.Join(s.folder, "data/qfpay_jsapi/*/open/*/*"))
	require.NoError(s.t, err)
	for _, path := range found {
		if order, _, _ := strings.Cut(filepath.Base(path), "."); len(order) == 26 {
			orders = append(orders, order)
		}
	}
	return orders
}

// until waits for something, and keeps the node alive meanwhile.
func (s *shop) until(what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		s.revive()
		if time.Now().After(deadline) {
			s.t.Fatalf("in vain: %s", what)
		}
	}
}

// refund has the gateway give money back.
func (s *shop) refund(trade qfpaytest.Trade, amount int64) {
	s.t.Helper()
	params := map[string]string{
		"syssn": trade.Syssn, "out_trade_no": "R" + trade.OutTradeNo + strconv.FormatInt(amount, 10), "txamt": strconv.FormatInt(amount, 10),
		"txdtm": time.Now().In(time.FixedZone("UTC+8", 8*60*60)).Format(time.DateTime),
	}
	form := url.Values{}
	for name, value := range params {
		form.Set(name, value)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.line+"/trade/v1/refund", strings.NewReader(form.Encode()))
	require.NoError(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-QF-APPCODE", appCode)
	r.Header.Set("X-QF-SIGN", qfpay.Sign(qfpay.MD5, params, clientKey))
	response, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	var reply struct{ Respcd string }
	require.NoError(s.t, json.NewDecoder(response.Body).Decode(&reply))
	require.Equal(s.t, "0000", reply.Respcd)
}

package qfpaytest_test

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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

const (
	appCode = "SIMULATEDAPPCODE"
	key     = "SIMULATEDKEY"

	wechat = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 MicroMessenger/8.0.50"
)

// noon is the time of the simulators under test: 12:00 in UTC+8, in mid-month.
var noon = time.Date(2026, 11, 17, 4, 0, 0, 0, time.UTC)

const noonText = "2026-11-17 12:00:00"

// shop is a merchant's server that talks to a simulator over HTTP.
type shop struct {
	*testing.T
	gateway *qfpaytest.Simulator
	url     string
	client  *http.Client
	now     time.Time // of the gateway; set it between calls
}

func newShop(t *testing.T, change ...func(*qfpaytest.Config)) *shop {
	s := &shop{T: t, now: noon}
	cfg := qfpaytest.Config{Strict: true, AppCode: appCode, ClientKey: key, Seed: 7, NoRateLimit: true, Now: func() time.Time { return s.now }}
	for _, c := range change {
		c(&cfg)
	}
	gateway, err := qfpaytest.New(cfg)
	require.NoError(t, err)
	server := httptest.NewServer(gateway)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, gateway.Close())
	})
	s.gateway, s.url, s.client = gateway, server.URL, server.Client()
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

func unsigned(values map[string]string) string {
	var joined []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		joined = append(joined, name+"="+values[name])
	}
	return strings.Join(joined, "&") + key
}

func md5Of(text string) string { return fmt.Sprintf("%X", md5.Sum([]byte(text))) }

func encode(values map[string]string) string {
	form := url.Values{}
	for name, value := range values {
		form.Set(name, value)
	}
	return form.Encode()
}

// signed is a request as a correct client makes it.
func (s *shop) signed(method, path string, values map[string]string) *http.Request {
	s.Helper()
	query, body := "", ""
	if method == http.MethodPost {
		body = encode(values)
	} else {
		query = "?" + encode(values)
	}
	r, err := http.NewRequest(method, s.url+path+query, strings.NewReader(body))
	require.NoError(s, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("X-QF-APPCODE", appCode)
	r.Header.Set("X-QF-SIGN", md5Of(unsigned(values)))
	return r
}

// response is what came back.
type response struct {
	status int
	header http.Header
	body   string
	reply  map[string]any
}

func (r response) respcd() any { return r.reply["respcd"] }

func (r response) rows() (rows []map[string]any) {
	for _, row := range r.reply["data"].([]any) {
		rows = append(rows, row.(map[string]any))
	}
	return rows
}

func (s *shop) do(r *http.Request) response {
	s.Helper()
	got, err := s.client.Do(r)
	require.NoError(s, err)
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	require.NoError(s, err)
	result := response{status: got.StatusCode, header: got.Header, body: string(body)}
	_ = json.Unmarshal(body, &result.reply)
	return result
}

func (s *shop) post(path string, values map[string]string) response {
	s.Helper()
	return s.do(s.signed(http.MethodPost, path, values))
}

func (s *shop) openid() string {
	s.Helper()
	got := s.do(s.signed(http.MethodGet, "/tool/v1/get_weixin_openid", map[string]string{"code": s.gateway.Code()}))
	require.Equal(s, "0000", got.respcd(), got.body)
	return got.reply["openid"].(string)
}

// order is a payment that the gateway accepts.
func (s *shop) order(number string) map[string]string {
	s.Helper()
	return map[string]string{
		"txamt": "12800", "txcurrcd": "HKD", "pay_type": "800207", "out_trade_no": number,
		"txdtm": noonText, "sub_openid": s.openid(),
	}
}

// opened makes a payment and returns its reply.
func (s *shop) opened(number string, more ...map[string]string) map[string]any {
	s.Helper()
	order := s.order(number)
	for _, m := range more {
		maps.Copy(order, m)
	}
	got := s.post("/trade/v1/payment", order)
	require.Equal(s, "0000", got.respcd(), got.body)
	return got.reply
}

// paid makes a payment, has it paid, and returns its syssn.
func (s *shop) paid(number string) string {
	s.Helper()
	syssn := s.opened(number)["syssn"].(string)
	require.NoError(s, s.gateway.Pay(number))
	return syssn
}

func (s *shop) row(number string) map[string]any {
	s.Helper()
	got := s.post("/trade/v1/query", map[string]string{"out_trade_no": number})
	require.Len(s, got.rows(), 1, got.body)
	return got.rows()[0]
}

func (s *shop) browse(address string) response {
	s.Helper()
	return s.as(wechat, address)
}

func (s *shop) as(userAgent, address string) response {
	s.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+address, nil)
	require.NoError(s, err)
	r.Header.Set("User-Agent", userAgent)
	return s.do(r)
}

func with(values map[string]string, name, value string) map[string]string {
	changed := maps.Clone(values)
	changed[name] = value
	return changed
}

func without(values map[string]string, name string) map[string]string {
	changed := maps.Clone(values)
	delete(changed, name)
	return changed
}

func TestTheKeyIsNeverPrinted(t *testing.T) {
	cfg := qfpaytest.Config{AppCode: appCode, ClientKey: key, WeChatAppID: ownAppID, WeChatAppSecret: ownSecret}
	gateway, err := qfpaytest.New(cfg)
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		for _, value := range []any{cfg, &cfg, gateway, gateway.String()} {
			shown := fmt.Sprintf(verb, value)
			assert.NotContains(t, shown, key)
			assert.NotContains(t, shown, ownSecret)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	cases := map[string]func(*qfpaytest.Config){
		"AppCode":              func(c *qfpaytest.Config) { c.AppCode = "" },
		"ClientKey":            func(c *qfpaytest.Config) { c.ClientKey = "" },
		"MchID":                func(c *qfpaytest.Config) { c.MchID = strings.Repeat("M", 17) },
		"TimeScale":            func(c *qfpaytest.Config) { c.TimeScale = -1 },
		"MaxTrades":            func(c *qfpaytest.Config) { c.MaxTrades = -1 },
		"WeChatAppSecret":      func(c *qfpaytest.Config) { c.WeChatAppID = ownAppID },
		"WeChatAppID":          func(c *qfpaytest.Config) { c.WeChatAppSecret = ownSecret },
		"WeChatAppID is not":   func(c *qfpaytest.Config) { c.WeChatAppID, c.WeChatAppSecret = ownSecret+"-", ownAppID },
		"NotifyURL not":        func(c *qfpaytest.Config) { c.NotifyURL = "shop.example" },
		"NotifyURL neither":    func(c *qfpaytest.Config) { c.NotifyURL = "http://shop.example:8080/" },
		"NotifyURL longer tha": func(c *qfpaytest.Config) { c.NotifyURL = "http://shop.example/" + strings.Repeat("x", 256) },
	}
	for want, change := range cases {
		cfg := qfpaytest.Config{AppCode: appCode, ClientKey: key}
		change(&cfg)
		_, err := qfpaytest.New(cfg)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), key)
		assert.NotContains(t, err.Error(), ownSecret)
	}
}

func TestSameSeedAndRequestsGiveTheSameReplies(t *testing.T) {
	first, second := newShop(t), newShop(t)
	other := newShop(t, func(c *qfpaytest.Config) { c.Seed = 8 })
	assert.Equal(t, first.opened("N1"), second.opened("N1"))
	assert.NotEqual(t, first.opened("N2"), other.opened("N2"))
}

func sha256Of(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

package qfpaytest_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestSignaturesOfEveryDocumentedKindAreAccepted(t *testing.T) {
	cases := map[string]func(*http.Request, map[string]string){
		"MD5 unnamed": func(*http.Request, map[string]string) {},
		"MD5 named":   func(r *http.Request, _ map[string]string) { r.Header.Set("X-QF-SIGNTYPE", "MD5") },
		"MD5 lower case": func(r *http.Request, _ map[string]string) {
			r.Header.Set("X-QF-SIGN", strings.ToLower(r.Header.Get("X-QF-SIGN")))
		},
		"SHA-256": func(r *http.Request, values map[string]string) {
			r.Header.Set("X-QF-SIGNTYPE", "SHA256")
			r.Header.Set("X-QF-SIGN", sha256Of(unsigned(values)))
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			order := with(s.order("N1"), "goods_name", "茶🍵 & =%2F+")
			r := s.signed(http.MethodPost, "/trade/v1/payment", order)
			change(r, order)
			got := s.do(r)
			assert.Equal(t, "0000", got.respcd(), got.body)
		})
	}
}

func TestWronglySignedOrFormedRequestsAreRefused(t *testing.T) {
	body := func(r *http.Request, text string) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
	cases := map[string]struct {
		change func(r *http.Request, order map[string]string)
		want   string
	}{
		"no signature":      {func(r *http.Request, _ map[string]string) { r.Header.Del("X-QF-SIGN") }, "1108"},
		"wrong signature":   {func(r *http.Request, _ map[string]string) { r.Header.Set("X-QF-SIGN", strings.Repeat("0", 32)) }, "1108"},
		"two signatures":    {func(r *http.Request, _ map[string]string) { r.Header.Add("X-QF-SIGN", "0") }, "1103"},
		"no app_code":       {func(r *http.Request, _ map[string]string) { r.Header.Del("X-QF-APPCODE") }, "1108"},
		"another app_code":  {func(r *http.Request, _ map[string]string) { r.Header.Set("X-QF-APPCODE", "OTHER") }, "1108"},
		"unknown sign type": {func(r *http.Request, _ map[string]string) { r.Header.Set("X-QF-SIGNTYPE", "SHA1") }, "1103"},
		"MD5 called SHA256": {func(r *http.Request, _ map[string]string) { r.Header.Set("X-QF-SIGNTYPE", "SHA256") }, "1108"},
		"encoded values signed": {func(r *http.Request, order map[string]string) {
			r.Header.Set("X-QF-SIGN", md5Of(strings.ReplaceAll(unsigned(order), " ", "+")))
		}, "1108"},
		"parameters in the query": {func(r *http.Request, order map[string]string) {
			r.URL.RawQuery = encode(order)
			body(r, "")
		}, "1103"},
		"JSON":               {func(r *http.Request, _ map[string]string) { r.Header.Set("Content-Type", "application/json") }, "1103"},
		"no content type":    {func(r *http.Request, _ map[string]string) { r.Header.Del("Content-Type") }, "1103"},
		"repeated":           {func(r *http.Request, order map[string]string) { body(r, encode(order)+"&txamt=12800") }, "1103"},
		"empty":              {func(r *http.Request, order map[string]string) { body(r, encode(order)+"&udid=") }, "1103"},
		"nameless":           {func(r *http.Request, order map[string]string) { body(r, encode(order)+"&=1") }, "1103"},
		"trailing &":         {func(r *http.Request, order map[string]string) { body(r, encode(order)+"&") }, "1103"},
		"broken encoding":    {func(r *http.Request, order map[string]string) { body(r, encode(order)+"&udid=%zz") }, "1103"},
		"not UTF-8":          {func(r *http.Request, order map[string]string) { body(r, encode(order)+"&udid=%ff") }, "1103"},
		"body over 64 KiB":   {func(r *http.Request, _ map[string]string) { body(r, strings.Repeat("x", 65<<10)) }, "1103"},
		"changed on the way": {func(r *http.Request, order map[string]string) { body(r, encode(with(order, "txamt", "1"))) }, "1108"},
	}
	overlooked := []string{"parameters in the query", "no content type", "empty"} // but by the strict
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, strict := range []bool{true, false} {
				s := newShop(t, func(c *qfpaytest.Config) { c.Strict = strict })
				order := with(s.order("N1"), "goods_name", "two words")
				r := s.signed(http.MethodPost, "/trade/v1/payment", order)
				c.change(r, order)
				got := s.do(r)
				assert.Equal(t, http.StatusOK, got.status)
				assert.NotContains(t, got.body, key)
				if !strict && slices.Contains(overlooked, name) {
					assert.Equal(t, "0000", got.respcd(), got.body)
					continue
				}
				assert.Equal(t, c.want, got.respcd(), got.body)
				assert.Empty(t, s.gateway.Trades())
			}
		})
	}
}

func TestWrongMethodsAreRefused(t *testing.T) {
	cases := map[string]struct{ method, allow string }{
		"/tool/v1/get_weixin_oauth_code": {http.MethodPost, "GET"},
		"/tool/v1/get_weixin_openid":     {http.MethodPost, "GET"},
		"/trade/v1/payment":              {http.MethodGet, "POST"},
		"/trade/v1/query":                {http.MethodGet, "POST"},
		"/trade/v1/refund":               {http.MethodGet, "POST"},
		"/trade/v1/close":                {http.MethodPut, "GET, POST"},
		"/q/direct":                      {http.MethodHead, "GET"},
	}
	for path, c := range cases {
		s := newShop(t)
		got := s.do(s.signed(c.method, path, map[string]string{"a": "1"}))
		assert.Equal(t, http.StatusMethodNotAllowed, got.status, path)
		assert.Equal(t, c.allow, got.header.Get("Allow"), path)
	}
}

func TestTheMerchantIsNamedExactlyIfAnIDWasIssued(t *testing.T) {
	issued := func(c *qfpaytest.Config) { c.MchID = "M1" }
	cases := map[string]struct {
		config func(*qfpaytest.Config)
		mchid  string
		want   string
	}{
		"issued and sent":   {issued, "M1", "0000"},
		"issued, not sent":  {issued, "", "1103"},
		"issued, another":   {issued, "M2", "1108"},
		"none issued, sent": {func(*qfpaytest.Config) {}, "M1", "1108"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, c.config)
			values := map[string]string{"out_trade_no": "N1"}
			if c.mchid != "" {
				values["mchid"] = c.mchid
			}
			got := s.post("/trade/v1/query", values)
			assert.Equal(t, c.want, got.respcd(), got.body)
			if c.want == "1108" {
				assert.Contains(t, got.reply["respmsg"], "MCHCODE", "or it could be the signature")
			}
		})
	}
}

func TestRequestsOverTheLimitAreTurnedAway(t *testing.T) {
	s := newShop(t, func(c *qfpaytest.Config) { c.NoRateLimit = false })
	ask := func() response { return s.post("/trade/v1/query", map[string]string{"out_trade_no": "N1"}) }
	for second := range 4 {
		for range 100 {
			assert.Equal(t, http.StatusOK, ask().status)
		}
		got := ask()
		assert.Equal(t, http.StatusTooManyRequests, got.status)
		if second < 3 {
			assert.Equal(t, "1", got.header.Get("Retry-After"), "100 a second")
		} else {
			assert.Equal(t, "57", got.header.Get("Retry-After"), "400 a minute")
			break
		}
		s.now = s.now.Add(1e9)
	}
	assert.Equal(t, 404, s.gateway.Calls("query"))
}

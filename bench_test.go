package qfpayjsapi

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/stretchr/testify/require"
)

func bodyOf(t testing.TB, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

func netipAddress(i int) string {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()
}

// BenchmarkPassThrough compares a request that is not ours with calling the
// next handler directly.
func BenchmarkPassThrough(b *testing.B) {
	c := openCounter(b, nil)
	r := asCaddyWould(httptest.NewRequest(http.MethodGet, "/index.html", nil))
	next := caddyhttp.HandlerFunc(func(http.ResponseWriter, *http.Request) error { return nil })
	w := httptest.NewRecorder()
	b.Run("next", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = next.ServeHTTP(w, r)
		}
	})
	b.Run("directive", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = c.ServeHTTP(w, r, next)
		}
	})
}

// BenchmarkStart is a pay link opened in WeChat, up to the redirect.
func BenchmarkStart(b *testing.B) {
	c := openCounter(b, nil)
	r := asCaddyWould(httptest.NewRequest(http.MethodGet, "/pay/cat-food", nil))
	r.Header.Set("User-Agent", "MicroMessenger/8.0")
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		if err := c.ServeHTTP(w, r, nobody); err != nil || w.Code != http.StatusFound {
			b.Fatal(err, w.Code)
		}
	}
}

// BenchmarkCallback is a callback from the request to the redirect: openid and
// payment at a simulator without latency over loopback HTTP, and the ledger on
// a local disk.
func BenchmarkCallback(b *testing.B) {
	c := openCounter(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		clear(c.jar)
		start := c.visit(b, "/pay/cat-food")
		oauth, err := url.Parse(start.Header.Get("Location"))
		require.NoError(b, err)
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("%s?code=%s", oauth.Query().Get("redirect_uri"), c.simulator.Code()), nil)
		for name, value := range c.jar {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		r = asCaddyWould(r)
		w := httptest.NewRecorder()
		b.StartTimer()
		if err := c.ServeHTTP(w, r, nobody); err != nil || w.Code != http.StatusFound {
			b.Fatal(err, w.Code)
		}
	}
}

func FuzzCallback(f *testing.F) {
	c := openCounter(f, nil)
	callback := c.authorize(f, "/pay/cat-food")
	var cookie string
	for name, value := range c.jar {
		cookie = name + "=" + value
	}
	f.Add(callback, cookie)
	f.Add("/pay/callback/01M821FMT07W1N4ZJ6X0Q3V5YB?code=x", "qfpay_01M821FMT07W1N4ZJ6X0Q3V5YB=AAAA")
	f.Add("/pay/callback/?code=", "")
	f.Add("/pay/callback/%2e%2e/%2e%2e?code=%00", "qfpay_=")
	f.Add("/pay/return/01M821FMT07W1N4ZJ6X0Q3V5YB?check=-1", "a=b")
	f.Fuzz(func(t *testing.T, address, cookie string) {
		u, err := url.ParseRequestURI(address)
		if err != nil {
			return
		}
		r := &http.Request{Method: http.MethodGet, URL: u, Host: "shop.example", Header: http.Header{"Cookie": {cookie}, "User-Agent": {"MicroMessenger"}}}
		w := httptest.NewRecorder()
		if err := c.ServeHTTP(w, asCaddyWould(r), nobody); err != nil {
			t.Fatal(err)
		}
		if w.Code == http.StatusInternalServerError {
			t.Fatalf("%s with %s: %d", address, cookie, w.Code)
		}
	})
}

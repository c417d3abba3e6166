package qfpayjsapi

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// BenchmarkPassThrough compares a request that is not ours with calling the
// next handler directly.
func BenchmarkPassThrough(b *testing.B) {
	c := openTestShop(b, nil)
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
	c := openTestShop(b, nil)
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
// payment at a simulator without latency, and the ledger on
// a local disk.
func BenchmarkCallback(b *testing.B) {
	c := openTestShop(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		clear(c.jar)
		r := c.request(c.authorize(b, "/pay/cat-food"))
		w := httptest.NewRecorder()
		b.StartTimer()
		if err := c.ServeHTTP(w, r, nobody); err != nil || w.Code != http.StatusFound {
			b.Fatal(err, w.Code)
		}
	}
}

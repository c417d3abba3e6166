package qfpayjsapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Two blocks of one account, with one key: only their names, and their prices,
// differ. They may even have the same path, at two sites that a proxy makes one.
func TestACookieOfACheapOrderBuysNothingAtAnotherShopOfTheAccount(t *testing.T) {
	for name, path := range map[string]string{"with the same path": "/pay", "with another path": "/dear"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ledger.db")
			newLedger(t, file)
			opened := openLedger(t, file)
			cheap := openTestShopOn(t, opened, "", map[string]any{"name": "cheap"})
			h, err := provision(t, map[string]any{
				"name": "dear", "path": path, "environment": cheap.Environment, "pay_page": cheap.PayPage,
				"items": []any{map[string]any{"id": "cat-food", "price": "9999.00"}},
			})
			require.NoError(t, err)
			dear := assemble(t, h, surroundings{ledger: opened, gateway: direct{cheap.simulator}, now: cheap.clock.now, sleep: cheap.clock.sleep})

			callback := cheap.authorize(t, "/pay/cat-food")
			there := path + strings.TrimPrefix(callback, "/pay")
			assert.Equal(t, http.StatusForbidden, cheap.visitAt(t, dear.Handler, there).StatusCode)
			assert.Zero(t, cheap.simulator.Calls("openid")+cheap.simulator.Calls("payment"))

			w := httptest.NewRecorder()
			r := cheap.request("/pay/cat-food")
			r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)")
			require.NoError(t, cheap.ServeHTTP(w, r, nobody))
			handoff := strings.SplitN(strings.SplitN(w.Body.String(), "handoff=", 2)[1], `"`, 2)[0]
			assert.Equal(t, http.StatusForbidden, cheap.visitAt(t, dear.Handler, path+"?handoff="+url.QueryEscape(handoff)).StatusCode)

			require.Equal(t, http.StatusFound, cheap.visit(t, callback).StatusCode)
			order := orderIn(callback)
			assert.Equal(t, http.StatusForbidden, cheap.visitAt(t, dear.Handler, there).StatusCode, "not when it is prepared either")
			assert.Equal(t, http.StatusNotFound, cheap.visitAt(t, dear.Handler, path+"/status/"+order).StatusCode)
			assert.Equal(t, http.StatusNotFound, cheap.visitAt(t, dear.Handler, path+"/return/"+order).StatusCode)
			require.NoError(t, cheap.simulator.Pay(order))
			r = cheap.notification(order) // at the account's other address, of a Caddy that has no block of the order's shop
			r.URL.Path = path + "/notify"
			w = httptest.NewRecorder()
			require.NoError(t, dear.ServeHTTP(w, asCaddyWould(r), nobody))
			assert.Equal(t, http.StatusServiceUnavailable, w.Code)
			require.Equal(t, http.StatusOK, cheap.receive(t, cheap.notification(order)))
			assert.Equal(t, ledger.StatusPaid, cheap.status(t, order))
			_, err = dear.orders.Find(t.Context(), order)
			assert.ErrorIs(t, err, ledger.ErrUnknown, "one payment is one shop's")
		})
	}
}

// slow is a line on which every call takes its time.
type slow struct{ http.RoundTripper }

const slowness = 100 * time.Millisecond

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(slowness)
	return s.RoundTripper.RoundTrip(r)
}

func TestTwelvePayersOfAnInvoiceAreAsFastAsThoseOfAnItem(t *testing.T) {
	for name, link := range map[string]func(*testing.T, *testShop) string{
		"an item":                  func(*testing.T, *testShop) string { return "/pay/cat-food" },
		"an invoice without limit": func(t *testing.T, c *testShop) string { return "/pay?invoice=" + c.invoice(t, 0) },
		"an invoice for twelve":    func(t *testing.T, c *testShop) string { return "/pay?invoice=" + c.invoice(t, 12) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, stop := testShopInFakeTime(t, map[string]any{"invoice_key": "a key that is long enough for invoices"},
					func(line http.RoundTripper) http.RoundTripper { return slow{line} })
				defer stop()
				address := link(t, c)
				requests := make([]*http.Request, 12)
				for i := range requests {
					clear(c.jar)
					requests[i] = c.request(c.authorize(t, address))
				}
				began := time.Now()
				var all sync.WaitGroup
				for _, r := range requests {
					all.Go(func() {
						w := httptest.NewRecorder()
						assert.NoError(t, c.ServeHTTP(w, r, nobody))
						assert.Contains(t, w.Header().Get("Location"), "/q/direct?", fmt.Sprint(w.Code))
					})
				}
				all.Wait()
				assert.Equal(t, 2*slowness, time.Since(began), "two calls to the gateway, and nobody waits for anybody")
			})
		})
	}
}

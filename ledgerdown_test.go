package qfpayjsapi

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

// A whole payment, from the callback to the webhook, in which one operation of the
// ledger fails, one after the other: before it has begun, or when it has been
// committed and nobody hears of it.
func TestEveryOperationOfTheLedgerMayFail(t *testing.T) {
	failures := map[string]struct {
		err  error
		late bool
	}{
		"refused":                     {errors.New("the database refused"), false},
		"disk is full":                {fmt.Errorf("write: %w", syscall.ENOSPC), false},
		"broken after it was written": {ledger.ErrOutcomeUnknown, true},
	}
	for name, failure := range failures {
		for _, way := range []string{"notification", "return", "app"} {
			t.Run(name+", paid by "+way, func(t *testing.T) {
				reached := 0
				for at := 1; payWithFailureAt(t, way, at, failure.err, failure.late); at++ {
					reached = at
				}
				assert.Greater(t, reached, 8, "so many operations make a payment")
				t.Logf("%d operations failed, one after the other", reached)
			})
		}
	}
}

// payWithFailureAt makes a payment in which one operation fails, and reports
// whether there was such an operation.
func payWithFailureAt(t *testing.T, way string, at int, failure error, late bool) (happened bool) {
	t.Helper()
	program := startShopProgram(t)
	c := openTestShop(t, withWebhook(program))
	callback := c.authorize(t, "/pay/cat-food")
	var count atomic.Int32
	var hit atomic.Bool
	defer func() { happened = hit.Load() }()
	c.store.with(func(_ context.Context, _ string, do func() error) error {
		if count.Add(1) != int32(at) {
			return do()
		}
		hit.Store(true)
		if !late {
			return failure
		}
		return cmp.Or(do(), failure)
	})
	order := c.insist(t, callback)
	require.NoError(t, c.simulator.Pay(order))
	switch way {
	case "notification":
		for c.receive(t, c.notification(order)) != http.StatusOK {
		}
	case "return":
		for c.visit(t, "/pay/return/"+order).StatusCode == http.StatusServiceUnavailable {
		}
	}
	c.work(t, 2*time.Hour)
	c.store.with(nil)
	require.Len(t, c.simulator.Trades(), 1, "operation %d", at)
	require.Equal(t, ledger.StatusPaid, c.status(t, order), "operation %d", at)
	require.Contains(t, program.types(), "order.paid", "operation %d", at)
	for i, id := range program.ids {
		if program.received[i]["type"] == "order.paid" {
			require.Equal(t, "msg_"+order+"_paid", id, "operation %d", at)
		}
	}
	require.True(t, c.isSettled(t), "operation %d", at)
	return happened
}

// insist repeats a callback that the ledger kept from succeeding. A code that was
// used up meanwhile leads through the OAuth again. Where nobody knows what became
// of an order, and it never got to the gateway, the payer starts again.
func (c *testShop) insist(t *testing.T, callback string) (order string) {
	t.Helper()
	for range 10 {
		reply := c.visit(t, callback)
		location := reply.Header.Get("Location")
		_, taken := c.simulator.Trade(orderIn(callback))
		switch {
		case reply.StatusCode == http.StatusServiceUnavailable:
		case strings.Contains(location, "get_weixin_oauth_code"):
			callback = c.back(t, location)
		case reply.StatusCode == http.StatusOK && !taken:
			callback = c.authorize(t, "/pay/cat-food?again="+orderIn(callback))
		default:
			return orderIn(callback)
		}
	}
	require.Fail(t, "the payer got nowhere")
	return ""
}

// endpoint is an address at which a payer or the gateway waits for an answer.
type endpoint struct {
	name    string
	changes map[string]any
	method  string
	address func(t *testing.T, c *testShop) string
	agent   string // of the browser; default: WeChat's
	notify  bool
	alone   bool // it needs no ledger
}

// endpoints are all that there are, those of shops with other settings included.
func endpoints() []endpoint {
	const desktop = "Mozilla/5.0 (X11; Linux x86_64)"
	account := map[string]any{"official_account": map[string]any{
		"app_id": "wx0123456789abcdef", "app_secret": "sentinel", "authorize_url": gatewayAddress + "/authorize", "token_url": gatewayAddress + "/token",
	}}
	invoices := map[string]any{"invoice_key": "a key that is long enough for invoices"}
	at := func(path string) func(*testing.T, *testShop) string {
		return func(*testing.T, *testShop) string { return path }
	}
	prepared := func(path string) func(*testing.T, *testShop) string {
		return func(t *testing.T, c *testShop) string { return path + c.prepare(t, "/pay/cat-food") }
	}
	claimed := func(path string) func(*testing.T, *testShop) string {
		return func(t *testing.T, c *testShop) string { return path + orderIn(c.dieAtCallback(t, false)) }
	}
	handoff := func(t *testing.T, c *testShop) string {
		text, err := c.seal.CloseHandoff("http://example.com", checkout.Handoff{
			Order: ledger.NewID(c.now()), Link: "/cat-food", Amount: 12800,
		})
		require.NoError(t, err)
		return "/pay?handoff=" + url.QueryEscape(text)
	}
	return []endpoint{
		{name: "start", alone: true, address: at("/pay/cat-food")},
		{name: "start, a second tap", address: func(t *testing.T, c *testShop) string {
			c.prepare(t, "/pay/cat-food")
			return "/pay/cat-food"
		}},
		{name: "start, of an invoice", changes: invoices, address: func(t *testing.T, c *testShop) string { return "/pay?invoice=" + c.invoice(t, 1) }},
		{name: "hand-off, on the desktop", agent: desktop, address: handoff},
		{name: "hand-off, on the phone", address: handoff},
		{name: "callback", address: func(t *testing.T, c *testShop) string { return c.authorize(t, "/pay/cat-food") }},
		{name: "callback, of a prepared order", address: func(t *testing.T, c *testShop) string {
			callback := c.authorize(t, "/pay/cat-food")
			c.visit(t, callback)
			return callback
		}},
		{name: "callback, of an order under way", address: func(t *testing.T, c *testShop) string { return c.dieAtCallback(t, false) }},
		{name: "pay sheet", changes: account, address: func(t *testing.T, c *testShop) string {
			order := orderIn(c.dieAtCallback(t, false))
			_, err := c.orders.Prepare(t.Context(), order, orders.Prepared{PayURL: "/pay/callback/" + order, PayParams: []byte(`{}`)})
			require.NoError(t, err)
			return "/pay/callback/" + order
		}},
		{name: "pay sheet, of an order under way", changes: account, address: claimed("/pay/callback/")},
		{name: "confirm", changes: map[string]any{"hosted": true}, address: func(t *testing.T, c *testShop) string { return "/pay/callback/" + c.hosted(t) }},
		{name: "confirm, the button", changes: map[string]any{"hosted": true}, method: http.MethodPost,
			address: func(t *testing.T, c *testShop) string { return "/pay/callback/" + c.hosted(t) }},
		{name: "return", address: prepared("/pay/return/")},
		{name: "return, of an order under way", address: claimed("/pay/return/")},
		{name: "status", address: prepared("/pay/status/")},
		{name: "status, of an order under way", address: claimed("/pay/status/")},
		{name: "notification", notify: true, address: prepared("")},
	}
}

// invoice signs an invoice of HKD 128.00 that may be paid so often.
func (c *testShop) invoice(t *testing.T, uses int) string {
	t.Helper()
	token, err := c.shop.Invoices.Sign(shop.Invoice{ID: "1001", Amount: 12800, Currency: "HKD", Text: "Cat food", Uses: &uses})
	require.NoError(t, err)
	return token
}

// hosted starts an order for whose payer nobody vouches.
func (c *testShop) hosted(t *testing.T) (order string) {
	t.Helper()
	require.Equal(t, http.StatusOK, c.visit(t, "/pay/cat-food").StatusCode)
	for name := range c.jar {
		order = name[strings.LastIndex(name, "_")+1:]
	}
	return order
}

// ask sends a request to the endpoint.
func (s endpoint) ask(c *testShop, address string) (*http.Response, error) {
	if s.notify {
		w := httptest.NewRecorder()
		err := c.ServeHTTP(w, asCaddyWould(c.notification(address)), nobody)
		return w.Result(), err
	}
	r := c.request(address)
	if s.method != "" {
		r.Method = s.method
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if s.agent != "" {
		r.Header.Set("User-Agent", s.agent)
	}
	w := httptest.NewRecorder()
	err := c.ServeHTTP(w, r, nobody)
	return w.Result(), err
}

// At every endpoint the ledger hangs, from the first operation on, from the second,
// and so on, until there is none that it could hang at.
func TestALedgerThatHangsIsNotWaitedForWithoutEnd(t *testing.T) {
	const longest = time.Minute
	for _, s := range endpoints() {
		t.Run(s.name, func(t *testing.T) {
			hung := 0
			for from, hangs := int32(1), true; hangs && from < 100; from += 1 + from/4 {
				var stuck atomic.Bool
				synctest.Test(t, func(t *testing.T) {
					c, stop := testShopInFakeTime(t, s.changes, quick)
					defer stop()
					address := s.address(t, c)
					var operations atomic.Int32
					c.store.with(func(ctx context.Context, _ string, do func() error) error {
						if operations.Add(1) < from {
							return do()
						}
						stuck.Store(true)
						<-ctx.Done()
						return ctx.Err()
					})
					began := time.Now()
					answered := make(chan struct{})
					go func() {
						defer close(answered)
						response, err := s.ask(c, address)
						assert.NoError(t, err)
						assert.Contains(t, []int{http.StatusOK, http.StatusFound, http.StatusSeeOther, http.StatusServiceUnavailable}, response.StatusCode)
					}()
					select {
					case <-answered:
						assert.Less(t, time.Since(began), longest)
					case <-time.After(time.Hour):
						assert.Fail(t, "the answer never came")
					}
					c.store.with(nil)
				})
				if t.Failed() {
					return
				}
				if hangs = stuck.Load(); hangs {
					hung++
				}
			}
			assert.True(t, s.alone || hung > 0, "the ledger did not hang")
			t.Logf("the ledger hung %d times", hung)
		})
	}
}

func TestANotificationThatTheLedgerCannotStoreIsNeitherAcknowledgedNorAnOrphan(t *testing.T) {
	orphans := func(t *testing.T, c *testShop) []ledger.Orphan {
		orphans, err := ledger.View(t.Context(), c.store.Ledger, func(tx *ledger.Tx) ([]ledger.Orphan, error) { return tx.Orphans([]string{c.Name}, 10) })
		require.NoError(t, err)
		return orphans
	}
	for name, failure := range map[string]error{
		"it refuses":            errors.New("the database refused"),
		"its disk is full":      fmt.Errorf("write: %w", syscall.ENOSPC),
		"it is closed":          ledger.ErrClosed,
		"nobody knows":          ledger.ErrOutcomeUnknown,
		"it is much too slow":   context.DeadlineExceeded,
		"it forgot a statement": sql.ErrNoRows,
	} {
		t.Run(name, func(t *testing.T) {
			c := openTestShop(t, nil)
			order := c.prepare(t, "/pay/cat-food")
			c.store.with(func(context.Context, string, func() error) error { return failure })
			assert.Equal(t, http.StatusServiceUnavailable, c.receive(t, c.notification(order)))
			c.store.with(nil)
			assert.Empty(t, orphans(t, c))
			assert.Equal(t, ledger.StatusPending, c.status(t, order))
			assert.Equal(t, http.StatusOK, c.receive(t, c.notification(order)))
			assert.Equal(t, ledger.StatusPaid, c.status(t, order))
		})
	}
}

// What cannot be read is not absent.
func TestAnOrderThatCannotBeReadIsNotAnUnknownOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	newLedger(t, file)
	c := openTestShopOn(t, openLedger(t, file), "", nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.visit(t, callback)
	order := orderIn(callback)
	spoil := func(lines string) {
		db, err := sql.Open("sqlite", file)
		require.NoError(t, err)
		defer db.Close()
		_, err = db.Exec(`UPDATE orders SET lines = ? WHERE id = ?`, lines, order)
		require.NoError(t, err)
	}
	kept := `[{"item":"cat-food","name":"cat-food","quantity":1,"price":12800}]`
	spoil(`[{"item":`)
	for _, address := range []string{callback, "/pay/cat-food", "/pay/return/" + order, "/pay/status/" + order} {
		assert.Equal(t, http.StatusServiceUnavailable, c.visit(t, address).StatusCode, address)
	}
	assert.Equal(t, http.StatusServiceUnavailable, c.receive(t, c.notification(order)))
	_, err := c.orders.Refund(t.Context(), order, "r1", 800)
	assert.Error(t, err)
	assert.Len(t, c.simulator.Trades(), 1, "no second order is payable")
	spoil(kept)
	require.NoError(t, c.simulator.Pay(order))
	assert.Equal(t, http.StatusOK, c.receive(t, c.notification(order)))
	assert.Equal(t, ledger.StatusPaid, c.status(t, order))
	assert.Equal(t, []string{orders.EventPaid}, slices.Clip(c.heard.names()))
}

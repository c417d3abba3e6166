package orders_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// noon is when the tests begin.
var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// account is a merchant with a gateway of its own, a ledger and shops. Time passes
// only when a test moves the clock.
type account struct {
	t       *testing.T
	gateway *qfpaytest.Simulator
	ledger  ledger.Ledger
	shops   *orders.Shops
	log     *observer.ObservedLogs
	logger  *zap.Logger

	mu      sync.Mutex
	now     time.Time
	changes []orders.Change
	open    map[string]int
	strange []string // shops whose orders the reconciler does not know
}

func openAccount(t *testing.T) *account {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	a := &account{t: t, now: noon, shops: orders.NewShops(), log: logs, logger: zap.New(core)}
	var err error
	a.gateway, err = qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, AnyPort: true, NotifyOff: true, Now: a.clock,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.gateway.Close()) })
	opened, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), a.logger)
	require.NoError(t, err)
	a.ledger = opened
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	return a
}

// openShop returns the order service of a shop with one webhook.
func (a *account) openShop(name string) *orders.Service {
	a.t.Helper()
	client, err := qfpay.NewClient(qfpay.Config{
		Gateway: "http://localhost", AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Transport: line{a.gateway},
	})
	require.NoError(a.t, err)
	return orders.New(orders.Config{
		Shop: name, Account: "TESTAPPCODE@localhost", Ledger: a.ledger, Client: client, Timeout: 2 * time.Second,
		Endpoints: []string{"hook-of-" + name}, Shops: a.shops, Observer: a, Log: a.logger, Now: a.clock,
		Sleep: func(_ context.Context, wait time.Duration) bool { a.pass(wait); return true },
	})
}

// line carries calls to a gateway that is in this process.
type line struct{ gateway http.Handler }

// RoundTrip breaks where the gateway hangs up, like a real line.
func (l line) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if recover() != nil {
			response, err = nil, io.ErrUnexpectedEOF
		}
	}()
	w := httptest.NewRecorder()
	incoming := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	incoming.Header = r.Header
	l.gateway.ServeHTTP(w, incoming)
	return w.Result(), nil
}

func (a *account) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

func (a *account) pass(time time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(time)
}

// Called implements orders.Observer.
func (a *account) Called(string, string, time.Duration, error) {}

// Changed implements orders.Observer.
func (a *account) Changed(change orders.Change) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes = append(a.changes, change)
}

// Open implements orders.Observer.
func (a *account) Open(open map[string]int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open = open
}

// heard are the events that others were told of, such as "order.paid peaks".
func (a *account) heard() (events []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, change := range a.changes {
		if change.Event != "" {
			events = append(events, change.Event+" "+change.Shop)
		}
	}
	return events
}

// intent is what the payers of the tests want to buy.
func (a *account) intent() ledger.Intent {
	return ledger.Intent{
		At: a.clock(), Amount: 12800, Currency: "HKD", Description: "Cat food",
		Lines:  []ledger.Line{{Item: "cat-food", Name: "Cat food", Quantity: 1, Price: 12800}},
		Fields: ledger.Fields{"address": {"1 Peak Road"}},
	}
}

// newID returns the id of an order that is started now.
func (a *account) newID() string {
	return ulid.MustNew(ulid.Timestamp(a.clock()), ulid.DefaultEntropy()).String()
}

// claim begins an order, of which the gateway has not heard.
func (a *account) claim(s *orders.Service) ledger.Order {
	a.t.Helper()
	o, claimed, err := s.Claim(a.t.Context(), ledger.Order{ID: a.newID(), Intent: a.intent(), Expires: a.clock().Add(15 * time.Minute)})
	require.NoError(a.t, err)
	require.True(a.t, claimed)
	return o
}

// ask asks the gateway for the payment of an order.
func (a *account) ask(s *orders.Service, o ledger.Order) (*qfpay.Prepared, error) {
	openID, err := s.OpenID(a.t.Context(), a.gateway.Code())
	require.NoError(a.t, err)
	return s.Pay(a.t.Context(), qfpay.Payment{
		OutTradeNo: o.ID, Amount: o.Intent.Amount, Currency: o.Intent.Currency, OpenID: openID, Time: a.clock(),
	})
}

// prepare begins an order that a payer can pay.
func (a *account) prepare(s *orders.Service) ledger.Order {
	a.t.Helper()
	o := a.claim(s)
	answer, err := a.ask(s, o)
	require.NoError(a.t, err)
	prepared, err := s.Prepare(a.t.Context(), o.ID, orders.Prepared{Syssn: answer.Syssn, PayURL: "https://pay.example/" + o.ID})
	require.NoError(a.t, err)
	return *prepared
}

// pay begins an order and pays it, as an enquiry finds out.
func (a *account) pay(s *orders.Service) ledger.Order {
	a.t.Helper()
	o := a.prepare(s)
	require.NoError(a.t, a.gateway.Pay(o.ID))
	a.pass(5 * time.Second)
	o, err := s.LookUp(a.t.Context(), o.ID)
	require.NoError(a.t, err)
	require.Equal(a.t, ledger.StatusPaid, o.Status)
	return o
}

func (a *account) find(s *orders.Service, id string) ledger.Order {
	a.t.Helper()
	o, err := s.Find(a.t.Context(), id)
	require.NoError(a.t, err)
	return o
}

func (a *account) refunds(id string) ledger.Refunds {
	a.t.Helper()
	refunds, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) (ledger.Refunds, error) { return tx.Refunds(id) })
	require.NoError(a.t, err)
	return refunds
}

// outbox are the deliveries about an order, such as "order.paid hook-of-peaks".
func (a *account) outbox(subject string) (deliveries []string) {
	a.t.Helper()
	all, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Delivery, error) { return tx.Deliveries(subject) })
	require.NoError(a.t, err)
	for _, d := range all {
		deliveries = append(deliveries, d.Kind+" "+d.Endpoint)
	}
	return deliveries
}

// told is the data of the event of this kind that webhooks get about an order.
func (a *account) told(subject, kind string) (data map[string]any) {
	a.t.Helper()
	all, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Delivery, error) { return tx.Deliveries(subject) })
	require.NoError(a.t, err)
	for _, d := range all {
		if d.Kind == kind {
			require.NoError(a.t, json.Unmarshal(d.Body, &data))
			return data
		}
	}
	require.Fail(a.t, "no webhook is told of "+kind)
	return nil
}

// history are the kinds of what happened to an order.
func (a *account) history(subject string) string {
	a.t.Helper()
	events, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Event, error) { return tx.Events(subject) })
	require.NoError(a.t, err)
	var kinds []string
	for _, event := range events {
		kinds = append(kinds, event.Kind)
	}
	return strings.Join(kinds, " ")
}

// reconcile has a reconciler do what is due within a time.
func (a *account) reconcile(within time.Duration) {
	a.t.Helper()
	r := orders.NewReconciler(a.ledger, a.shops, a, a.logger, a.clock)
	for end := a.clock().Add(within); ; {
		due, err := r.Lease(a.t.Context(), 16)
		require.NoError(a.t, err)
		for _, d := range due {
			_ = a.shops.Named(d.Shop).Follow(a.t.Context(), d.Order)
		}
		if len(due) > 0 {
			continue
		}
		next, err := ledger.View(a.t.Context(), a.ledger, func(tx *ledger.Tx) (time.Time, error) { return tx.NextDue(a.clock(), a.strange) })
		require.NoError(a.t, err)
		if next.IsZero() || next.After(end) {
			a.pass(max(end.Sub(a.clock()), 0))
			return
		}
		a.pass(max(next.Sub(a.clock()), time.Millisecond))
	}
}

package qfpayjsapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/outbox"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// machine is a handler with an order service, a reconciler and an outbox of its
// own, without Caddy around it. Nothing of it runs by itself.
type machine struct {
	*Handler
	store      *faultyLedger // its way to the ledger
	services   *orders.Shops
	reconciler *orders.Reconciler
	outbox     *outbox.Outbox
	heard      *heard
}

// surroundings are what a machine stands in.
type surroundings struct {
	ledger  ledger.Ledger
	account string            // default: the handler's
	gateway http.RoundTripper // the line to it
	now     func() time.Time
	sleep   func(ctx context.Context, wait time.Duration) bool // default: by the clock
}

const gatewayAddress = "http://localhost"

// assemble puts a handler that was provisioned into its surroundings.
func assemble(t testing.TB, h *Handler, in surroundings) *machine {
	t.Helper()
	m := &machine{Handler: h, store: &faultyLedger{Ledger: in.ledger}, services: orders.NewShops(), heard: new(heard)}
	h.logger, h.now = zap.NewNop(), in.now
	h.shared = checkout.NewShared() // not that of another machine in this process
	var err error
	h.client, err = qfpay.NewClient(qfpay.Config{
		Gateway: gatewayAddress, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Transport: in.gateway, Timeout: time.Duration(h.Timeout),
	})
	require.NoError(t, err)
	endpoints, err := h.endpoints()
	require.NoError(t, err)
	var ids []string
	receivers := make(map[ledger.Destination]outbox.Receiver)
	for _, endpoint := range endpoints {
		ids = append(ids, endpoint.ID())
		receivers[ledger.Destination{Shop: h.Name, Endpoint: endpoint.ID()}] = outbox.Webhook(endpoint)
	}
	account := in.account
	if account == "" {
		account = h.account()
	}
	h.orders = orders.New(orders.Config{
		Shop: h.Name, Account: account, Ledger: m.store, Client: h.client, Timeout: time.Duration(h.Timeout),
		Endpoints: ids, Shops: m.services, Observer: m.heard, Log: h.logger, Now: in.now, Sleep: in.sleep,
	})
	require.NoError(t, h.openCheckout(caddy.Context{}))
	m.reconciler = orders.NewReconciler(m.store, m.services, m.heard, h.logger, in.now)
	m.outbox = outbox.New(outbox.Config{Ledger: m.store, Now: in.now, Sleep: in.sleep})
	m.outbox.SetEndpoints(receivers)
	return m
}

// workOnce does all that is due now: it follows open orders, and makes deliveries.
// What the gateway refuses is no error: it is followed again.
func (m *machine) workOnce(ctx context.Context) (troubles []error) {
	for {
		due, err := m.reconciler.Lease(ctx, 16)
		if err != nil {
			return append(troubles, err)
		}
		for _, d := range due {
			if err := m.services.Named(d.Shop).Follow(ctx, d.Order); err != nil {
				troubles = append(troubles, err)
			}
		}
		if len(due) == 0 {
			break
		}
	}
	if _, err := m.outbox.Deliver(ctx); err != nil {
		troubles = append(troubles, err)
	}
	return troubles
}

// nextDue is when something is to be done next, by anybody; zero if nothing is.
func nextDue(t require.TestingT, l ledger.Ledger, now time.Time) time.Time {
	next, err := ledger.View(context.Background(), l, func(tx *ledger.Tx) (time.Time, error) {
		next, err := tx.NextDue(now, nil)
		if err != nil {
			return next, err
		}
		due, delivery, err := tx.DueDestinations(now)
		if len(due) > 0 {
			delivery = now
		}
		if next.IsZero() || !delivery.IsZero() && delivery.Before(next) {
			next = delivery
		}
		return next, err
	})
	require.NoError(t, err)
	return next
}

// heard is what a machine told of what happened.
type heard struct {
	mu     sync.Mutex
	events []orders.Change
}

// Called implements orders.Observer.
func (*heard) Called(string, string, time.Duration, error) {}

// Open implements orders.Observer.
func (*heard) Open(map[string]int) {}

// Changed implements orders.Observer.
func (h *heard) Changed(change orders.Change) {
	if change.Event == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, change)
}

// names are the events, in their order.
func (h *heard) names() (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, change := range h.events {
		names = append(names, change.Event)
	}
	return names
}

// direct is a line to a gateway in this process. Like a real line, it breaks where
// the gateway hangs up or promises more than it sends.
type direct struct{ gateway http.Handler }

// RoundTrip carries a call.
func (d direct) RoundTrip(r *http.Request) (response *http.Response, err error) {
	defer func() {
		if hungUp := recover(); hungUp != nil {
			response, err = nil, io.ErrUnexpectedEOF
		}
	}()
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	w := httptest.NewRecorder()
	incoming := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(body))
	incoming.Header = r.Header
	d.gateway.ServeHTTP(w, incoming)
	response = w.Result()
	if response.ContentLength > int64(w.Body.Len()) {
		response.Body = io.NopCloser(io.MultiReader(w.Body, brokenOff{}))
	}
	return response, nil
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

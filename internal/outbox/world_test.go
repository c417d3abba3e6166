package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/outbox"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

const (
	shop   = "peaks"
	secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

	// soon is longer than anything takes that need not wait.
	soon = 30 * time.Second
)

// noon is when the tests' events happen.
var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// clock is a clock that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// counts is an observer.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) Attempted(_ ledger.Delivery, _, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[string]int)
	}
	c.of[outcome]++
}

func (c *counts) get(outcome string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[outcome]
}

// place is the far side of an endpoint.
type place struct {
	*httptest.Server
	mu   sync.Mutex
	seen []attempt
}

type attempt struct {
	id   string
	body string
}

// openPlace starts a receiver that answers with handler.
func openPlace(t *testing.T, handler http.HandlerFunc) *place {
	t.Helper()
	p := &place{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.seen = append(p.seen, attempt{r.Header.Get("Webhook-Id"), string(body)})
		p.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *place) attempts() []attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// ids are the messages that have arrived, each as often as it has.
func (p *place) ids() (ids []string) {
	for _, attempt := range p.attempts() {
		ids = append(ids, attempt.id)
	}
	slices.Sort(ids)
	return ids
}

func answers(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// hangs is a handler that answers nothing until the client gives up.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// world is a ledger with outboxes at work on it.
type world struct {
	t      *testing.T
	ledger ledger.Ledger
	clock  *clock
	counts *counts
	log    *zap.Logger
	logged *observer.ObservedLogs
}

func newWorld(t *testing.T) *world {
	t.Helper()
	l, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	core, logged := observer.New(zapcore.DebugLevel)
	return &world{t: t, ledger: l, clock: &clock{now: noon}, counts: &counts{}, log: zap.New(core), logged: logged}
}

// endpoints makes an endpoint for each place; they are called a, b …
func (w *world) endpoints(places ...*place) map[ledger.Destination]outbox.Receiver {
	all := make(map[ledger.Destination]outbox.Receiver)
	for i, p := range places {
		endpoint, err := webhook.New(p.URL+"/paid?token=opensesame", secret)
		require.NoError(w.t, err)
		all[to(i)] = outbox.Webhook(endpoint)
	}
	return all
}

func to(i int) ledger.Destination {
	return ledger.Destination{Shop: shop, Endpoint: string(rune('a' + i))}
}

// running is an outbox at work.
type running struct {
	*outbox.Outbox
	stop func() // returns when it has ended
}

// run starts an outbox.
func (w *world) run(endpoints map[ledger.Destination]outbox.Receiver) running {
	w.t.Helper()
	return w.runOn(w.ledger, endpoints)
}

func (w *world) runOn(l ledger.Ledger, endpoints map[ledger.Destination]outbox.Receiver) running {
	o := outbox.New(outbox.Config{Ledger: l, Log: w.log, Observer: w.counts, Now: w.clock.Now})
	o.SetEndpoints(endpoints)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		o.Run(ctx)
	}()
	stop := func() {
		cancel()
		<-ended
	}
	w.t.Cleanup(stop)
	return running{o, stop}
}

// add puts messages into the ledger, for each of the destinations.
func (w *world) add(messages int, destinations ...ledger.Destination) {
	w.t.Helper()
	at := w.clock.Now()
	require.NoError(w.t, w.ledger.Update(w.t.Context(), func(tx *ledger.Tx) error {
		for i := range messages {
			for _, d := range destinations {
				order := fmt.Sprintf("ORDER%d", i)
				err := tx.AddDelivery(ledger.Delivery{
					Shop: d.Shop, Subject: order, Endpoint: d.Endpoint, MessageID: "msg_" + order + "_paid",
					Kind: "order.paid", At: at, Body: json.RawMessage(`{"order":"` + order + `","ref":"a<b"}`), NextAt: at,
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// deliveries are those about an order.
func (w *world) deliveries(order string) (all []ledger.Delivery) {
	w.t.Helper()
	require.NoError(w.t, w.ledger.View(w.t.Context(), func(tx *ledger.Tx) (err error) {
		all, err = tx.Deliveries(order)
		return err
	}))
	return all
}

// delivery is the only one about the first order.
func (w *world) delivery() ledger.Delivery {
	w.t.Helper()
	all := w.deliveries("ORDER0")
	require.Len(w.t, all, 1)
	return all[0]
}

// eventually waits until a condition holds.
func (w *world) eventually(holds func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, holds, soon, 2*time.Millisecond, what)
}

// attempted waits until so many attempts at the only delivery have been saved.
func (w *world) attempted(attempts int) ledger.Delivery {
	w.t.Helper()
	w.eventually(func() bool { return w.delivery().Attempts >= attempts }, fmt.Sprintf("%d attempts", attempts))
	d := w.delivery()
	require.Equal(w.t, attempts, d.Attempts)
	return d
}

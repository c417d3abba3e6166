//go:build postgres

package postgres

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/jackc/pgx/v5"
	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 23, 4, 0, 0, 123456000, time.UTC)

// newOrder is an order that can be claimed, of the day of noon.
func newOrder() ledger.Order {
	id := ulid.MustNew(ulid.Timestamp(noon), ulid.DefaultEntropy()).String()
	return ledger.Order{
		ID: id, Shop: "tea", Account: "account",
		Intent:  ledger.Intent{At: noon, Amount: 1280, Currency: "HKD", Description: "珍珠奶茶 🧋", Fields: ledger.Fields{"table": {"7"}}},
		Claimed: noon.Add(time.Second), Expires: noon.Add(time.Hour), CheckAt: noon.Add(5 * time.Second),
	}
}

// pay is a step with all that belongs to a payment: an order that was claimed
// becomes paid, with its event, its delivery and its day's sums.
func pay(o ledger.Order) func(*ledger.Tx) error {
	return func(tx *ledger.Tx) error {
		if _, err := tx.Claim(o); err != nil {
			return err
		}
		known, err := tx.Order(o.ID)
		if err != nil {
			return err
		}
		known.Status, known.Syssn, known.PaidAt = ledger.StatusPaid, "syssn-"+o.ID, noon
		if err := tx.Save(known); err != nil {
			return err
		}
		added, err := tx.AddEvent(ledger.Event{Subject: o.ID, Shop: o.Shop, At: noon, Kind: "paid"})
		if err != nil || !added {
			return err
		}
		return tx.AddDelivery(ledger.Delivery{
			Shop: o.Shop, Subject: o.ID, Endpoint: "shop", MessageID: "msg-" + o.ID, Kind: "order.paid", At: noon, NextAt: noon, Body: []byte(`{}`),
		})
	}
}

// isPaid reports whether a payment is there. It fails the test if half of it is.
func isPaid(t *testing.T, l ledger.Ledger, id string) (paid bool) {
	t.Helper()
	var order ledger.Order
	var events []ledger.Event
	var deliveries []ledger.Delivery
	err := l.View(t.Context(), func(tx *ledger.Tx) (err error) {
		if order, err = tx.Order(id); err != nil && err != ledger.ErrUnknown {
			return err
		}
		if events, err = tx.Events(id); err != nil {
			return err
		}
		deliveries, err = tx.Deliveries(id)
		return err
	})
	require.NoError(t, err)
	if order.ID == "" {
		assert.Empty(t, events)
		assert.Empty(t, deliveries)
		return false
	}
	assert.Equal(t, ledger.StatusPaid, order.Status)
	assert.Len(t, events, 1)
	assert.Len(t, deliveries, 1)
	return true
}

// requireSums checks that the sums of the day are those of so many payments.
func requireSums(t *testing.T, l ledger.Ledger, payments int) {
	t.Helper()
	day := ledger.DayOf(noon)
	var sums []ledger.DaySum
	err := l.View(t.Context(), func(tx *ledger.Tx) (err error) {
		sums, err = tx.Sums(ledger.Search{Period: ledger.Period{First: day, Last: day}, Shops: []string{"tea"}})
		return err
	})
	require.NoError(t, err)
	if payments == 0 {
		require.Empty(t, sums)
		return
	}
	n := int64(payments)
	require.Equal(t, []ledger.DaySum{{Day: "2026-11-23", Sum: ledger.Sum{Currency: "HKD", Orders: n, Paid: n, Gross: 1280 * n}}}, sums)
}

func openAt(t *testing.T, address string) ledger.Ledger {
	t.Helper()
	l, err := Open(t.Context(), address, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

// watched is what a test does at the statements of an engine.
type watched struct {
	armed  atomic.Bool
	before func(conn *pgx.Conn, statement string)
	after  func(conn *pgx.Conn, statement string)
}

type statementKey struct{}

func (w *watched) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if w.armed.Load() && w.before != nil {
		w.before(conn, data.SQL)
	}
	return context.WithValue(ctx, statementKey{}, data.SQL)
}

func (w *watched) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, _ pgx.TraceQueryEndData) {
	if w.armed.Load() && w.after != nil {
		w.after(conn, fmt.Sprint(ctx.Value(statementKey{})))
	}
}

// openWatched opens a ledger whose statements a test watches once it is armed.
func openWatched(t *testing.T, address string, w *watched) ledger.Ledger {
	t.Helper()
	config, err := parseAddress(address)
	require.NoError(t, err)
	config.Tracer = w
	l, err := open(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	return l
}

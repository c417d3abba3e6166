package ledgertest

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func leaseRace(t *testing.T, f fixture) {
	const orders = 100
	for range orders {
		claim(t, f.first, newOrder(start))
	}
	now := start.Add(time.Minute)
	var mu sync.Mutex
	leases := map[string]int{}
	atOnce(races, func(i int) {
		for {
			var leased []ledger.Due
			err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
				leased, err = tx.LeaseDue(now, now.Add(time.Minute), nil, 7)
				return err
			})
			if !assert.NoError(t, err) || len(leased) == 0 {
				return // some may be locked by others, which then have them
			}
			assert.LessOrEqual(t, len(leased), 7)
			mu.Lock()
			for _, due := range leased {
				leases[due.Order]++
			}
			mu.Unlock()
		}
	})
	assert.Len(t, leases, orders)
	for id, times := range leases {
		assert.Equal(t, 1, times, id)
	}
}

func leaseTimes(t *testing.T, f fixture) {
	o := newOrder(start)
	o.CheckAt = start.Add(time.Hour)
	claim(t, f.first, o)
	leased := func(now time.Time, except ...string) (due []ledger.Due) {
		update(t, f.first, func(tx *ledger.Tx) (err error) {
			due, err = tx.LeaseDue(now, now.Add(time.Minute), except, 10)
			return err
		})
		return due
	}
	next := func(except ...string) (next time.Time) {
		view(t, f.second, func(tx *ledger.Tx) (err error) {
			next, err = tx.NextDue(start, except)
			return err
		})
		return next
	}
	due := []ledger.Due{{Order: o.ID, Shop: "shop", Account: "account"}}
	assert.Equal(t, o.CheckAt, next())
	assert.Equal(t, o.CheckAt, next("another"))
	assert.True(t, next("another", "shop").IsZero())
	assert.Empty(t, leased(o.CheckAt.Add(-time.Microsecond)))
	assert.Empty(t, leased(o.CheckAt, "shop", "another"), "a shop that is nobody's here")
	assert.Equal(t, due, leased(o.CheckAt, "another"))
	assert.Empty(t, leased(o.CheckAt.Add(59*time.Second)), "somebody has it")
	assert.Equal(t, due, leased(o.CheckAt.Add(time.Minute)), "who had it died")
	assert.Equal(t, due, leased(o.CheckAt.AddDate(0, 0, -3)), "put off by a clock that was wrong")
	update(t, f.first, change(o.ID, func(o *ledger.Order) { o.CheckAt = time.Time{} }))
	assert.Empty(t, leased(o.CheckAt.AddDate(1, 0, 0)), "nothing is left to ask")
	assert.True(t, next().IsZero())
}

func askRace(t *testing.T, f fixture) {
	o := claim(t, f.first, newOrder(start))
	askers := func(now time.Time) int {
		var may atomic.Int32
		atOnce(races, func(i int) {
			var mine bool
			err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
				mine, err = tx.MayAsk(o.ID, now, 2*time.Second)
				return err
			})
			if assert.NoError(t, err) && mine {
				may.Add(1)
			}
		})
		return int(may.Load())
	}
	assert.Equal(t, 1, askers(start))
	assert.Equal(t, 0, askers(start.Add(2*time.Second-time.Microsecond)))
	assert.Equal(t, 1, askers(start.Add(2*time.Second)))
	assert.Equal(t, 1, askers(start.Add(-time.Hour)), "the clock was set back")
}

func callRace(t *testing.T, f fixture) {
	const burst = 10
	take := func(i int, account string, now time.Time, always bool) (wait time.Duration) {
		assert.NoError(t, f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
			wait, err = tx.TakeCalls(account, now, 1, burst, time.Second, always)
			return err
		}))
		return wait
	}
	var taken atomic.Int32
	atOnce(races, func(i int) {
		if take(i, "account", start, false) == 0 {
			taken.Add(1)
		}
	})
	assert.EqualValues(t, burst, taken.Load())
	assert.Equal(t, time.Second, take(0, "account", start, false))
	assert.Zero(t, take(0, "account", start.Add(time.Second), false), "one in every interval")
	assert.Zero(t, take(1, "account", start.Add(time.Second), true), "a payer waits")
	assert.Equal(t, 2*time.Second, take(0, "account", start.Add(time.Second), false), "and others the longer")
	assert.Zero(t, take(1, "another", start, false))
	update(t, f.first, func(tx *ledger.Tx) error { return tx.HoldCalls("another", start.Add(time.Minute)) })
	assert.Equal(t, time.Minute+time.Second-burst*time.Second, take(1, "another", start, false))
}

func newDelivery(message string) ledger.Delivery {
	return ledger.Delivery{
		Shop: "shop", Subject: "subject", Endpoint: "endpoint", MessageID: message, Kind: "order.paid",
		At: start, Body: json.RawMessage(`{"a":"<&>"}`), Status: ledger.DeliveryDue, NextAt: start,
	}
}

func deliveries(t *testing.T, l ledger.Ledger) (all []ledger.Delivery) {
	t.Helper()
	view(t, l, func(tx *ledger.Tx) (err error) {
		all, err = tx.Deliveries("subject")
		return err
	})
	return all
}

func deliveriesOnce(t *testing.T, f fixture) {
	atOnce(races, func(i int) {
		assert.NoError(t, f.handle(i).Update(t.Context(), func(tx *ledger.Tx) error { return tx.AddDelivery(newDelivery("m")) }))
	})
	all := deliveries(t, f.second)
	require.Len(t, all, 1)
	want := newDelivery("m")
	want.ID = all[0].ID
	assert.Equal(t, want, all[0])

	elsewhere := newDelivery("m")
	elsewhere.Endpoint = "another"
	update(t, f.first, func(tx *ledger.Tx) error { return tx.AddDelivery(elsewhere) })
	assert.Len(t, deliveries(t, f.second), 2, "one message goes to several endpoints")
}

func deliveryRace(t *testing.T, f fixture) {
	const messages = 60
	update(t, f.first, func(tx *ledger.Tx) error {
		for i := range messages {
			if err := tx.AddDelivery(newDelivery(fmt.Sprint(i))); err != nil {
				return err
			}
		}
		later := newDelivery("later")
		later.NextAt = start.Add(time.Hour)
		return tx.AddDelivery(later)
	})
	to := ledger.Destination{Shop: "shop", Endpoint: "endpoint"}
	view(t, f.second, func(tx *ledger.Tx) error {
		due, next, err := tx.DueDestinations(start)
		assert.Equal(t, []ledger.Destination{to}, due)
		assert.Equal(t, start.Add(time.Hour), next)
		return err
	})
	var mu sync.Mutex
	leases := map[string]int{}
	atOnce(races, func(i int) {
		for {
			var leased []ledger.Delivery
			err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
				leased, err = tx.LeaseDeliveries(to, start, start.Add(time.Minute), 4)
				return err
			})
			if !assert.NoError(t, err) || len(leased) == 0 {
				return
			}
			mu.Lock()
			for _, d := range leased {
				leases[d.MessageID]++
			}
			mu.Unlock()
		}
	})
	assert.Len(t, leases, messages)
	for message, times := range leases {
		assert.Equal(t, 1, times, message)
	}
	view(t, f.second, func(tx *ledger.Tx) error {
		due, next, err := tx.DueDestinations(start)
		assert.Empty(t, due)
		assert.Equal(t, start.Add(time.Minute), next, "should who leased them die")
		return err
	})
}

func deliveryEnd(t *testing.T, f fixture) {
	update(t, f.first, func(tx *ledger.Tx) error { return tx.AddDelivery(newDelivery("m")) })
	d := deliveries(t, f.first)[0]
	d.Attempts, d.Attempted, d.LastStatus, d.LastError, d.NextAt = 1, start.Add(time.Second), 503, "busy", start.Add(time.Minute)
	saveDelivery(t, f, d, true)
	assert.Equal(t, []ledger.Delivery{d}, deliveries(t, f.second), "an attempt that failed")

	d.Status, d.Attempts, d.LastStatus, d.LastError = ledger.DeliveryDelivered, 2, 200, ""
	saveDelivery(t, f, d, true)
	d.Body, d.NextAt = nil, time.Time{}
	assert.Equal(t, []ledger.Delivery{d}, deliveries(t, f.second), "one that was taken")

	late := d
	late.Status, late.Attempts = ledger.DeliveryGaveUp, 3
	saveDelivery(t, f, late, false)
	assert.Equal(t, []ledger.Delivery{d}, deliveries(t, f.second), "what is done with stays so")
}

func saveDelivery(t *testing.T, f fixture, d ledger.Delivery, expected bool) {
	t.Helper()
	update(t, f.first, func(tx *ledger.Tx) error {
		saved, err := tx.SaveDelivery(d)
		assert.Equal(t, expected, saved)
		return err
	})
}

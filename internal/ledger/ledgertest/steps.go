package ledgertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func failingSteps(t *testing.T, f fixture) {
	orders := make([]ledger.Order, races)
	for i := range orders {
		orders[i] = newOrder(start)
	}
	atOnce(races, func(i int) {
		err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) error {
			if err := mustClaim(orders[i])(tx); err != nil {
				return err
			}
			if _, err := tx.AddEvent(ledger.Event{Subject: orders[i].ID, Shop: "shop", At: start, Kind: "claimed"}); err != nil {
				return err
			}
			if i%3 == 0 {
				return errOnPurpose
			}
			return nil
		})
		if i%3 == 0 {
			assert.ErrorIs(t, err, errOnPurpose)
		} else {
			assert.NoError(t, err)
		}
	})
	kept := 0
	for i, o := range orders {
		assert.Equal(t, i%3 != 0, has(t, f.second, o.ID), "order %d", i)
		view(t, f.second, func(tx *ledger.Tx) error {
			events, err := tx.Events(o.ID)
			assert.Len(t, events, min(i%3, 1), "events of order %d", i)
			return err
		})
		kept += min(i%3, 1)
	}
	view(t, f.second, func(tx *ledger.Tx) error {
		sums, err := tx.Sums(everything())
		if assert.Len(t, sums, 1) {
			assert.EqualValues(t, kept, sums[0].Orders)
		}
		return err
	})
}

func ignoredFailure(t *testing.T, f fixture) {
	paid, other := newOrder(start), newOrder(start)
	claim(t, f.first, paid)
	update(t, f.first, change(paid.ID, func(o *ledger.Order) { o.Syssn = "1" }))
	err := f.first.Update(t.Context(), func(tx *ledger.Tx) error {
		if err := mustClaim(other)(tx); err != nil {
			return err
		}
		assert.Error(t, change(other.ID, func(o *ledger.Order) { o.Syssn = "1" })(tx))
		return nil
	})
	assert.Error(t, err)
	assert.False(t, has(t, f.second, other.ID))
}

func readAfterWrite(t *testing.T, f fixture) {
	atOnce(16, func(i int) {
		for range 20 {
			o := newOrder(start)
			claim(t, f.handle(i), o)
			assert.True(t, has(t, f.handle(i+1), o.ID))
		}
	})
}

func consistentView(t *testing.T, f fixture) {
	o := claim(t, f.first, newOrder(start))
	view(t, f.first, func(tx *ledger.Tx) error {
		before, err := tx.Order(o.ID)
		require.NoError(t, err)
		update(t, f.second, change(o.ID, func(o *ledger.Order) { o.Status = ledger.StatusClosed }))
		after, err := tx.Order(o.ID)
		assert.Equal(t, before.Status, after.Status)
		return err
	})
	assert.Equal(t, ledger.StatusClosed, order(t, f.first, o.ID).Status)
}

func viewWrites(t *testing.T, f fixture) {
	o := newOrder(start)
	assert.Error(t, f.first.View(t.Context(), mustClaim(o)))
	assert.False(t, has(t, f.first, o.ID))
	claim(t, f.first, o)
}

func endedContext(t *testing.T, f fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := false
	step := func(*ledger.Tx) error {
		ran = true
		return nil
	}
	assert.ErrorIs(t, f.first.Update(ctx, step), context.Canceled)
	assert.ErrorIs(t, f.first.View(ctx, step), context.Canceled)
	assert.False(t, ran)
}

func endingContext(t *testing.T, f fixture) {
	for i := range 20 {
		first, second := newOrder(start), newOrder(start)
		ctx, cancel := context.WithCancel(t.Context())
		err := f.first.Update(ctx, func(tx *ledger.Tx) error {
			if err := mustClaim(first)(tx); err != nil {
				return err
			}
			if i%2 == 0 {
				cancel()
			}
			if err := mustClaim(second)(tx); err != nil {
				return err
			}
			cancel()
			return nil
		})
		cancel()
		if err != nil {
			assert.ErrorIs(t, err, context.Canceled)
		}
		claim(t, f.first, newOrder(start)) // by then the step has ended
		assert.Equal(t, has(t, f.second, first.ID), has(t, f.second, second.ID), "half a step")
	}
}

func panickingStep(t *testing.T, f fixture) {
	orders := make([]ledger.Order, races)
	for i := range orders {
		orders[i] = newOrder(start)
	}
	atOnce(races, func(i int) {
		step := func(tx *ledger.Tx) error {
			err := mustClaim(orders[i])(tx)
			if i%4 == 0 {
				panic(fmt.Sprint("step ", i))
			}
			return err
		}
		if i%4 == 0 {
			assert.PanicsWithValue(t, fmt.Sprint("step ", i), func() { _ = f.first.Update(t.Context(), step) })
		} else {
			assert.NoError(t, f.first.Update(t.Context(), step))
		}
	})
	for i, o := range orders {
		assert.Equal(t, i%4 != 0, has(t, f.second, o.ID), "order %d", i)
	}
	assert.PanicsWithValue(t, "a view", func() {
		_ = f.first.View(t.Context(), func(*ledger.Tx) error { panic("a view") })
	})
	claim(t, f.first, newOrder(start))
}

func keptTx(t *testing.T, f fixture) {
	var kept *ledger.Tx
	update(t, f.first, func(tx *ledger.Tx) error {
		kept = tx
		return nil
	})
	o := newOrder(start)
	_, err := kept.Claim(o)
	assert.Error(t, err)
	assert.False(t, has(t, f.second, o.ID))
}

func closedLedger(t *testing.T, f fixture) {
	o := claim(t, f.first, newOrder(start))
	require.NoError(t, f.first.Close())
	assert.NoError(t, f.first.Close(), "closing twice")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	nothing := func(*ledger.Tx) error { return nil }
	assert.ErrorIs(t, f.first.Update(ctx, nothing), ledger.ErrClosed)
	assert.ErrorIs(t, f.first.View(ctx, nothing), ledger.ErrClosed)
	assert.True(t, has(t, f.second, o.ID), "the other handle goes on")
}

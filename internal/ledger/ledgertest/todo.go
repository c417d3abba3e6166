package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func ordersToDo(t *testing.T, f fixture) {
	after := func(minutes int, o ledger.Order, happens func(*ledger.Order)) ledger.Order {
		o.ID = ledger.NewID(start.Add(time.Duration(minutes) * time.Minute))
		claim(t, f.first, o)
		update(t, f.first, change(o.ID, happens))
		return order(t, f.second, o.ID)
	}
	paid := func(o *ledger.Order) { o.Status, o.PaidAt = ledger.StatusPaid, start }
	elsewhere := newOrder(start)
	elsewhere.Shop = "another"
	all := []ledger.Order{
		after(0, newOrder(start), func(*ledger.Order) {}),
		after(1, newOrder(start), func(o *ledger.Order) { o.Status, o.Ended = ledger.StatusClosed, start }),
		after(2, newOrder(start), paid),
		after(3, newOrder(start), func(o *ledger.Order) {
			paid(o)
			o.Status, o.Refunded, o.RefundedAt = ledger.StatusPartiallyRefunded, 1, start
		}),
		after(4, newOrder(start), func(o *ledger.Order) {
			paid(o)
			o.Status, o.Refunded, o.RefundedAt = ledger.StatusRefunded, o.Intent.Amount, start
		}),
		after(5, newOrder(start), func(o *ledger.Order) {
			paid(o)
			o.FulfilledAt, o.Note = start.Add(time.Hour), "SF 1"
		}),
		after(6, elsewhere, paid),
	}
	toDo, fulfilled := []string{}, []string{}
	for _, o := range all[:6] {
		switch {
		case o.ToDo():
			toDo = append(toDo, o.ID)
		case !o.FulfilledAt.IsZero():
			fulfilled = append(fulfilled, o.ID)
		}
	}
	assert.Equal(t, []string{all[2].ID, all[3].ID}, toDo)
	view(t, f.second, func(tx *ledger.Tx) error {
		for _, want := range []struct {
			fulfilled bool
			orders    []string
		}{{false, toDo}, {true, fulfilled}} {
			search := everything()
			search.Fulfilled = &want.fulfilled
			rows, err := tx.Rows(search, ledger.Page{Ascending: true, Limit: 10})
			require.NoError(t, err)
			got := []string{}
			for _, row := range rows {
				got = append(got, row.Order)
				assert.Equal(t, want.fulfilled, !row.FulfilledAt.IsZero())
			}
			assert.Equal(t, want.orders, got)
			sums, err := tx.Sums(search)
			require.NoError(t, err)
			require.Len(t, sums, 1)
			assert.EqualValues(t, len(want.orders), sums[0].Orders)
		}
		for limit, want := range map[int]int{1: 1, 2: 2, 9: 2} {
			found, err := tx.CountToDo([]string{"shop"}, limit)
			require.NoError(t, err)
			assert.Equal(t, want, found)
		}
		found, err := tx.CountToDo([]string{"shop", "another"}, 9)
		assert.Equal(t, 3, found)
		require.NoError(t, err)
		found, err = tx.CountToDo(nil, 9)
		assert.Zero(t, found)
		return err
	})
}

package ledgertest

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// comparisonRace has many make the comparison of a day.
func comparisonRace(t *testing.T, f fixture) {
	day := ledger.DayOf(start)
	const lease = time.Hour
	makers := func(now time.Time) int {
		var leased atomic.Int32
		atOnce(races, func(i int) {
			var mine bool
			err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) (err error) {
				mine, err = tx.LeaseComparison("account", day, now, now.Add(lease))
				return err
			})
			if assert.NoError(t, err) && mine {
				leased.Add(1)
			}
		})
		return int(leased.Load())
	}
	madeFrom := func(account string, day ledger.Day) (made []ledger.Day) {
		view(t, f.second, func(tx *ledger.Tx) (err error) {
			made, err = tx.Comparisons(account, day)
			return err
		})
		return made
	}
	end := func() (ended bool) {
		update(t, f.first, func(tx *ledger.Tx) (err error) {
			ended, err = tx.EndComparison("account", day, start, 3)
			return err
		})
		return ended
	}
	assert.Equal(t, 1, makers(start))
	assert.Equal(t, 0, makers(start.Add(lease-time.Microsecond)), "somebody makes it")
	assert.Equal(t, 1, makers(start.Add(lease)), "who made it died")
	assert.Equal(t, 1, makers(start.Add(-time.Hour)), "the clock was set back")
	assert.Empty(t, madeFrom("account", day))
	assert.True(t, end())
	assert.False(t, end(), "once")
	assert.Equal(t, []ledger.Day{day}, madeFrom("account", day))
	assert.Equal(t, []ledger.Day{day}, madeFrom("account", day.Previous()))
	assert.Empty(t, madeFrom("account", day.Next()))
	assert.Empty(t, madeFrom("another", day))
	assert.Equal(t, 0, makers(start.AddDate(0, 0, 1)), "it is made")
}

func firstOrder(t *testing.T, f fixture) {
	first := func(account string) (started time.Time) {
		view(t, f.second, func(tx *ledger.Tx) (err error) {
			started, err = tx.FirstOrder(account)
			return err
		})
		return started
	}
	assert.Zero(t, first("account"))
	claim(t, f.first, newOrder(start.Add(time.Hour)))
	assert.True(t, first("account").Equal(start.Add(time.Hour)), "whether or not the gateway took it")
	claim(t, f.first, newOrder(start))
	assert.True(t, first("account").Equal(start), "whichever was claimed first")
	assert.Zero(t, first("another"))
}

// paidOrders reads, in pieces, the payments and refunds that the gateway made on a
// day, by the first digits of its numbers.
func paidOrders(t *testing.T, f fixture) {
	day := ledger.DayOf(start)
	var want []string
	for _, syssn := range []string{"2026112223", "20261123", "2026112300", "2026112301", "2026112399", "2026112400", "x"} {
		isPaid := syssn != "2026112300"
		o := newOrder(start)
		o.Payer = "payer"
		o.Intent.Lines = []ledger.Line{{Item: "tea", Quantity: 1, Price: 10000}}
		claim(t, f.first, o)
		update(t, f.first, change(o.ID, func(o *ledger.Order) {
			o.Syssn = syssn
			if isPaid {
				o.Status, o.PaidAt = ledger.StatusPaid, start
			}
		}))
		update(t, f.first, func(tx *ledger.Tx) error {
			refund := ledger.Refund{
				Order: o.ID, Number: "R" + syssn, Account: "account", Amount: 1, Currency: "HKD", Syssn: syssn, Requested: start, Status: ledger.RefundDone,
			}
			if !isPaid {
				refund.Status = ledger.RefundSent
			}
			return tx.SaveRefund(refund)
		})
		if isPaid && strings.HasPrefix(syssn, "20261123") {
			want = append(want, syssn)
		}
	}
	for _, limit := range []int{1, 2, 3, 10} {
		var orders, refunds []string
		view(t, f.second, func(tx *ledger.Tx) error {
			for after := ""; ; {
				paid, err := tx.PaidOrders("account", day, after, limit)
				if err != nil || len(paid) == 0 {
					return err
				}
				for _, o := range paid {
					assert.Equal(t, [4]any{"shop", "payer", int64(10000), start}, [4]any{o.Shop, o.Payer, o.Amount, o.PaidAt})
					assert.Contains(t, o.Lines, "tea")
					orders, after = append(orders, o.Syssn), o.Syssn
				}
			}
		})
		assert.Equal(t, want, orders, "limit %d", limit)
		view(t, f.second, func(tx *ledger.Tx) error {
			for after := ""; ; {
				done, err := tx.DoneRefunds("account", day, after, limit)
				if err != nil || len(done) == 0 {
					return err
				}
				for _, refund := range done {
					refunds, after = append(refunds, refund.Syssn), refund.Syssn
				}
			}
		})
		assert.Equal(t, want, refunds, "limit %d", limit)
	}
	for _, none := range []func(*ledger.Tx) (int, error){
		func(tx *ledger.Tx) (int, error) {
			paid, err := tx.PaidOrders("another", day, "", 10)
			return len(paid), err
		},
		func(tx *ledger.Tx) (int, error) {
			done, err := tx.DoneRefunds("another", day, "", 10)
			return len(done), err
		},
	} {
		view(t, f.second, func(tx *ledger.Tx) error {
			found, err := none(tx)
			assert.Zero(t, found, "of another account")
			return err
		})
	}
}

package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func sumsOfRows(t *testing.T, f fixture) {
	const orders = 24
	ids := make([]string, orders)
	for i := range ids {
		o := newOrder(start.Add(time.Duration(i%3-1) * 12 * time.Hour)) // on three days
		o.Intent.Amount = int64(1000 + i)
		o.Intent.Currency = []string{"HKD", "CNY"}[i%2]
		ids[i] = claim(t, f.handle(i), o).ID
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	atOnce(8, func(i int) {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		for range 40 {
			fails := random.IntN(4) == 0
			id, refunded, kind := ids[random.IntN(orders)], random.Int64N(900), random.IntN(4)
			err := f.handle(i).Update(t.Context(), func(tx *ledger.Tx) error {
				err := change(id, func(o *ledger.Order) { somethingHappens(o, kind, refunded) })(tx)
				if err == nil && fails {
					err = errOnPurpose
				}
				return err
			})
			if fails {
				assert.ErrorIs(t, err, errOnPurpose)
			} else {
				assert.NoError(t, err)
			}
		}
	})
	view(t, f.first, func(tx *ledger.Tx) error {
		rows, err := tx.Rows(everything(), ledger.Page{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, rows, orders)
		want := map[string]ledger.Sum{}
		for _, row := range rows {
			key := ledger.DayOf(row.At).String() + row.Currency
			sum := ledger.Sum{Currency: row.Currency, Orders: 1}
			if row.Status.Paid() {
				sum.Paid, sum.Gross, sum.Refunded = 1, row.Amount, row.Refunded
			}
			want[key] = sum.Plus(want[key])
		}
		for name, search := range map[string]ledger.Search{"kept": everything(), "counted": {Period: everything().Period, Shops: []string{"shop"}, Status: ledger.Statuses()}} {
			sums, err := tx.Sums(search)
			require.NoError(t, err)
			got := map[string]ledger.Sum{}
			for _, sum := range sums {
				got[sum.Day+sum.Currency] = sum.Sum
			}
			assert.Equal(t, want, got, name)
		}
		given, err := tx.GivenBack([]string{"shop"}, everything().Period)
		require.NoError(t, err)
		got := map[string]int64{}
		for _, sum := range given {
			got[sum.Day+sum.Currency] = sum.Refunded
		}
		for key, sum := range want {
			assert.Equal(t, sum.Refunded, got[key], "what went back, %s", key)
		}
		return nil
	})
}

func daysOfZones(t *testing.T, f fixture) {
	for _, test := range []struct {
		zone string
		at   time.Time // noon of a day there, UTC
	}{
		{"Asia/Hong_Kong", time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)},
		{"Europe/Berlin", time.Date(2026, 3, 29, 10, 0, 0, 0, time.UTC)},  // of 23 hours
		{"Europe/Berlin", time.Date(2026, 10, 25, 11, 0, 0, 0, time.UTC)}, // of 25
		{"Asia/Kathmandu", time.Date(2026, 5, 1, 6, 15, 0, 0, time.UTC)},
		{"America/St_Johns", time.Date(2026, 7, 1, 14, 30, 0, 0, time.UTC)},
	} {
		zone, err := time.LoadLocation(test.zone)
		require.NoError(t, err)
		day := ledger.DayIn(zone, test.at)
		begin, end := day.Start(), day.Next().Start()
		search := ledger.Search{Period: ledger.Period{First: day, Last: day}, Shops: []string{test.zone}}
		var want []string
		for _, at := range []time.Time{begin.Add(-time.Millisecond), begin, test.at, end.Add(-time.Millisecond), end} {
			o := newOrder(at)
			o.Shop = test.zone
			claim(t, f.first, o)
			if !at.Before(begin) && at.Before(end) {
				want = append(want, o.ID)
			}
		}
		slices.Sort(want)
		view(t, f.second, func(tx *ledger.Tx) error {
			rows, err := tx.Rows(search, ledger.Page{Ascending: true, Limit: 10})
			require.NoError(t, err)
			var got []string
			for _, row := range rows {
				got = append(got, row.Order)
			}
			assert.Equal(t, want, got, test.zone)
			around := ledger.Period{First: day.Previous(), Last: day.Next()}
			var sums []ledger.DaySum
			for day := range around.Days() {
				sums = append(sums, ledger.DaySum{Day: day.String(), Sum: ledger.Sum{Currency: "HKD", Orders: 1}})
			}
			sums[1].Orders = int64(len(want))
			for name, statuses := range map[string][]ledger.Status{"kept": nil, "counted": ledger.Statuses()} {
				got, err := tx.Sums(ledger.Search{Period: around, Shops: search.Shops, Status: statuses})
				require.NoError(t, err)
				assert.Equal(t, sums, got, "%s, %s", test.zone, name)
			}
			return nil
		})
	}
}

// somethingHappens to an order, in a way in which it may.
func somethingHappens(o *ledger.Order, kind int, refunded int64) {
	switch {
	case kind == 0 && !o.Status.Paid():
		o.Status, o.PaidAt = ledger.StatusPaid, start
	case kind == 1 && o.Status.Paid():
		o.Status, o.Refunded = ledger.StatusPartiallyRefunded, refunded
	case kind == 2 && o.Status.Paid():
		o.Status, o.Refunded = ledger.StatusRefunded, o.Intent.Amount
	case kind == 3 && !o.Status.Paid():
		o.Status = ledger.StatusClosed
	}
}

func pages(t *testing.T, f fixture) {
	var ids []string
	for i := range 50 {
		o := newOrder(start.Add(time.Duration(i/5) * time.Millisecond)) // five of each moment
		ids = append(ids, claim(t, f.first, o).ID)
	}
	slices.Sort(ids)
	for _, limit := range []int{1, 7, 50, 51} {
		for _, ascending := range []bool{true, false} {
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				var rows []ledger.Row
				view(t, f.second, func(tx *ledger.Tx) (err error) {
					rows, err = tx.Rows(everything(), ledger.Page{After: after, Ascending: ascending, Limit: limit})
					return err
				})
				for _, row := range rows {
					got = append(got, row.Order)
				}
				if len(rows) < limit {
					break
				}
			}
			if !ascending {
				slices.Reverse(got)
			}
			assert.Equal(t, ids, got, "limit %d, ascending %v", limit, ascending)
		}
	}
}

func searches(t *testing.T, f fixture) {
	tea := newOrder(start)
	tea.Intent.Description, tea.Intent.Ref, tea.Method = "Green Tea 50%", "A_1", "jsapi"
	cup := newOrder(start.Add(time.Second))
	cup.Intent.Description, cup.Intent.Ref, cup.Method = "Über-Cup 50x", "AB1", "alipayhk"
	foreign := newOrder(start)
	foreign.Shop = "another"
	early := newOrder(start.AddDate(0, 0, -5))
	for _, o := range []ledger.Order{tea, cup, foreign, early} {
		claim(t, f.first, o)
	}
	update(t, f.first, change(cup.ID, func(o *ledger.Order) {
		o.Status, o.PaidAt, o.Syssn = ledger.StatusPaid, start, "20261123000020"
	}))
	update(t, f.first, func(tx *ledger.Tx) error { return tx.SaveRefund(newRefund(cup, "r", 1)) })
	for _, c := range []struct {
		name   string
		search ledger.Search
		want   []string
	}{
		{"all", ledger.Search{}, []string{cup.ID, tea.ID}},
		{"a word in other letters", ledger.Search{Text: "gREEN"}, []string{tea.ID}},
		{"letters that are not ASCII", ledger.Search{Text: "Über"}, []string{cup.ID}},
		{"a percent sign", ledger.Search{Text: "50%"}, []string{tea.ID}},
		{"an underscore", ledger.Search{Text: "a_1"}, []string{tea.ID}},
		{"the gateway's number", ledger.Search{Text: "123000020"}, []string{cup.ID}},
		{"the end of an id", ledger.Search{Text: tea.ID[12:]}, []string{tea.ID}},
		{"a state", ledger.Search{Status: []ledger.Status{ledger.StatusPaid, ledger.StatusClosed}}, []string{cup.ID}},
		{"both", ledger.Search{Status: []ledger.Status{ledger.StatusPaid}, Text: "tea"}, nil},
		{"a method", ledger.Search{Method: []string{"payme", "jsapi"}}, []string{tea.ID}},
		{"a method in which nothing was paid", ledger.Search{Method: []string{"jsapi"}, Status: []ledger.Status{ledger.StatusPaid}}, nil},
		{"nothing", ledger.Search{Text: "coffee"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.search.Period, c.search.Shops = everything().Period, everything().Shops
			view(t, f.second, func(tx *ledger.Tx) error {
				rows, err := tx.Rows(c.search, ledger.Page{Limit: 10})
				var got []string
				for _, row := range rows {
					got = append(got, row.Order)
				}
				assert.Equal(t, c.want, got)
				return err
			})
		})
	}
	view(t, f.second, func(tx *ledger.Tx) error {
		row, err := tx.RowOf(cup.ID)
		assert.Equal(t, ledger.Row{
			Order: cup.ID, Shop: "shop", Status: ledger.StatusPaid, Method: "alipayhk", At: cup.Intent.At, PaidAt: start, Amount: 10000, Currency: "HKD",
			Description: "Über-Cup 50x", Ref: "AB1", Syssn: "20261123000020", Refunding: true, RefundPending: 1,
		}, row)
		require.NoError(t, err)
		_, err = tx.RowOf(newOrder(start).ID)
		assert.ErrorIs(t, err, ledger.ErrUnknown)
		return nil
	})
	view(t, f.second, func(tx *ledger.Tx) error {
		rows, err := tx.Rows(ledger.Search{Period: everything().Period}, ledger.Page{Limit: 10})
		assert.Empty(t, rows, "without shops, none are wanted")
		return err
	})
}

func openShops(t *testing.T, f fixture) {
	for i := range 3 {
		o := newOrder(start.Add(time.Duration(i) * time.Hour))
		o.Shop = fmt.Sprint("shop ", i/2)
		claim(t, f.first, o)
	}
	done := newOrder(start)
	done.Shop = "done"
	claim(t, f.first, done)
	update(t, f.first, change(done.ID, func(o *ledger.Order) { o.Status, o.CheckAt = ledger.StatusClosed, time.Time{} }))
	outbox := newDelivery("m")
	outbox.Shop = "outbox"
	update(t, f.first, func(tx *ledger.Tx) error { return tx.AddDelivery(outbox) })
	view(t, f.second, func(tx *ledger.Tx) error {
		shops, err := tx.OpenShops()
		assert.Equal(t, []string{"outbox", "shop 0", "shop 1"}, shops)
		require.NoError(t, err)
		open, old, err := tx.OpenOrders(start.Add(time.Hour))
		assert.Equal(t, map[string]int{"shop 0": 2, "shop 1": 1}, open)
		assert.Equal(t, map[string]int{"shop 0": 1, "shop 1": 0}, old)
		return err
	})
}

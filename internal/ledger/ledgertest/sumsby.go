package ledgertest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func givenBackOnItsDay(t *testing.T, f fixture) {
	o := claim(t, f.first, newOrder(start))
	later := start.AddDate(0, 0, 1)
	update(t, f.first, change(o.ID, func(o *ledger.Order) { o.Status, o.PaidAt = ledger.StatusPaid, start }))
	update(t, f.first, change(o.ID, func(o *ledger.Order) {
		o.Status, o.Refunded, o.RefundedAt = ledger.StatusPartiallyRefunded, 1000, start
	}))
	update(t, f.first, change(o.ID, func(o *ledger.Order) { o.Refunded, o.RefundedAt = 4000, later }))
	update(t, f.first, change(o.ID, func(o *ledger.Order) { o.AskedAt = later }))
	elsewhere := newOrder(start)
	elsewhere.Shop = "another"
	claim(t, f.first, elsewhere)
	view(t, f.second, func(tx *ledger.Tx) error {
		given, err := tx.GivenBack([]string{"shop"}, everything().Period)
		assert.Equal(t, []ledger.DaySum{
			{Day: ledger.DayOf(start).String(), Sum: ledger.Sum{Currency: "HKD", Refunded: 1000}},
			{Day: ledger.DayOf(later).String(), Sum: ledger.Sum{Currency: "HKD", Refunded: 3000}},
		}, given)
		require.NoError(t, err)
		sums, err := tx.Sums(everything())
		assert.Equal(t, []ledger.DaySum{
			{Day: ledger.DayOf(start).String(), Sum: ledger.Sum{Currency: "HKD", Orders: 1, Paid: 1, Gross: 10000, Refunded: 4000}},
		}, sums, "beside what went back of the orders of a day")
		require.NoError(t, err)
		given, err = tx.GivenBack(nil, everything().Period)
		assert.Empty(t, given)
		return err
	})
}

func sumsByItemAndMethod(t *testing.T, f fixture) {
	put := func(method, currency string, status ledger.Status, lines ...ledger.Line) {
		o := newOrder(start)
		o.ID = ledger.NewID(start.Add(time.Minute))
		o.Method, o.Intent.Currency, o.Intent.Lines = method, currency, lines
		for i, line := range lines {
			if i == 0 {
				o.Intent.Amount = 0
			}
			o.Intent.Amount += line.Price * int64(line.Quantity)
		}
		claim(t, f.first, o)
		update(t, f.first, change(o.ID, func(o *ledger.Order) {
			if o.Status = status; status.Paid() {
				o.PaidAt = start
			}
			if status == ledger.StatusRefunded {
				o.Refunded, o.RefundedAt = o.Intent.Amount, start
			}
		}))
	}
	tea, cup := ledger.Line{Item: "tea", Name: "茶", Quantity: 2, Price: 2500}, ledger.Line{Item: "cup", Name: "Cup", Quantity: 1, Price: 9000}
	put("jsapi", "HKD", ledger.StatusPaid, tea)
	put("jsapi", "HKD", ledger.StatusPaid, tea)
	put("payme", "HKD", ledger.StatusRefunded, tea, cup)
	put("jsapi", "HKD", ledger.StatusClosed, cup)
	put("jsapi", "CNY", ledger.StatusPaid, cup)
	put("payme", "HKD", ledger.StatusPaid) // an invoice
	view(t, f.second, func(tx *ledger.Tx) error {
		items, err := tx.SumsByItem(everything())
		assert.Equal(t, []ledger.ItemSum{{Item: "cup", Name: "Cup", Currency: "CNY", Pieces: 1, Gross: 9000}, {Item: "tea", Name: "茶", Currency: "HKD", Pieces: 6, Gross: 15000}, {Currency: "HKD", Pieces: 1, Gross: 10000}, {Item: "cup", Name: "Cup", Currency: "HKD", Pieces: 1, Gross: 9000}}, items)
		require.NoError(t, err)
		methods, err := tx.SumsByMethod(everything())
		assert.Equal(t, []ledger.MethodSum{
			{Method: "jsapi", Sum: ledger.Sum{Currency: "CNY", Orders: 1, Paid: 1, Gross: 9000}},
			{Method: "jsapi", Sum: ledger.Sum{Currency: "HKD", Orders: 3, Paid: 2, Gross: 10000}},
			{Method: "payme", Sum: ledger.Sum{Currency: "HKD", Orders: 2, Paid: 2, Gross: 24000, Refunded: 14000}},
		}, methods)
		require.NoError(t, err)
		search := everything()
		search.Method = []string{"payme"}
		items, err = tx.SumsByItem(search)
		assert.Equal(t, []ledger.ItemSum{{Currency: "HKD", Pieces: 1, Gross: 10000}, {Item: "cup", Name: "Cup", Currency: "HKD", Pieces: 1, Gross: 9000}, {Item: "tea", Name: "茶", Currency: "HKD", Pieces: 2, Gross: 5000}}, items)
		return err
	})
}

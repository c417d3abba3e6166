package backoffice

import (
	"cmp"
	"context"
	"slices"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Rows returns a page of what a search finds in all ledgers. Orders' numbers sort
// by when the orders were started.
func (o *Office) Rows(ctx context.Context, s Search, page ledger.Page) ([]Row, error) {
	rows, err := gather(ctx, o, func(tx *ledger.Tx, l Ledger) ([]Row, error) {
		found, err := tx.Rows(s.in(l), page)
		rows := make([]Row, len(found))
		for i, row := range found {
			rows[i] = newRow(inZone(row, l.zone()))
		}
		return rows, err
	})
	if err != nil {
		return nil, err
	}
	if len(o.Ledgers) > 1 {
		slices.SortFunc(rows, func(x, y Row) int {
			if !page.Ascending {
				x, y = y, x
			}
			return cmp.Compare(x.Order, y.Order)
		})
	}
	return rows[:min(len(rows), page.Limit)], nil
}

// Sums returns what all orders that a search finds come to, by day and currency.
// Those of several ledgers stand beside each other.
func (o *Office) Sums(ctx context.Context, s Search) ([]ledger.DaySum, error) {
	return gather(ctx, o, func(tx *ledger.Tx, l Ledger) ([]ledger.DaySum, error) { return tx.Sums(s.in(l)) })
}

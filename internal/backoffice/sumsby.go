package backoffice

import (
	"context"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// GivenBack returns what went back on the days of a search's period, of orders of
// whatever day, as [Office.Sums] does.
func (o *Office) GivenBack(ctx context.Context, s Search) ([]ledger.DaySum, error) {
	return gather(ctx, o, func(tx *ledger.Tx, l Ledger) ([]ledger.DaySum, error) { return tx.GivenBack(l.Shops, s.in(l).Period) })
}

// shares are what the orders of a search come to by item and by way of paying.
// Those of several ledgers stand beside each other.
func (o *Office) shares(ctx context.Context, s Search) (shares pages.Shares, err error) {
	for _, l := range o.Ledgers {
		var items []ledger.ItemSum
		var methods []ledger.MethodSum
		err := l.view(ctx, func(tx *ledger.Tx) (err error) {
			if items, err = tx.SumsByItem(s.in(l)); err != nil {
				return err
			}
			methods, err = tx.SumsByMethod(s.in(l))
			return err
		})
		if err != nil {
			return shares, err
		}
		for _, sum := range items {
			shares.Items = append(shares.Items, pages.ItemShare{
				Item: sum.Item, Name: sum.Name, Pieces: sum.Pieces, Gross: pages.Money{Minor: sum.Gross, Currency: sum.Currency},
			})
		}
		for _, sum := range methods {
			shares.Methods = append(shares.Methods, pages.MethodShare{Method: sum.Method, Total: shownTotal(sum.Sum)})
		}
	}
	return shares, nil
}

func shownTotal(sum ledger.Sum) pages.Total {
	return pages.Total{
		Orders: sum.Orders, Paid: sum.Paid, Gross: pages.Money{Minor: sum.Gross, Currency: sum.Currency},
		Refunded: pages.Money{Minor: sum.Refunded, Currency: sum.Currency}, Net: pages.Money{Minor: sum.Gross - sum.Refunded, Currency: sum.Currency},
	}
}

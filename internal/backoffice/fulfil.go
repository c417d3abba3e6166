package backoffice

import (
	"context"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// FulfilOrder notes that the shop has done its part of an order, with a note for the
// payer; DELETE takes that back.
func (o *Office) FulfilOrder(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodDelete {
		if err := ReadNothing(r); err != nil {
			return err
		}
		if err := o.unfulfil(r.Context(), orderIn(r)); err != nil {
			return err
		}
		return o.ShowOrder(w, r)
	}
	var asked struct {
		Note string `json:"note"`
	}
	if err := ReadJSON(r, &asked); err != nil {
		return err
	}
	if err := o.fulfil(r.Context(), orderIn(r), asked.Note); err != nil {
		return err
	}
	return o.ShowOrder(w, r)
}

func (o *Office) fulfil(ctx context.Context, order, note string) error {
	return o.act(ctx, order, func(ctx context.Context, service Service) error {
		_, err := service.Fulfil(ctx, order, note)
		return err
	})
}

func (o *Office) unfulfil(ctx context.Context, order string) error {
	return o.act(ctx, order, func(ctx context.Context, service Service) error {
		_, err := service.Unfulfil(ctx, order)
		return err
	})
}

// CountToDo returns how many orders are to be fulfilled, counted up to a limit.
func (o *Office) CountToDo(ctx context.Context, limit int) (orders int, err error) {
	for _, l := range o.Ledgers {
		var found int
		err := l.view(ctx, func(tx *ledger.Tx) (err error) {
			found, err = tx.CountToDo(l.Shops, limit)
			return err
		})
		if err != nil {
			return 0, err
		}
		orders += found
	}
	return min(orders, limit), nil
}

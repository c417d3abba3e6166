package orders

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// stockShort is what the history and events say of an order that was paid although
// there was not enough left of what it is for.
const stockShort = "short"

// CheckStock returns [ledger.ErrSoldOut] if there is not enough for one more order
// like this, unless one of the payer's own open orders for the same thing has its
// stock already. What counts is [Service.Claim].
func (s *Service) CheckStock(ctx context.Context, intent ledger.Intent, own ...string) error {
	if !intent.WantsStock() {
		return nil
	}
	return s.Ledger.View(ctx, func(tx *ledger.Tx) error {
		for _, id := range own {
			known, err := tx.Order(id)
			if err == nil && known.HoldsStock && known.Status == ledger.StatusPending {
				return nil
			}
			if err != nil && !errors.Is(err, ledger.ErrUnknown) {
				return err
			}
		}
		return tx.CheckStock(s.Shop, intent.Lines)
	})
}

// makeRoom frees what an order needs that is to be claimed: if too little is left, the
// payer's own other orders let go of theirs.
func (st *step) makeRoom(o ledger.Order) error {
	err := st.Tx.CheckStock(o.Shop, o.Intent.Lines)
	if errors.Is(err, ledger.ErrSoldOut) {
		return st.takeOver(o)
	}
	return err
}

// sellStock notes that an order which is paid has its stock for good: that of the
// payer's own other orders, if nothing else is left.
func (st *step) sellStock(o *ledger.Order) error {
	if err := st.SellStock(o); err != nil || !o.LacksStock() {
		return err
	}
	if err := st.takeOver(*o); err != nil {
		return err
	}
	return st.SellStock(o)
}

// takeOver has the payer's other orders for the same thing that are not paid let go
// of what is reserved for them: who tries one wallet after the other wants one
// piece, not one for each. One that is paid all the same takes its pieces again.
func (st *step) takeOver(o ledger.Order) error {
	if o.Payer == "" { // nobody knows whose they are
		return nil
	}
	others, err := st.HoldingStock(o.Shop, o.Payer)
	if err != nil {
		return err
	}
	for _, id := range others {
		other, err := st.Order(id)
		if err != nil {
			return err
		}
		if id == o.ID || other.Status != ledger.StatusPending || !slices.Equal(other.Intent.Lines, o.Intent.Lines) {
			continue
		}
		if err := st.letGo(&other, o.ID); err != nil {
			return err
		}
	}
	return nil
}

// letGo gives back what a pending order holds, for another one.
func (st *step) letGo(o *ledger.Order, to string) error {
	if err := st.ReturnStock(o); err != nil {
		return err
	}
	if _, err := st.happened(*o, happening{kind: "stock_released", about: to}); err != nil {
		return err
	}
	return st.save(o)
}

// Available returns how many pieces of an item can be sold now.
func (s *Service) Available(ctx context.Context, item string) (int64, error) {
	return ledger.View(ctx, s.Ledger, func(tx *ledger.Tx) (int64, error) { return tx.Available(s.Shop, item) })
}

// SetStock says how many pieces of an item can be sold from now on, beside those
// that open orders hold.
func (s *Service) SetStock(ctx context.Context, item string, available int64) error {
	if available < 0 || available > ledger.MaxStock {
		return refuse(Invalid, "available is a whole number from 0 to %d", ledger.MaxStock)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	err := s.Ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.SetStock(s.Shop, item, available, s.Now()) })
	if err == nil {
		s.Log.Info("stock was counted", zap.String("shop", s.Shop), zap.String("item", item), zap.Int64("available", available))
	}
	return err
}

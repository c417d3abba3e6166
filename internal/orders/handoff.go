package orders

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// KeepHandoff keeps what a screen hands to a phone, sealed, under the number of the
// order that it becomes, until a time.
func (s *Service) KeepHandoff(ctx context.Context, order, sealed string, until time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	return s.Ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.AddHandoff(s.Shop, order, sealed, until) })
}

// Handoff returns what [Service.KeepHandoff] kept. The error is [ledger.ErrUnknown]
// for what was not kept, or no longer.
func (s *Service) Handoff(ctx context.Context, order string) (sealed string, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	return ledger.View(ctx, s.Ledger, func(tx *ledger.Tx) (string, error) { return tx.Handoff(s.Shop, order) })
}

// eraseHandoffs erases a bounded number of handoffs that have expired. It reports
// whether there may be more.
func (r *Reconciler) eraseHandoffs(ctx context.Context) (more bool) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	now := r.Now()
	old, err := ledger.View(ctx, r.Ledger, func(tx *ledger.Tx) (bool, error) { return tx.HasOldHandoffs(now) })
	if err == nil && old {
		more, err = ledger.Update(ctx, r.Ledger, func(tx *ledger.Tx) (bool, error) {
			erased, err := tx.EraseHandoffs(now, mostErased)
			return erased == mostErased, err
		})
	}
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("expired handoffs could not be erased: this is repeated later", zap.Error(err))
	}
	return more
}

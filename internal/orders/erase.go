package orders

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// How what payers told the shop is erased.
const (
	eraseWait  = time.Minute // between looks for what is to be erased
	eraseSoon  = time.Second // while there is more
	mostErased = 100         // orders, and deliveries, in one step

	// mostTried is longer than any delivery is tried: one that is still due then is
	// nobody's.
	mostTried = 5 * 24 * time.Hour
)

// safeErase survives what should not happen. It returns how long to wait before the
// next look.
func (r *Reconciler) safeErase(ctx context.Context) (wait time.Duration) {
	wait = eraseWait
	defer logPanic(r.Log, zap.String("in", "erasing fields"))
	if r.Erase(ctx) {
		return eraseSoon
	}
	return eraseWait
}

// Erase erases what payers told those shops that do not keep it for ever, and whose
// time is over, and what was handed to phones and has expired: a bounded number of
// each. It reports whether there may be more.
func (r *Reconciler) Erase(ctx context.Context) (more bool) {
	more = r.eraseHandoffs(ctx)
	for _, name := range r.Shops.names() {
		s := r.Shops.Named(name)
		if s.KeepFields == 0 || s.Ledger != r.Ledger {
			continue
		}
		erased, isMore, err := s.eraseFields(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.Log.Warn("what payers told the shop could not be erased: this is repeated later", zap.String("shop", name), zap.Error(err))
		case erased > 0:
			s.Log.Info("what payers told the shop was erased", zap.String("shop", name), zap.Int("orders", erased))
		}
		more = more || isMore
	}
	return more
}

// eraseFields returns of how many orders the fields were erased, and whether there may
// be more to erase.
func (s *Service) eraseFields(ctx context.Context) (orders int, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	err = s.Ledger.Update(ctx, func(tx *ledger.Tx) error {
		now := s.Now()
		erased, err := tx.EraseFields(s.Shop, now.Add(-s.KeepFields), mostErased)
		for _, order := range erased {
			if err == nil {
				_, err = tx.AddEvent(ledger.Event{Subject: order, Shop: s.Shop, At: now, Kind: "fields_erased"})
			}
		}
		if err != nil {
			return err
		}
		told, err := tx.EraseTold(s.Shop, now.Add(-max(s.KeepFields, mostTried)), mostErased)
		orders, more = len(erased), len(erased) == mostErased || told == mostErased
		return err
	})
	return orders, more, err
}

package orders

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// awaitInterval is how often a claimed order is looked at whose payment somebody
// else is asking for.
const awaitInterval = 100 * time.Millisecond

// AwaitPrepared waits until whoever claimed an order has its payment, or until the
// order cannot be prepared any more, and returns the order as it is known then.
// The end of the context is no error: the order is just not prepared.
func (s *Service) AwaitPrepared(ctx context.Context, o ledger.Order) (ledger.Order, error) {
	for o.Status == ledger.StatusPending && s.UnderWay(o) && s.Sleep(ctx, awaitInterval) {
		known, err := s.findInTime(ctx, o.ID)
		if err != nil && ctx.Err() != nil {
			break
		}
		if err != nil {
			return o, err
		}
		o = known
	}
	return o, nil
}

// claimTime is how long after a refused code somebody else may still claim the
// order whose code was used up: between the gateway's answer and the claim, nothing
// is waited for but the ledger. It is long for a busy node: codes are seldom
// refused, and signing in again takes the payer longer.
const claimTime = 2 * time.Second

// AwaitClaim waits a moment for an order to be claimed by whoever used up its code,
// on this node or another. The error is [ledger.ErrUnknown] if nobody does.
func (s *Service) AwaitClaim(ctx context.Context, id string) (ledger.Order, error) {
	for end := s.Now().Add(claimTime); ; {
		o, err := s.findInTime(ctx, id)
		if !errors.Is(err, ledger.ErrUnknown) || !s.Now().Before(end) || !s.Sleep(ctx, awaitInterval) {
			return o, err
		}
	}
}

// findInTime does not wait for the ledger for as long as a browser waits for us.
func (s *Service) findInTime(ctx context.Context, id string) (ledger.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	return s.Find(ctx, id)
}

// sleep waits and reports whether the context goes on.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

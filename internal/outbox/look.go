package outbox

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// look starts the attempts that are due and for which there is a slot, and
// returns how long to wait before the next look.
func (o *Outbox) look(ctx context.Context) time.Duration {
	now := o.now()
	due, next, err := o.due(ctx, now)
	if err != nil {
		o.troubled(ctx, "the outbox cannot read the ledger", err)
		return lookInterval
	}
	for _, gone := range o.slots.toSweep(due, now, now.Add(sweepInterval)) {
		o.sweep(ctx, gone, now)
	}
	if grants := o.slots.take(due); len(grants) > 0 {
		o.start(ctx, grants, now)
	}
	if next.IsZero() {
		return lookInterval
	}
	return min(max(next.Sub(o.now()), 0), lookInterval)
}

// due returns for which endpoints something is due, and when something is due
// next.
func (o *Outbox) due(ctx context.Context, now time.Time) ([]ledger.Destination, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	var due []ledger.Destination // no named results: after an error the step may still write these
	var next time.Time
	err := o.ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		due, next, err = tx.DueDestinations(now)
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return due, next, nil
}

// start leases a delivery for each slot, as far as there are any, and sends them.
func (o *Outbox) start(ctx context.Context, grants []grant, now time.Time) {
	leased, err := o.lease(ctx, grants, now)
	if err != nil {
		o.troubled(ctx, "the outbox cannot lease what is due", err)
	}
	for i, granted := range grants {
		var mine []ledger.Delivery
		if err == nil {
			mine = leased[i]
		}
		o.slots.release(granted.endpoint, granted.slots-len(mine))
		for _, delivery := range mine {
			o.attempts.Go(func() { o.attempt(ctx, granted.endpoint, delivery) })
		}
	}
}

// lease returns the leased deliveries of each grant, in one transaction. It goes
// on when the outbox is being stopped, so that nothing is leased of which nobody
// knows.
func (o *Outbox) lease(ctx context.Context, grants []grant, now time.Time) ([][]ledger.Delivery, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookLimit)
	defer cancel()
	var leased [][]ledger.Delivery
	err := o.ledger.Update(ctx, func(tx *ledger.Tx) error {
		leased = make([][]ledger.Delivery, len(grants))
		for i, granted := range grants {
			some, err := tx.LeaseDeliveries(granted.Destination, now, now.Add(granted.terms.leaseTime()), granted.slots)
			if err != nil {
				return err
			}
			leased[i] = some
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// troubled logs an error of the ledger, unless the outbox is being stopped.
func (o *Outbox) troubled(ctx context.Context, message string, err error) {
	if ctx.Err() == nil {
		o.log.Warn(message, zap.Error(err))
	}
}

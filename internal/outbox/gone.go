package outbox

import (
	"context"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

const (
	// sweepInterval is how often the deliveries for an endpoint that is gone are
	// looked at.
	sweepInterval = time.Hour

	// sweepLimit is how many of them are looked at each time.
	sweepLimit = 1000
)

// sweep gives up the deliveries for an endpoint that wants nothing more, once
// they have waited as long as one that cannot be delivered. Until then they stay
// due: 410 may be a mistake that the operator mends, and they go out when the
// configuration is loaded again.
func (o *Outbox) sweep(ctx context.Context, e *endpoint, now time.Time) {
	given, err := o.giveUpOld(ctx, e, now)
	if err != nil {
		o.troubled(ctx, "the outbox cannot give up what waits for an endpoint that is gone", err)
		return
	}
	for _, d := range given {
		o.reportGivenUp(e, d)
	}
}

func (o *Outbox) giveUpOld(ctx context.Context, e *endpoint, now time.Time) ([]ledger.Delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	var given []ledger.Delivery
	err := o.ledger.Update(ctx, func(tx *ledger.Tx) error {
		given = nil
		waiting, err := tx.LeaseDeliveries(e.Destination, now, now, sweepLimit)
		if err != nil {
			return err
		}
		for _, d := range waiting {
			if !now.After(d.At.Add(e.terms.Span)) {
				continue
			}
			d.Status = ledger.DeliveryGaveUp
			saved, err := o.saveIn(tx, e, d)
			if err != nil {
				return err
			}
			if saved {
				given = append(given, d)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return given, nil
}

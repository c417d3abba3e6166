package outbox

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

const (
	// saveLimit bounds all tries to save a delivery, and so how long Run goes on
	// after its context has ended.
	saveLimit = 10 * time.Second

	// saveTries is how often saving is tried.
	saveTries = 4

	// saveLimitOnce bounds one try.
	saveLimitOnce = 3 * time.Second

	// saveWait is how long to wait between two tries.
	saveWait = 500 * time.Millisecond
)

// save writes what came of an attempt, even when the outbox is being stopped. What
// cannot be saved is sent again when its lease ends.
func (o *Outbox) save(ctx context.Context, e *endpoint, d ledger.Delivery) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveLimit)
	defer cancel()
	var err error
	for try := range saveTries {
		if try > 0 && !o.sleep(ctx, saveWait) {
			break
		}
		if err = o.saveOnce(ctx, e, d); err == nil {
			return
		}
	}
	o.log.Error("the outcome of a "+e.terms.Kind+" could not be stored: it will be sent again", append(about(d), zap.Error(err))...)
}

func (o *Outbox) saveOnce(ctx context.Context, e *endpoint, d ledger.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, saveLimitOnce)
	defer cancel()
	return o.ledger.Update(ctx, func(tx *ledger.Tx) error {
		_, err := o.saveIn(tx, e, d)
		return err
	})
}

// saveIn reports false if the delivery is done with already. Of one that is given up
// the owner is told in the same step.
func (o *Outbox) saveIn(tx *ledger.Tx, e *endpoint, d ledger.Delivery) (saved bool, err error) {
	saved, err = tx.SaveDelivery(d)
	if err == nil && saved && d.Status == ledger.DeliveryGaveUp && o.gaveUp != nil {
		err = o.gaveUp(tx, d, e.receiver.String(), o.now())
	}
	return saved, err
}

// sleep reports false if the context ended first.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

package outbox

import (
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// after returns the delivery as it is after an attempt that ended at now: it has
// arrived, is due again, or is given up because no attempt is left, or would help.
func after(d ledger.Delivery, terms Terms, result Result, now time.Time) ledger.Delivery {
	d.Attempts++
	d.Attempted = now
	d.LastStatus = result.Status
	d.LastError = ""
	if result.Err != nil {
		d.LastError = result.Err.Error()
	}
	if result.Delivered {
		d.Status = ledger.DeliveryDelivered
		return d
	}
	next, ok := terms.Next(d.MessageID, d.Attempts+1, now)
	if !ok || result.Final {
		d.Status = ledger.DeliveryGaveUp
		return d
	}
	d.NextAt = next
	if asked := now.Add(result.RetryAfter); next.Before(asked) {
		d.NextAt = asked
	}
	return d
}

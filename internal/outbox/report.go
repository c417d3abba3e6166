package outbox

import (
	"encoding/json"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// report logs and counts an attempt.
func (o *Outbox) report(e *endpoint, d ledger.Delivery, result Result, took time.Duration) {
	fields := append(about(d), zap.Stringer("endpoint", e.receiver), zap.Int("attempt", d.Attempts),
		zap.Int("status", d.LastStatus), zap.Float64("seconds", took.Seconds()))
	switch {
	case result.Delivered:
		o.count(e, d, Delivered)
		o.log.Info(e.terms.Kind, fields...)
	case result.Gone:
		o.count(e, d, Gone)
		o.log.Error("a "+e.terms.Kind+" answered 410 Gone: nothing more is sent to it until the configuration is reloaded, and its events wait until then",
			append(fields, zap.Duration("at_most", e.terms.Span))...)
	default:
		o.count(e, d, Failed)
		o.log.Warn(e.terms.Kind+" not delivered", append(fields, zap.Error(result.Err))...)
	}
	if d.Status == ledger.DeliveryGaveUp {
		o.reportGivenUp(e, d)
	}
}

func (o *Outbox) reportGivenUp(e *endpoint, d ledger.Delivery) {
	o.count(e, d, GaveUp)
	o.log.Error("a "+e.terms.Kind+" could not be delivered and was given up",
		append(about(d), zap.Stringer("endpoint", e.receiver), zap.Int("attempts", d.Attempts), zap.Int("status", d.LastStatus))...)
}

func (o *Outbox) count(e *endpoint, d ledger.Delivery, outcome string) {
	if o.observer != nil {
		o.observer.Attempted(d, e.terms.Kind, outcome)
	}
}

// about are the fields by which the log names a delivery: those of every line about
// an order, and the event.
func about(d ledger.Delivery) []zap.Field {
	event := zap.String("event", d.Kind)
	switch {
	case strings.HasSuffix(d.Kind, ".orphaned"):
		return []zap.Field{zap.String("payment", d.Subject), event}
	case strings.HasSuffix(d.Kind, ".compared"):
		return []zap.Field{zap.String("day", d.Subject), event}
	}
	var order struct {
		Items    []struct{ Item string }
		Amount   int64
		Currency string
	}
	if json.Unmarshal(d.Body, &order) != nil {
		return []zap.Field{zap.String("order", d.Subject), event}
	}
	items := make([]string, len(order.Items))
	for i, line := range order.Items {
		items[i] = line.Item
	}
	return []zap.Field{
		zap.String("order", d.Subject), zap.String("item", strings.Join(items, ",")),
		zap.Int64("amount", order.Amount), zap.String("currency", order.Currency), event,
	}
}

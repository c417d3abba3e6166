package outbox

import (
	"context"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

type hook struct{ *webhook.Endpoint }

// Webhook returns the receiver that posts to an endpoint.
func Webhook(endpoint *webhook.Endpoint) Receiver { return hook{endpoint} }

var hookTerms = Terms{Kind: "webhook", Slots: 8, Limit: 15 * time.Second, Span: webhook.Span, Next: webhook.Next}

func (hook) Terms() Terms { return hookTerms }

func (h hook) Send(ctx context.Context, d ledger.Delivery, now time.Time) Result {
	result := h.Endpoint.Send(ctx, webhook.Message{ID: d.MessageID, Type: d.Kind, Timestamp: d.At, Data: d.Body}, now)
	return Result{
		Delivered: result.Delivered, Gone: result.Disabled, Status: result.Status, RetryAfter: result.RetryAfter, Err: result.Err,
	}
}

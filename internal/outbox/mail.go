package outbox

import (
	"context"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail"
)

type letterbox struct{ *mail.Endpoint }

// Mail returns the receiver that writes mails to an endpoint.
func Mail(endpoint *mail.Endpoint) Receiver { return letterbox{endpoint} }

// mailTerms let few mails go at once: servers count the connections of a client.
var mailTerms = Terms{
	Kind: "mail", Slots: 2, Limit: 70 * time.Second, Span: mail.Span,
	Next: func(_ string, n int, last time.Time) (time.Time, bool) { return mail.Next(n, last) },
}

func (letterbox) Terms() Terms { return mailTerms }

func (l letterbox) Send(ctx context.Context, d ledger.Delivery, _ time.Time) Result {
	result := l.Endpoint.Send(ctx, mail.Message{ID: d.MessageID, Kind: d.Kind, At: d.At, Data: d.Body})
	return Result{Delivered: result.Delivered, Final: result.Final, Status: result.Code, Err: result.Err}
}

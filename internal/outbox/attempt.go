package outbox

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

var errPanicked = errors.New("sending the message failed with a panic")

// attempt sends a leased delivery once and saves what came of it. It gives its
// slot back.
func (o *Outbox) attempt(ctx context.Context, e *endpoint, d ledger.Delivery) {
	defer o.Wake() // more may be due, or this again soon
	defer o.slots.release(e, 1)
	defer o.recovered(d)

	began := time.Now()
	result := o.send(ctx, e, d)
	if wasCut(ctx, result) {
		d.NextAt = o.now()
		o.save(ctx, e, d)
		return
	}
	d = after(d, e.terms, result, o.now())
	o.report(e, d, result, time.Since(began))
	if result.Gone {
		o.slots.close(e, o.now().Add(sweepInterval))
	}
	o.save(ctx, e, d)
}

// send makes the attempt. The message is the same at every attempt.
func (o *Outbox) send(ctx context.Context, e *endpoint, d ledger.Delivery) (result Result) {
	defer func() {
		if cause := recover(); cause != nil {
			o.log.Error("panic", append(about(d), zap.Any("panic", cause), zap.ByteString("stack", debug.Stack()))...)
			result = Result{Err: errPanicked}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, e.terms.Limit)
	defer cancel()
	return e.receiver.Send(ctx, d, o.now())
}

// wasCut reports whether we ended the attempt, by stopping, before the endpoint
// had answered.
func wasCut(ctx context.Context, result Result) bool {
	return ctx.Err() != nil && !result.Delivered && result.Status == 0
}

// recovered keeps a panic from ending the program. The delivery is tried again
// when its lease ends.
func (o *Outbox) recovered(d ledger.Delivery) {
	if cause := recover(); cause != nil {
		o.log.Error("panic", append(about(d), zap.Any("panic", cause), zap.ByteString("stack", debug.Stack()))...)
	}
}

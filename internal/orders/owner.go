package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// RefusalKind is why the shop's owner does not get what was asked for.
type RefusalKind int

// The kinds of refusals.
const (
	Invalid  RefusalKind = iota + 1 // what was asked for makes no sense
	Conflict                        // the order is not in a state for it
	Busy                            // try again
	Gateway                         // the gateway would not, or could not be asked
)

// Refusal says, in a sentence for people, why the shop's owner does not get what
// was asked for.
type Refusal struct {
	Kind RefusalKind
	Text string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Text }

func refuse(kind RefusalKind, format string, args ...any) error {
	return &Refusal{kind, fmt.Sprintf(format, args...)}
}

// ofGateway makes a refusal of an error of the gateway.
func ofGateway(err error) error {
	if failure, ok := errors.AsType[*qfpay.Error](err); ok {
		return &Refusal{Gateway, failure.Error()}
	}
	return err
}

// attendLimit bounds one look at one order.
const attendLimit = 60 * time.Second

// LookUp asks the gateway about an order and its open refunds now, unless it was
// asked just now. It goes on when whoever asked has hung up.
func (s *Service) LookUp(ctx context.Context, id string) (ledger.Order, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attendLimit)
	defer cancel()
	o, err := s.Find(ctx, id)
	if err != nil {
		return o, err
	}
	if o, err = s.enquire(ctx, o, 1); err != nil {
		return o, ofGateway(err)
	}
	if err := s.followRefunds(ctx, o, true); err != nil {
		return o, ofGateway(err)
	}
	return s.Find(ctx, id)
}

// Close ends an order that nobody has paid, so that nobody can pay it any more.
func (s *Service) Close(ctx context.Context, id string) (ledger.Order, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attendLimit)
	defer cancel()
	o, err := s.Find(ctx, id)
	if err != nil {
		return o, err
	}
	if o.Status != ledger.StatusPending {
		return o, refuse(Conflict, "the order is %s: only a pending one can be closed", o.Status)
	}
	if o, err = s.close(ctx, o); err != nil {
		return o, ofGateway(err)
	}
	if o.Status.Paid() {
		return o, refuse(Conflict, "the order was paid in the meantime: it cannot be closed, but it can be refunded")
	}
	return o, nil
}

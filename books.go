package qfpayjsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// books keep one ledger in step with the gateway. Payers' requests,
// notifications and the app all work on orders through them.
type books struct {
	name     string
	ledger   *ledger.Ledger
	gateway  gateway
	account  *account
	logger   *zap.Logger
	now      func() time.Time
	timeout  time.Duration // of one call to the gateway
	orderTTL time.Duration
	emit     func(event string, data map[string]any)

	// meanwhile starts what need not be waited for at once.
	meanwhile func(do func() error) (wait func() error)
}

// expiry is when the time to finish a payment is over. The block that took the
// order said so in its intent: another block with the same ledger, whose books
// these may be, may give its payers less time or more.
func (b *books) expiry(order ledger.Order) time.Time {
	if until := order.Intent.Until; !until.IsZero() {
		return until
	}
	return order.Intent.At.Add(b.orderTTL)
}

// findOrAdopt finds an order of which the gateway speaks, even if the callback
// that asked for its payment has not made its intent a fact yet, and maybe never
// will.
func (b *books) findOrAdopt(ctx context.Context, id string) (ledger.Order, error) {
	order, err := b.ledger.FindOrEntered(ctx, id)
	if err != nil || !order.Entered {
		return order, err
	}
	order.Entered = false
	if b.underWay(order) { // and hears of it later than we do
		return order, b.begin(ctx, id, order.Intent)
	}
	return order, b.adopt(ctx, id, order.Intent)
}

// begin makes the intent a fact of an order that the gateway knows, or may know.
func (b *books) begin(ctx context.Context, order string, intent ledger.Intent) error {
	err := b.ledger.Begin(ctx, order, intent)
	if err == nil {
		b.countStatus(ledger.Order{ID: order, Intent: intent})
	}
	return err
}

// adopt takes over an order that the gateway knows although the callback that
// entered it ended in the middle of its work, as when its node died.
func (b *books) adopt(ctx context.Context, order string, intent ledger.Intent) error {
	if err := b.begin(ctx, order, intent); err != nil {
		return err
	}
	b.logger.Warn("a callback ended in the middle of its work; the order is followed to its end", orderFields(order, intent)...)
	return nil
}

// isKnown asks whether the gateway has heard of an order.
func (b *books) isKnown(ctx context.Context, order string, intent ledger.Intent) (known bool, err error) {
	_, err = b.askAnd(ctx, ledger.Order{ID: order, Intent: intent}, func(_ context.Context, order ledger.Order, n news) (ledger.Order, error) {
		known = known || n.number == order.ID
		return order, nil
	})
	return known, err
}

// enquire asks the gateway about a pending order, at most once per
// [enquiryInterval] and one request at a time over all nodes, and returns the
// order as it is known after that. A gateway that does not answer changes nothing.
func (b *books) enquire(ctx context.Context, order ledger.Order) ledger.Order {
	if !b.account.asked.due(order.ID, b.now()) {
		return order
	}
	ctx, cancel := context.WithTimeout(ctx, b.timeout+5*time.Second)
	defer cancel()
	settled, err, _ := b.account.enquiries.Do(order.ID, func() (any, error) {
		settled, err := b.askInTurn(ctx, order)
		b.noteTrouble(order, err)
		return settled, err
	})
	if err != nil {
		return order
	}
	return settled.(ledger.Order)
}

// glance is an enquiry for a browser that looks at its order, unless browsers
// have asked so much that others could not pay.
func (b *books) glance(ctx context.Context, order ledger.Order) ledger.Order {
	if now := b.now(); order.Entered || !b.account.asked.isDue(order.ID, now) || !b.account.glances.AllowN(now, 1) {
		return order
	}
	return b.enquire(ctx, order)
}

// askInTurn asks unless another node does, or just did. What that one learned
// is in the ledger then.
func (b *books) askInTurn(ctx context.Context, order ledger.Order) (ledger.Order, error) {
	done, ok, err := b.ledger.TakeTurn(ctx, order.ID, b.now(), enquiryInterval)
	if err != nil {
		return order, err
	}
	if !ok {
		return b.ledger.Find(ctx, order.ID)
	}
	defer done()
	return b.ask(ctx, order)
}

// ask makes the enquiry: by the gateway's own number where it is known, which
// is found whatever the month, else by ours in the time around the order.
func (b *books) ask(ctx context.Context, order ledger.Order) (ledger.Order, error) {
	return b.askAnd(ctx, order, b.settle)
}

// askAnd makes the enquiry and has what it says settled.
func (b *books) askAnd(ctx context.Context, order ledger.Order, settle func(context.Context, ledger.Order, news) (ledger.Order, error)) (ledger.Order, error) {
	queries := []qfpay.Query{}
	if order.Prepared != nil && order.Prepared.Syssn != "" {
		queries = append(queries, qfpay.Query{Syssn: order.Prepared.Syssn})
	} else {
		for _, window := range qfpay.Windows(order.Intent.At, b.now()) {
			queries = append(queries, qfpay.Query{OutTradeNo: order.ID, Start: window.Start, End: window.End})
		}
	}
	for _, query := range queries {
		trades, err := b.query(ctx, order, query)
		if err != nil {
			return order, err
		}
		for _, trade := range trades {
			if order, err = settle(ctx, order, newsOfTrade(trade)); err != nil {
				return order, err
			}
		}
	}
	return order, nil
}

// expire ends an order whose time is over: it asks, closes and asks again. An
// order that the gateway will not close stays open until giveUp.
func (b *books) expire(ctx context.Context, order ledger.Order) ledger.Order {
	if order = b.enquire(ctx, order); order.Status() != ledger.StatusPending {
		return order
	}
	closed, err := b.close(ctx, order)
	if err != nil {
		b.logger.Log(failureLevel(err), "an order whose time is over could not be closed; it stays open",
			append(orderFields(order.ID, order.Intent), failureFields(err)...)...)
	}
	return closed
}

// close ends a pending order: at the gateway, and after a last enquiry here.
// Without an error, it is not pending any more; what came of it, the order says.
func (b *books) close(ctx context.Context, order ledger.Order) (ledger.Order, error) {
	closed, err := b.end(ctx, order)
	if err != nil {
		return order, err
	}
	asked, err := b.askAnd(ctx, order, b.settleEnded)
	if err != nil || asked.Paid != nil {
		return asked, err
	}
	if err := b.ledger.Record(ctx, order.ID, closed); err != nil {
		return order, err
	}
	asked.Closed = &closed
	b.logger.Info("closed", append(orderFields(order.ID, order.Intent), zap.String("reason", closed.Reason),
		zap.String("respcd", closed.Respcd), b.seconds(closed.At))...)
	b.tell(asked, "order.closed", nil)
	return asked, nil
}

// giveUp is how long after its time an order is asked about that the gateway
// neither closes nor settles. One that it will not close because it is paid,
// although the enquiry does not show it, is never given up; one of which it shows
// that something else was paid is.
const giveUp = 24 * time.Hour

// end asks the gateway to close the trade of an order. After an error the order
// must stay open.
func (b *books) end(ctx context.Context, order ledger.Order) (closed ledger.Closed, err error) {
	closed.At = b.now().UTC()
	request := qfpay.Close{OutTradeNo: order.ID, Amount: order.Intent.Amount, Time: b.now()}
	if order.Prepared != nil {
		request.Syssn = order.Prepared.Syssn
	}
	err = b.gateway.Close(ctx, request)
	var failure *qfpay.Error
	answered := errors.As(err, &failure)
	switch {
	case err == nil:
		closed.Reason = "closed"
	case answered && failure.NotFound() && !b.underWay(order):
		closed.Respcd = failure.Respcd
		closed.Reason = "not_found"
	case b.now().After(b.expiry(order).Add(giveUp)) && (!answered || !failure.Paid() || b.isDisputed(ctx, order)):
		b.logger.Error("the gateway never said what became of an order; it counts as closed from now on",
			append(orderFields(order.ID, order.Intent), failureFields(err)...)...)
		closed.Reason = "given_up"
	default:
		return closed, err
	}
	return closed, nil
}

// isDisputed reports whether it is known that the gateway vouches for something
// else than was ordered.
func (b *books) isDisputed(ctx context.Context, order ledger.Order) bool {
	history, err := b.ledger.History(ctx, order.ID)
	if err != nil {
		return false
	}
	disputes, err := history.Disputes()
	return err == nil && len(disputes) > 0
}

// underWay reports whether a callback may be asking for the payment right now:
// what the gateway does not know yet, it may know in a moment.
func (b *books) underWay(order ledger.Order) bool {
	return order.Prepared == nil && b.now().Before(order.Intent.Sent.Add(b.callbackTime()))
}

// callbackTime bounds the whole work of a callback: two calls to the gateway,
// and the time until the lock of a node that died counts as stale.
func (b *books) callbackTime() time.Duration { return 2*b.timeout + 15*time.Second }

// tell lets Caddy's event handlers know, and the app, which tells the shop. The
// handlers hear of it once, though requests may learn the same at the same moment.
func (b *books) tell(order ledger.Order, event string, more map[string]any) {
	b.countNews(order, event)
	b.account.wake(order.ID)
	if b.emit != nil && b.account.first(fmt.Sprint("told ", order.ID, event, order.Status(), more)) {
		data := eventData(order)
		maps.Copy(data, more)
		b.emit(event, data)
	}
}

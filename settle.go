package qfpayjsapi

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// news is what the gateway vouches for about one payment, whichever way it
// reached us.
type news struct {
	number, syssn string // ours, the gateway's
	amount        int64
	currency      string
	state         qfpay.TradeState
	refunded      bool // some of the money went back
	paidAt        time.Time
	respcd        string
	message       string
	source        string // enquiry or notification
}

func newsOfTrade(trade qfpay.Trade) news {
	n := news{
		number: trade.OutTradeNo, syssn: trade.Syssn,
		amount: trade.Amount, currency: trade.Currency,
		state: trade.State(), refunded: trade.Cancel == "3" || trade.Cancel == "5",
		paidAt: trade.PaidAt, respcd: trade.Respcd, message: trade.ErrMsg, source: "enquiry",
	}
	if trade.OrderType != "payment" {
		n.state = qfpay.TradeOpen
	}
	return n
}

// settle is the one way in which an order is settled. It adds to the order
// what the news say, if they are about our number, our amount and our
// currency, and returns the order as it is known then. News that are known
// already add nothing, and none leads back.
func (b *books) settle(ctx context.Context, order ledger.Order, n news) (ledger.Order, error) {
	if n.number != order.ID || n.state == qfpay.TradeOpen {
		return order, nil
	}
	if n.amount != order.Intent.Amount || n.currency != order.Intent.Currency {
		return order, b.dispute(ctx, order, n)
	}
	switch {
	case n.state == qfpay.TradePaid, n.state == qfpay.TradeReversed && n.refunded:
		return b.settlePaid(ctx, order, n)
	case n.state == qfpay.TradeReversed && order.Paid != nil:
		return b.settleRefunds(ctx, order, true)
	default:
		return b.settleFailed(ctx, order, n)
	}
}

// settleEnded settles an order that the gateway was just asked to end. That its
// trade is over then is no news: the order did not fail, it is closed.
func (b *books) settleEnded(ctx context.Context, order ledger.Order, n news) (ledger.Order, error) {
	if n.state == qfpay.TradeDead {
		return order, nil
	}
	return b.settle(ctx, order, n)
}

func (b *books) settlePaid(ctx context.Context, order ledger.Order, n news) (ledger.Order, error) {
	switch {
	case order.Paid == nil:
		if err := b.recordPaid(ctx, &order, n); err != nil {
			return order, err
		}
	case n.source == "notification": // again: who stored it may have died before announcing it
		if err := b.ledger.Announce(ctx, order.ID, *order.Paid); err != nil {
			return order, err
		}
	}
	if n.refunded {
		return b.settleRefunds(ctx, order, n.state == qfpay.TradeReversed)
	}
	return order, nil
}

func (b *books) recordPaid(ctx context.Context, order *ledger.Order, n news) error {
	paid := ledger.Paid{At: b.now().UTC(), PaidAt: n.paidAt, Syssn: n.syssn, Source: n.source}
	late := order.Status() != ledger.StatusPending
	if err := b.storePaid(ctx, order.ID, paid, late); err != nil {
		return err
	}
	order.Paid = &paid
	fields := append(orderFields(order.ID, order.Intent), zap.String("syssn", n.syssn), zap.String("source", n.source))
	if late {
		b.once("paid "+order.ID).Error("an order was paid after it had been called over: deliver or refund it", fields...)
	} else {
		b.once("paid "+order.ID).Info("paid", fields...)
	}
	b.tell(*order, "order.paid", nil)
	return nil
}

// storePaid records a payment and tells the node that looks after open orders,
// unless this is the one, which is told in memory. An order that was paid in time
// is on the index, as it was pending; and if nothing had ended it before it was
// paid, nobody can be taking it off without having seen that it is. Otherwise the
// news keep it there.
func (b *books) storePaid(ctx context.Context, order string, paid ledger.Paid, late bool) error {
	if late {
		return b.ledger.Add(ctx, order, paid)
	}
	if err := b.ledger.Record(ctx, order, paid); err != nil {
		return err
	}
	if b.account.leads.Load() > 0 {
		if over, err := b.ledger.CalledOver(ctx, order); err == nil && !over {
			return nil
		}
	}
	return b.ledger.Announce(ctx, order, paid)
}

func (b *books) settleFailed(ctx context.Context, order ledger.Order, n news) (ledger.Order, error) {
	if order.Status() != ledger.StatusPending {
		return order, nil
	}
	failed := ledger.Failed{At: b.now().UTC(), Call: "query", Respcd: n.respcd, Message: n.message}
	if err := b.ledger.Record(ctx, order.ID, failed); err != nil {
		return order, err
	}
	order.Failed = &failed
	if err := b.ledger.Announce(ctx, order.ID, failed); err != nil {
		return order, err
	}
	b.once("failed "+order.ID).Info("failed",
		append(orderFields(order.ID, order.Intent), zap.String("syssn", n.syssn), zap.String("respcd", n.respcd))...)
	b.tell(order, "order.closed", nil)
	return order, nil
}

// settleRefunds notes what an enquiry about the payment says of refunds: that
// there are some, or that all went back. Which they were, the notifications and
// the enquiries about the refunds themselves say.
func (b *books) settleRefunds(ctx context.Context, order ledger.Order, all bool) (ledger.Order, error) {
	refunds, err := b.refunds(ctx, order.ID)
	if err != nil || len(refunds.Open()) > 0 { // the gateway may count those, and refuse them yet
		return order, err
	}
	order, added, err := b.flagRefunds(ctx, order, all)
	if err != nil || !added {
		return order, err
	}
	b.once("refunded "+order.ID+" "+string(order.Status())).Info("refunded", append(orderFields(order.ID, order.Intent), zap.Bool("all", all))...)
	b.tell(order, "order.refunded", nil)
	return order, nil
}

// dispute keeps news that vouch for another amount or currency. The order does
// not count as paid by them. Every enquiry finds them again: once they are kept,
// nothing is new about them, and the app is not to look at the order again at
// once for their sake.
func (b *books) dispute(ctx context.Context, order ledger.Order, n news) error {
	fields := append(orderFields(order.ID, order.Intent), zap.String("syssn", n.syssn), zap.String("source", n.source),
		zap.Int64("gateway_amount", n.amount), zap.String("gateway_currency", n.currency))
	if n.state == qfpay.TradeDead {
		b.once("dead "+order.ID+" "+n.syssn).Warn("the gateway ended a trade of another amount or currency under this order's number", fields...)
		return nil
	}
	b.once("disputed "+order.ID+" "+n.syssn).Error("the gateway vouches for another amount or currency than was ordered; the order does not count as paid", fields...)
	disputed := ledger.Disputed{At: b.now().UTC(), Syssn: n.syssn, Amount: n.amount, Currency: n.currency, Source: n.source}
	history, err := b.ledger.History(ctx, order.ID)
	if err != nil || history.Has(disputed) {
		return err
	}
	if err := b.ledger.Add(ctx, order.ID, disputed); err != nil {
		return err
	}
	b.tell(order, "payment.disputed", disputeData(disputed))
	return nil
}

// orphan keeps a payment that belongs to no order of ours.
func (b *books) orphan(ctx context.Context, orphan ledger.Orphan) error {
	b.once("orphan "+orphan.Syssn).Error("the gateway vouches for a payment that is no order of ours", orphanFields(orphan)...)
	subject, err := b.ledger.RecordOrphan(ctx, orphan)
	if err != nil {
		return err
	}
	b.account.wake(subject)
	b.countOrphan(orphan)
	if b.emit != nil && b.account.first("told orphan "+orphan.Syssn) {
		b.emit("payment.orphaned", orphanData(orphan))
	}
	return nil
}

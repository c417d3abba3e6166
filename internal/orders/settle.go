package orders

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// settle is the one way in which an order is settled. It changes the order as the
// gateway's report says, if the report is about our number, our amount and our
// currency. A report that says nothing new changes nothing, and none leads back:
// paid outranks failed and closed, whichever came first. The caller saves the
// order.
func (st *step) settle(o *ledger.Order, r report) error {
	if r.number != o.ID || r.state == qfpay.TradeOpen {
		return nil
	}
	foreign, err := st.isForeign(*o, r)
	switch {
	case err != nil:
		return err
	case r.amount != o.Intent.Amount, r.currency != "" && r.currency != o.Intent.Currency, foreign:
		return st.dispute(o, r)
	case r.saysPaid():
		return st.settlePaid(o, r)
	case r.state == qfpay.TradeReversed && o.Status.Paid():
		return st.settleRefunds(o, true, r.source)
	default:
		return st.settleFailed(o, r)
	}
}

// isForeign reports whether a report is about a payment of something else: its
// number was somebody else's at the gateway, the gateway's own number belongs to
// another order, or the order was paid by another payment already.
func (st *step) isForeign(o ledger.Order, r report) (bool, error) {
	if o.ForeignTrade || r.syssn != "" && o.Status.Paid() && o.Syssn != "" && o.Syssn != r.syssn {
		return true, nil
	}
	if r.syssn == "" || r.syssn == o.Syssn {
		return false, nil
	}
	return st.isTaken(o, r.syssn)
}

// isTaken reports whether a number of the gateway's is that of another order's
// payment, or of a refund, and so not that of the payment of this order.
func (st *step) isTaken(o ledger.Order, syssn string) (bool, error) {
	owner, err := st.OrderOfSyssn(o.Account, syssn)
	if err != nil || owner != "" && owner != o.ID {
		return true, err
	}
	refunds, err := st.RefundsNamed(o.Account, "", syssn)
	return len(refunds) > 0, err
}

func (st *step) settlePaid(o *ledger.Order, r report) error {
	if !o.Status.Paid() {
		o.Late = o.Status != ledger.StatusPending
		o.Status, o.PaidAt, o.Ended = ledger.StatusPaid, r.paidAt, st.now
		if o.PaidAt.IsZero() {
			o.PaidAt = st.now
		}
		if r.syssn != "" {
			o.Syssn = r.syssn
		}
		if err := st.sellStock(o); err != nil {
			return err
		}
		_, err := st.happened(*o, happening{
			kind: "paid", data: paidData(*o, r),
			log: paidLog(*o, r), event: EventPaid, key: "paid", statusChanged: true,
		})
		if err != nil {
			return err
		}
		if err := st.applyKnownRefunds(o); err != nil {
			return err
		}
	}
	if r.refunded {
		return st.settleRefunds(o, r.state == qfpay.TradeReversed, r.source)
	}
	return nil
}

// paidData is what the history says of a payment.
func paidData(o ledger.Order, r report) map[string]any {
	data := map[string]any{"syssn": r.syssn, "source": r.source, "late": o.Late}
	if o.LacksStock() {
		data["stock"] = stockShort
	}
	return data
}

// paidLog is what the log says of a payment.
func paidLog(o ledger.Order, r report) logLine {
	fields := []zap.Field{zap.String("syssn", r.syssn), zap.String("source", r.source)}
	switch {
	case o.LacksStock():
		return alarm("an order was paid, and not enough is left of what it is for: refund it", append(fields, zap.String("stock", stockShort))...)
	case o.Late:
		return alarm("an order was paid after it had failed or was closed: deliver or refund it", fields...)
	default:
		return info("paid", fields...)
	}
}

func (st *step) settleFailed(o *ledger.Order, r report) error {
	if o.Status != ledger.StatusPending || o.Syssn != "" && r.syssn != "" && o.Syssn != r.syssn {
		return nil // another trade under the number decides nothing
	}
	return st.fail(o, happening{
		data: map[string]any{"call": "query", "respcd": r.respcd, "message": r.message},
		log:  info("failed", zap.String("syssn", r.syssn), zap.String("respcd", r.respcd)),
	})
}

// fail ends a pending order that the gateway refused, or whose trade it ended.
func (st *step) fail(o *ledger.Order, h happening) error {
	if err := st.ReturnStock(o); err != nil {
		return err
	}
	o.Status, o.Ended = ledger.StatusFailed, st.now
	h.kind, h.event, h.key, h.statusChanged = "failed", EventClosed, "closed", true
	_, err := st.happened(*o, h)
	return err
}

// settleRefunds notes what a report about the payment says of refunds: that
// there are some, or that all went back. Which they were, the notifications and
// the enquiries about the refunds themselves say.
func (st *step) settleRefunds(o *ledger.Order, all bool, source string) error {
	refunds, err := st.Refunds(o.ID)
	if err != nil {
		return err
	}
	for _, refund := range refunds.Open() {
		if refund.Status == ledger.RefundSent { // the gateway may count it, and refuse it yet
			return nil
		}
	}
	kind := "partially_refunded"
	switch {
	case o.Status == ledger.StatusRefunded, !all && o.Status == ledger.StatusPartiallyRefunded:
		return nil
	case all:
		kind = "refunded"
		o.Status, o.Refunded, o.RefundedAt = ledger.StatusRefunded, o.Intent.Amount, st.now
	default:
		o.Status = ledger.StatusPartiallyRefunded
	}
	_, err = st.happened(*o, happening{
		kind: kind, data: map[string]any{"source": source},
		log: info("refunded", zap.Bool("all", all)), event: EventRefunded, key: kind, statusChanged: true,
	})
	return err
}

// dispute keeps a report about another payment than was ordered. The order does
// not count as paid by it. Every enquiry finds it again: then nothing is new.
func (st *step) dispute(o *ledger.Order, r report) error {
	if r.state == qfpay.TradeDead || o.ForeignTrade && r.source == "enquiry" {
		return nil // nobody's money has moved, or it is known that the trade is not ours
	}
	o.Disputed = true
	told := map[string]any{"syssn": r.syssn, "amount": r.amount, "currency": r.currency}
	_, err := st.happened(*o, happening{
		kind: "disputed", about: r.syssn, data: map[string]any{"syssn": r.syssn, "amount": r.amount, "currency": r.currency, "source": r.source},
		log: alarm("the gateway reports another payment than was ordered; the order does not count as paid by it",
			zap.String("syssn", r.syssn), zap.String("source", r.source),
			zap.Int64("gateway_amount", r.amount), zap.String("gateway_currency", r.currency)),
		event: EventDisputed, key: "disputed-" + segment(r.syssn), message: map[string]any{"gateway": told},
	})
	return err
}

// When a pending order or a refund is first asked about, counted from when it
// became payable or was sent; after the last one it is asked about every
// laterEnquiries.
var enquiryTimes = []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute}

const (
	laterEnquiries = 5 * time.Minute
	rescanInterval = 5 * time.Second // at which a reconciler looks without being woken
)

// nextEnquiry is the first time after now at which something is asked about.
func nextEnquiry(since, now time.Time) time.Time {
	for _, after := range enquiryTimes {
		if at := since.Add(after); at.After(now) {
			return at
		}
	}
	return now.Add(laterEnquiries)
}

// nextCheck is when something is to be done about an order; zero if nothing is.
func (st *step) nextCheck(o ledger.Order, refunds ledger.Refunds, now time.Time) time.Time {
	if o.Status == ledger.StatusPending {
		return st.nextCheckOfPending(o, now)
	}
	var next time.Time
	sent := false
	for _, refund := range refunds.Open() {
		if refund.Status == ledger.RefundSent {
			sent = true
			next = earlier(next, nextRefundEnquiry(refund, now))
		}
	}
	if !sent && len(refunds.Open()) > 0 { // the next one in turn
		return now
	}
	return next
}

func (st *step) nextCheckOfPending(o ledger.Order, now time.Time) time.Time {
	service := st.Service
	if own := st.Shops.Named(o.Shop); own != nil {
		service = own
	}
	deadline := service.deadline(o)
	switch {
	case !now.Before(deadline):
		overdue := now.Sub(deadline)
		return now.Add(min(max(overdue, 15*time.Second), 2*time.Hour))
	case !o.IsPrepared():
		return deadline
	}
	next := nextEnquiry(o.Prepared, now)
	if deadline.Before(next) {
		return deadline
	}
	return next
}

// latest returns the last of some times.
func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// earlier returns the earlier time; the zero time stands for never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

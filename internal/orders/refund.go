package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// Refund gives back an order's money, or a part of it. The refund is the one that
// the shop calls refundID: asked for again, it is not made again. An amount of 0
// stands for all that is left. What it returns may still be open: it waits for
// another refund of the payment, or its outcome is not known. The reconciler
// follows it to its end. It goes on when whoever asked has hung up.
func (s *Service) Refund(ctx context.Context, id, refundID string, amount int64) (ledger.Refund, error) {
	if !ledger.ValidRefundID(refundID) {
		return ledger.Refund{}, refuse(Invalid,
			"refund_id is required: 1 to 64 of A-Z a-z 0-9 _ . - and neither . nor - in front; use a new one for each refund, so that repeating a request does not refund twice")
	}
	if amount < 0 {
		return ledger.Refund{}, refuse(Invalid, "the amount of a refund is positive, in minor units")
	}
	if _, err := s.Find(ctx, id); err != nil {
		return ledger.Refund{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refundGap+s.Timeout+2*storeLimit)
	defer cancel()
	reserved, err := s.reserve(ctx, id, refundID, amount)
	if err != nil || !reserved.isOurs {
		return reserved.refund, err
	}
	return s.sendRefund(ctx, reserved.order, reserved.refund)
}

// reserve notes, durably and before the gateway hears of it, that a refund is to
// be made. It is ours to send unless it was asked for before, or another refund of
// the payment is at the gateway, which takes one at a time.
func (s *Service) reserve(ctx context.Context, id, refundID string, amount int64) (reservation, error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	reserved, err := update(ctx, s, func(st *step) (reservation, error) {
		o, refund, isOurs, err := st.reserve(id, refundID, amount)
		return reservation{o, refund, isOurs}, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		s.Log.Warn("a refund waited too long for the ledger", zap.String("order", id), zap.String("refund_id", refundID), zap.Error(err))
		err = refuse(Busy, "the ledger is slow or busy: try again with the same refund_id")
	}
	return reserved, err
}

// reservation is a refund, and whether it is ours to send.
type reservation struct {
	order  ledger.Order
	refund ledger.Refund
	isOurs bool
}

func (st *step) reserve(id, refundID string, amount int64) (o ledger.Order, refund ledger.Refund, isOurs bool, err error) {
	if o, err = st.Order(id); err != nil {
		return o, refund, false, err
	}
	if !o.Status.Paid() {
		return o, refund, false, refuse(Conflict, "the order is %s: only a paid one can be refunded", o.Status)
	}
	refunds, err := st.Refunds(id)
	if err != nil {
		return o, refund, false, err
	}
	if before, ok := refunds.Of(refundID); ok {
		return o, before, false, sameRefund(o, before, amount)
	}
	if amount, err = wanted(o, refunds, amount); err != nil {
		return o, refund, false, err
	}
	refund = ledger.Refund{
		Order: id, Number: RefundNumber(id, refundID), Account: o.Account, RefundID: refundID, Amount: amount,
		Currency: o.Intent.Currency, Status: ledger.RefundWaiting, Requested: st.now,
	}
	if _, err := st.happened(o, happening{kind: "refund_requested", about: refundID, data: map[string]any{"amount": amount}}); err != nil {
		return o, refund, false, err
	}
	if isOurs, err = st.takeTheGateway(&refund, refunds); err != nil {
		return o, refund, false, err
	}
	if err := st.SaveRefund(refund); err != nil {
		return o, refund, false, err
	}
	return o, refund, isOurs, st.save(&o)
}

// refundGap is the least time between two refunds of one payment. Of two within
// about a second, the gateway refuses the second.
const refundGap = 2 * time.Second

// takeTheGateway marks a refund as sent, if no other of its payment is. Once it is
// marked, it is never sent again: whoever marked it sends it, as soon as the gateway
// takes another refund of the payment, or died.
func (st *step) takeTheGateway(refund *ledger.Refund, refunds ledger.Refunds) (taken bool, err error) {
	var last time.Time
	for _, other := range refunds {
		if other.Status == ledger.RefundSent {
			return false, nil
		}
		last = latest(last, other.Sent, other.Ended)
	}
	refund.Status, refund.Sent = ledger.RefundSent, st.now
	if since := st.now.Sub(last); since >= 0 && since < refundGap {
		refund.Sent = last.Add(refundGap)
	}
	_, err = st.TakeCalls(refund.Account, st.now, 1, callBurst, callInterval, true)
	return true, err
}

// wanted is how much is refunded, if so much is left.
func wanted(o ledger.Order, refunds ledger.Refunds, amount int64) (int64, error) {
	left, onTheirWay := refunds.Left(o), ""
	if open := len(refunds.Open()); open > 0 {
		onTheirWay = fmt.Sprintf("; refunds pending: %d", open)
	}
	switch {
	case left == 0:
		return 0, refuse(Conflict, "nothing is left to refund of this order%s", onTheirWay)
	case amount > left:
		return 0, refuse(Conflict, "at most %s is left to refund of this order%s", qfpay.Display(left, o.Intent.Currency), onTheirWay)
	case amount == 0:
		return left, nil
	default:
		return amount, nil
	}
}

// sameRefund reports if the same id is used for something else.
func sameRefund(o ledger.Order, before ledger.Refund, amount int64) error {
	if amount == 0 || amount == before.Amount {
		return nil
	}
	return refuse(Conflict, "the refund %s already exists, over %s: choose another refund_id for another refund",
		before.RefundID, qfpay.Display(before.Amount, o.Intent.Currency))
}

// RefundNumber is the out_trade_no of a refund: the order's number, so that the
// order is known from it alone, and 6 characters that follow from the refund's id,
// so that the same refund always has the same number and the gateway makes it once.
func RefundNumber(order, refundID string) string {
	return order + shortHash(order+"\x00"+refundID)
}

// refundedOrder is the order that a refund's number belongs to, if it is one of
// ours.
func refundedOrder(number string) string {
	if len(number) == ulid.EncodedSize+6 {
		return number[:ulid.EncodedSize]
	}
	return number
}

// sendRefund asks the gateway, once. Whatever it does not clearly refuse stays open
// and is enquired about from now on, and never sent again.
func (s *Service) sendRefund(ctx context.Context, o ledger.Order, refund ledger.Refund) (ledger.Refund, error) {
	ctx, cancel := context.WithTimeout(ctx, refundGap+s.Timeout+storeLimit)
	defer cancel()
	if wait := refund.Sent.Sub(s.Now()); wait > 0 {
		s.Sleep(ctx, min(wait, refundGap))
	}
	began := s.Now()
	syssn, err := s.refundTrade(ctx, qfpay.Refund{Syssn: o.Syssn, OutTradeNo: refund.Number, Amount: refund.Amount, Time: began})
	fields := append(OrderFields(o), zap.String("refund_id", refund.RefundID), zap.Int64("refund_amount", refund.Amount), s.seconds(began))
	failure, answered := errors.AsType[*qfpay.Error](err)
	switch {
	case err == nil:
		s.Log.Info("refund", append(fields, zap.String("syssn", syssn), zap.String("respcd", "0000"))...)
		return s.recordRefund(ctx, o.ID, refundReport{number: refund.Number, syssn: syssn, amount: refund.Amount, source: "reply"})
	case answered && failure.Outcome == qfpay.Refused && !failure.Duplicate():
		return s.refuseRefund(ctx, o.ID, refund.Number, failure.Respcd, refusalText(failure))
	default:
		s.Log.Log(FailureLevel(err), "the outcome of a refund is not known yet; it is enquired about", append(fields, FailureFields(err)...)...)
		return refund, nil
	}
}

// refusalText says in plain words why the gateway refuses a refund.
func refusalText(failure *qfpay.Error) string {
	text := inWords(failure.Meaning(), failure.Message)
	if text == "" {
		text = failure.Error()
	}
	return text
}

// inWords is what a code means, and the gateway's own words.
func inWords(meaning, message string) string { return strings.Trim(meaning+": "+message, ": ") }

func (s *Service) refuseRefund(ctx context.Context, id, number, respcd, message string) (ledger.Refund, error) {
	return update(ctx, s, func(st *step) (ledger.Refund, error) {
		o, refund, err := st.refundOf(id, number)
		if err != nil || !refund.Open() {
			return refund, err
		}
		if err := st.refuse(o, &refund, respcd, message); err != nil {
			return refund, err
		}
		return refund, st.save(&o)
	})
}

// refuse ends a refund that moved no money. The caller saves the order.
func (st *step) refuse(o ledger.Order, refund *ledger.Refund, respcd, message string) error {
	refund.Status, refund.Ended, refund.Respcd, refund.Message = ledger.RefundRefused, st.now, respcd, message
	if err := st.SaveRefund(*refund); err != nil {
		return err
	}
	_, err := st.happened(o, happening{
		kind: "refund_refused", about: refund.RefundID, data: map[string]any{"respcd": respcd, "message": message},
		log: alarm("a refund was refused: it moved no money",
			zap.String("refund_id", refund.RefundID), zap.String("respcd", respcd), zap.String("reason", message)),
	})
	return err
}

// refundOf returns an order and one of its refunds.
func (st *step) refundOf(id, number string) (o ledger.Order, refund ledger.Refund, err error) {
	if o, err = st.Order(id); err != nil {
		return o, refund, err
	}
	refunds, err := st.Refunds(id)
	if err != nil {
		return o, refund, err
	}
	for _, refund := range refunds {
		if refund.Number == number {
			return o, refund, nil
		}
	}
	return o, refund, fmt.Errorf("order %s has no refund %s", id, number)
}

// refundReport is what the gateway says about one refund, whichever way it reached
// us.
type refundReport struct {
	number, syssn string // its out_trade_no, or ""; the gateway's number
	payment       string // the gateway's number of the payment, or ""
	amount        int64  // 0 if it does not say
	source        string // reply, notification, enquiry or comparison
}

// recordRefund adds one refund that the gateway reports to be made.
func (s *Service) recordRefund(ctx context.Context, id string, r refundReport) (ledger.Refund, error) {
	return update(ctx, s, func(st *step) (ledger.Refund, error) {
		o, err := st.Order(id)
		if err != nil {
			return ledger.Refund{}, err
		}
		refund, err := st.settleRefund(&o, r)
		if err != nil {
			return refund, err
		}
		return refund, st.save(&o)
	})
}

// settleRefund is the one way in which a refund is settled. What the gateway says of it is
// not taken back, and one that belongs to something else is a dispute: then the
// refund stays as it was. The caller saves the order.
func (st *step) settleRefund(o *ledger.Order, r refundReport) (ledger.Refund, error) {
	refunds, err := st.Refunds(o.ID)
	if err != nil {
		return ledger.Refund{}, err
	}
	refund, known := match(refunds, r)
	foreign, err := st.isForeignRefund(*o, refund, r)
	if err != nil {
		return refund, err
	}
	if foreign {
		return refund, st.dispute(o, report{syssn: r.syssn, amount: r.amount, currency: o.Intent.Currency, state: qfpay.TradePaid, source: r.source})
	}
	if !known {
		refund = ledger.Refund{Order: o.ID, Number: cmp.Or(r.number, r.syssn), Account: o.Account, Currency: o.Intent.Currency, Requested: st.now}
	}
	isNew := refund.Status != ledger.RefundDone
	if refund.Syssn == "" {
		refund.Syssn = r.syssn
	}
	if refund.Amount <= 0 || isNew && r.amount > 0 {
		refund.Amount = max(r.amount, 0)
	}
	if isNew {
		refund.Status, refund.Ended, refund.Source = ledger.RefundDone, st.now, r.source
		refund.Respcd, refund.Message = "", ""
		if err := st.takeBackConclusions(*o, refunds, refund); err != nil {
			return refund, err
		}
	}
	if err := st.SaveRefund(refund); err != nil {
		return refund, err
	}
	return refund, st.refunded(o, refund, isNew)
}

// takeBackConclusions refuses the refunds of which the payment's row alone has told,
// where more would have gone back with one that is reported than was paid: others
// have given the money back.
func (st *step) takeBackConclusions(o ledger.Order, refunds ledger.Refunds, reported ledger.Refund) error {
	if refunds.Done()+reported.Amount <= o.Intent.Amount {
		return nil
	}
	for _, refund := range refunds {
		if refund.Number != reported.Number && refund.FromRowAlone() {
			if err := st.refuse(o, &refund, "", needlessText); err != nil {
				return err
			}
		}
	}
	return nil
}

// isForeignRefund reports whether a report that fits a refund of an order, or none,
// is of another: one of its numbers belongs to another refund or order, or it names
// another payment.
func (st *step) isForeignRefund(o ledger.Order, fits ledger.Refund, r refundReport) (bool, error) {
	if r.payment != "" && o.Syssn != "" && r.payment != o.Syssn {
		return true, nil
	}
	named, err := st.RefundsNamed(o.Account, r.number, r.syssn)
	if err != nil {
		return false, err
	}
	for _, refund := range named {
		if refund.Order != o.ID || refund.Number != fits.Number {
			return true, nil
		}
	}
	for _, syssn := range []string{r.syssn, r.payment} {
		if syssn == "" || syssn == o.Syssn {
			continue
		}
		if owner, err := st.OrderOfSyssn(o.Account, syssn); err != nil || owner != "" && owner != o.ID {
			return true, err
		}
	}
	return false, nil
}

// match finds the refund that a report is about: by its out_trade_no, or else by
// the gateway's own number, or by its amount where no number is known.
func match(refunds ledger.Refunds, r refundReport) (refund ledger.Refund, known bool) {
	for _, refund := range refunds {
		if r.number != "" && refund.Number == r.number {
			return refund, true
		}
	}
	for _, refund := range refunds {
		if r.syssn != "" && (refund.Syssn == r.syssn || refund.Number == r.syssn) {
			return refund, true
		}
	}
	for _, refund := range refunds {
		if refund.FromRowAlone() && r.syssn != "" && refund.Amount == r.amount {
			return refund, true
		}
	}
	return ledger.Refund{}, false
}

// applyRefunds brings a paid order up to date with those of its refunds that are
// done.
func (st *step) applyRefunds(o *ledger.Order) error {
	if !o.Status.Paid() || o.Status == ledger.StatusRefunded {
		return nil
	}
	refunds, err := st.Refunds(o.ID)
	if err != nil || !slices.ContainsFunc(refunds, func(r ledger.Refund) bool { return r.Status == ledger.RefundDone }) {
		return err
	}
	before := o.Refunded
	o.Refunded, o.Status = min(refunds.Done(), o.Intent.Amount), ledger.StatusPartiallyRefunded
	if o.Refunded != before {
		o.RefundedAt = st.now
	}
	if o.Refunded == o.Intent.Amount {
		o.Status = ledger.StatusRefunded
	}
	return nil
}

// applyKnownRefunds does so for an order that has just become paid: a refund may be
// reported before its payment, and others have been told of it then.
func (st *step) applyKnownRefunds(o *ledger.Order) error {
	before := o.Status
	if err := st.applyRefunds(o); err != nil {
		return err
	}
	if o.Status != before {
		st.changes = append(st.changes, Change{Kind: "refunds_known", Shop: o.Shop, Order: *o, StatusChanged: true})
	}
	return nil
}

// refunded brings an order up to date with its refunds, and has others told of a
// new one.
func (st *step) refunded(o *ledger.Order, refund ledger.Refund, isNew bool) error {
	before := o.Status
	if err := st.applyRefunds(o); err != nil {
		return err
	}
	if !isNew {
		return nil
	}
	data := map[string]any{"syssn": refund.Syssn, "amount": refund.Amount}
	if refund.RefundID != "" {
		data["refund_id"] = refund.RefundID
	}
	about := refund.RefundID
	if about == "" {
		about = refund.Number
	}
	_, err := st.happened(*o, happening{
		kind: "refunded", about: about, data: map[string]any{"amount": refund.Amount, "syssn": refund.Syssn, "source": refund.Source},
		log:   info("refunded", zap.String("syssn", refund.Syssn), zap.Int64("refund_amount", refund.Amount), zap.String("source", refund.Source)),
		event: EventRefunded, key: "refund-" + segment(refund.Number), message: map[string]any{"refund": data}, refund: &refund,
		statusChanged: o.Status != before,
	})
	return err
}

// nextRefundEnquiry is when the gateway is asked about a refund next.
func nextRefundEnquiry(refund ledger.Refund, now time.Time) time.Time {
	if age := now.Sub(refund.Sent); age > lostAfter {
		return now.Add(min(age, 2*time.Hour))
	}
	return nextEnquiry(refund.Sent, now)
}

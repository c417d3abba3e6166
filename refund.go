package qfpayjsapi

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// denial is why the shop's owner does not get what was asked for.
type denial struct {
	status int // HTTP
	text   string
}

func (d denial) Error() string { return d.text }

func deny(status int, format string, args ...any) error {
	return denial{status, fmt.Sprintf(format, args...)}
}

// giveBack refunds an order, or a part of it. The refund is the one that the
// shop calls id: asked for again, it is not made again. An amount of 0 stands
// for all that is left. What it returns may still be open; the app follows it
// to its end.
func (b *books) giveBack(ctx context.Context, id, refundID string, amount int64) (ledger.Refunding, error) {
	if !ledger.ValidRefundID(refundID) {
		return ledger.Refunding{}, deny(http.StatusBadRequest,
			"refund_id is required: 1 to 64 of A-Z a-z 0-9 _ . - and neither . nor - in front; choose one per refund, so that asking twice does not refund twice")
	}
	if amount < 0 {
		return ledger.Refunding{}, deny(http.StatusBadRequest, "the amount of a refund is positive, in minor units")
	}
	order, err := b.ledger.Find(ctx, id)
	if err != nil {
		return ledger.Refunding{}, err
	}
	if order.Paid == nil {
		return ledger.Refunding{}, deny(http.StatusConflict, "the order is %s and not paid: there is nothing to refund", order.Status())
	}
	refunding, known, err := b.reserveInTime(ctx, order, refundID, amount)
	if err != nil || known {
		return refunding, err
	}
	return b.sendRefund(context.WithoutCancel(ctx), order, refunding)
}

// reserveLimit bounds how long a refund waits for those before it.
const reserveLimit = 10 * time.Second

// reserveInTime says that others came first where a storage says in words of
// its own that the time is up. It goes on when whoever asked has hung up: what is
// reserved and not sent would count as under way for an hour, and then as refused.
func (b *books) reserveInTime(ctx context.Context, order ledger.Order, refundID string, amount int64) (refunding ledger.Refunding, known bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reserveLimit)
	defer cancel()
	refunding, known, err = b.reserve(ctx, order, refundID, amount)
	if no := (denial{}); err != nil && !errors.As(err, &no) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		b.logger.Warn("a refund waited too long for storage, or for others of the same order",
			append(orderFields(order.ID, order.Intent), zap.String("refund_id", refundID), zap.Error(err))...)
		err = deny(http.StatusServiceUnavailable, "storage is slow, or busy with other refunds of this order: ask again, with the same refund_id")
	}
	return refunding, known, err
}

// reserve notes that a refund is about to be asked for. Where two ask at once,
// the lock lets one go first. If it slips, each has written what it wants before
// it looks what all of them want: together they never reserve more than was
// paid.
func (b *books) reserve(ctx context.Context, order ledger.Order, refundID string, amount int64) (refunding ledger.Refunding, known bool, err error) {
	b.account.refunds.Lock()
	defer b.account.refunds.Unlock()
	unlock, err := b.ledger.Lock(ctx, "refund-"+order.ID)
	if err != nil {
		return refunding, false, err
	}
	defer unlock()
	refunds, err := b.refunds(ctx, order.ID)
	if err != nil {
		return refunding, false, err
	}
	if earlier, ok := refunds.Of(refundID); ok {
		return earlier, true, sameRefund(order, earlier.Asked, refundID, amount)
	}
	asked, err := b.wanted(order, refunds, refundID, amount)
	if err != nil {
		return refunding, false, err
	}
	if err := b.ledger.Add(ctx, order.ID, asked); err != nil {
		return refunding, false, err
	}
	return ledger.Refunding{Asked: asked}, false, b.stillFits(ctx, order, asked)
}

// wanted is the refund that is asked for, if so much is left.
func (b *books) wanted(order ledger.Order, refunds ledger.Refunds, refundID string, amount int64) (ledger.RefundAsked, error) {
	left := refunds.Left(order.Intent.Amount)
	switch {
	case order.Refunded != nil || left == 0:
		return ledger.RefundAsked{}, deny(http.StatusConflict, "nothing is left to refund of this order%s", onTheirWay(refunds))
	case amount > left:
		return ledger.RefundAsked{}, deny(http.StatusConflict, "at most %s is left to refund of this order%s",
			checkout.Display(left, order.Intent.Currency), onTheirWay(refunds))
	case amount == 0:
		amount = left
	}
	return ledger.RefundAsked{At: b.now().UTC(), RefundID: refundID, Number: refundNumber(order.ID, refundID), Amount: amount}, nil
}

func onTheirWay(refunds ledger.Refunds) string {
	if open := len(refunds.Open()); open > 0 {
		return fmt.Sprintf("; %d more refunds are on their way", open)
	}
	return ""
}

// sameRefund reports if the same id is used for something else.
func sameRefund(order ledger.Order, asked ledger.RefundAsked, refundID string, amount int64) error {
	if asked.RefundID == refundID && (amount == 0 || amount == asked.Amount) {
		return nil
	}
	return deny(http.StatusConflict, "the refund %s exists already, over %s: choose another refund_id for another refund",
		asked.RefundID, checkout.Display(asked.Amount, order.Intent.Currency))
}

// stillFits looks again after the reservation is written, and withdraws it if
// others came between.
func (b *books) stillFits(ctx context.Context, order ledger.Order, asked ledger.RefundAsked) error {
	refunds, err := b.refunds(ctx, order.ID)
	if err != nil {
		return err
	}
	if written, ok := refunds.Of(asked.RefundID); ok {
		if err := sameRefund(order, written.Asked, asked.RefundID, asked.Amount); err != nil {
			return err
		}
	}
	if refunds.Reserved() <= order.Intent.Amount {
		return nil
	}
	withdrawn := ledger.RefundRefused{At: b.now().UTC(), RefundID: asked.RefundID, Message: "withdrawn: more refunds were asked for at once than was paid"}
	if err := b.ledger.Add(ctx, order.ID, withdrawn); err != nil {
		return err
	}
	return deny(http.StatusConflict, "more refunds were asked for at once than was paid: look at the order and ask again with another refund_id")
}

func (b *books) refunds(ctx context.Context, order string) (ledger.Refunds, error) {
	history, err := b.ledger.History(ctx, order)
	if err != nil {
		return ledger.Refunds{}, err
	}
	return history.Refunds()
}

// refundNumber is the out_trade_no of a refund: the order's number, so that the
// order is known from it alone, and 6 characters that follow from the refund's
// id, so that the same refund always has the same number and the gateway makes
// it once.
func refundNumber(order, refundID string) string {
	sum := sha256.Sum256([]byte(order + "\x00" + refundID))
	return order + base32.StdEncoding.EncodeToString(sum[:])[:6]
}

// refundedOrder is the order that a refund's number belongs to.
func refundedOrder(number string) string {
	if len(number) == ulid.EncodedSize+6 {
		return number[:ulid.EncodedSize]
	}
	return number
}

// sendRefund asks the gateway, once. Whatever it does not clearly refuse stays
// open and is enquired about from now on, and never sent again.
func (b *books) sendRefund(ctx context.Context, order ledger.Order, refunding ledger.Refunding) (ledger.Refunding, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout+storeLimit)
	defer cancel()
	asked := refunding.Asked
	fields := append(orderFields(order.ID, order.Intent), zap.String("refund_id", asked.RefundID), zap.Int64("refund_amount", asked.Amount))
	began := b.now()
	syssn, err := b.gateway.Refund(ctx, qfpay.Refund{Syssn: order.Paid.Syssn, OutTradeNo: asked.Number, Amount: asked.Amount, Time: b.now()})
	fields = append(fields, b.seconds(began))
	var failure *qfpay.Error
	switch {
	case err == nil:
		b.logger.Info("refund", append(fields, zap.String("syssn", syssn), zap.String("respcd", "0000"))...)
		done := ledger.Refund{At: b.now().UTC(), Syssn: syssn, Number: asked.Number, Amount: asked.Amount, Source: "reply"}
		refunding.Done = &done
		return refunding, b.recordRefund(ctx, order, done)
	case errors.As(err, &failure) && failure.Outcome == qfpay.Refused && !failure.Duplicate():
		return b.refuseRefund(ctx, order, refunding, failure.Respcd, refusalText(failure))
	default:
		b.logger.Log(failureLevel(err), "the outcome of a refund is not known yet; it is enquired about", append(fields, failureFields(err)...)...)
		return refunding, nil
	}
}

// refusalText says in plain words why the gateway refuses a refund.
func refusalText(failure *qfpay.Error) string {
	text := qfpay.Meaning(failure.Respcd)
	if failure.Message != "" {
		text = strings.TrimPrefix(text+": "+failure.Message, ": ")
	}
	if text == "" {
		text = failure.Error()
	}
	return text
}

func (b *books) refuseRefund(ctx context.Context, order ledger.Order, refunding ledger.Refunding, respcd, message string) (ledger.Refunding, error) {
	refused := ledger.RefundRefused{At: b.now().UTC(), RefundID: refunding.Asked.RefundID, Respcd: respcd, Message: message}
	b.logger.Error("a refund was refused: no money went back", append(orderFields(order.ID, order.Intent),
		zap.String("refund_id", refused.RefundID), zap.String("respcd", respcd), zap.String("reason", message))...)
	refunding.Refused = &refused
	return refunding, b.ledger.Add(ctx, order.ID, refused)
}

// recordRefund adds one refund that the gateway vouches for, and whether it
// completes the whole. What it says more of one that is known already is kept.
func (b *books) recordRefund(ctx context.Context, order ledger.Order, refund ledger.Refund) error {
	before, err := b.refunds(ctx, order.ID)
	if err != nil {
		return err
	}
	refund, isNew := before.Amend(refund)
	if err := b.ledger.Add(ctx, order.ID, refund); err != nil {
		return err
	}
	refunds, err := b.refunds(ctx, order.ID)
	if err != nil {
		return err
	}
	order, _, err = b.flagRefunds(ctx, order, refunds.Given() >= order.Intent.Amount)
	if err != nil || !isNew {
		return err
	}
	b.countRefund(order, refund)
	b.once("refunded "+order.ID+" "+refund.Syssn).Info("refunded", append(orderFields(order.ID, order.Intent), zap.String("syssn", refund.Syssn),
		zap.Int64("refund_amount", refund.Amount), zap.String("source", refund.Source))...)
	b.tell(order, "order.refunded", map[string]any{"refund": refundData(refund, refunds)})
	return nil
}

// flagRefunds notes that money went back, and whether all of it did.
func (b *books) flagRefunds(ctx context.Context, order ledger.Order, all bool) (flagged ledger.Order, added bool, err error) {
	if order.Refunded != nil || !all && order.PartiallyRefunded != nil {
		return order, false, nil
	}
	var fact ledger.Fact
	if all {
		order.Refunded = &ledger.Refunded{At: b.now().UTC()}
		fact = *order.Refunded
	} else {
		order.PartiallyRefunded = &ledger.PartiallyRefunded{At: b.now().UTC()}
		fact = *order.PartiallyRefunded
	}
	return order, true, b.ledger.Add(ctx, order.ID, fact)
}

func refundData(refund ledger.Refund, refunds ledger.Refunds) map[string]any {
	data := map[string]any{"syssn": refund.Syssn, "amount": refund.Amount}
	if id := refunds.ByNumber(refund.Number); id != "" {
		data["refund_id"] = id
	}
	return data
}

package qfpayjsapi

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// neverArrived is how long after it was sent a refund that the gateway does not
// know counts as one that never reached it.
const neverArrived = time.Hour

// followRefunds asks the gateway about refunds whose outcome is not known, and
// returns when to ask again: the zero time if none is open.
func (c *clerk) followRefunds(ctx context.Context, order ledger.Order, open []ledger.Refunding) (next time.Time, err error) {
	for _, refunding := range open {
		again, err := c.followRefund(ctx, order, refunding)
		if err != nil {
			return time.Time{}, err
		}
		next = earlier(next, again)
	}
	return next, nil
}

// flagKnownRefunds does what whoever learned of a refund did not come to: a node
// that dies after storing it leaves an order that looks as if nothing went back.
func (c *clerk) flagKnownRefunds(ctx context.Context, order ledger.Order, refunds ledger.Refunds) (ledger.Order, error) {
	if order.Paid == nil || len(refunds.Done) == 0 {
		return order, nil
	}
	order, _, err := c.flagRefunds(ctx, order, refunds.Given() >= order.Intent.Amount)
	return order, err
}

func (c *clerk) followRefund(ctx context.Context, order ledger.Order, refunding ledger.Refunding) (next time.Time, err error) {
	since := refunding.Asked.At
	if first := since.Add(enquiryTimes[0]); c.now().Before(first) {
		return first, nil
	}
	if later, err := c.account.pace.wait(ctx); err != nil || later > 0 {
		return c.now().Add(later), err
	}
	open, err := c.askRefund(ctx, order, refunding)
	if err != nil {
		return time.Time{}, err
	}
	if !open {
		return time.Time{}, nil
	}
	age := c.now().Sub(since)
	if age > neverArrived {
		return c.now().Add(min(age, 2*time.Hour)), nil
	}
	return nextEnquiry(since, c.now()), nil
}

// askRefund makes the enquiry and records what it says. A gateway that does not
// answer changes nothing.
func (b *books) askRefund(ctx context.Context, order ledger.Order, refunding ledger.Refunding) (open bool, err error) {
	trades, err := b.findRefund(ctx, order, refunding.Asked)
	if err != nil {
		return true, nil // which the log says already
	}
	for _, trade := range trades {
		switch trade.RefundState() {
		case qfpay.RefundDone:
			done := ledger.Refund{At: b.now().UTC(), Syssn: trade.Syssn, Number: trade.OutTradeNo, Amount: cmp.Or(trade.Amount, refunding.Asked.Amount), Source: "enquiry"}
			return false, b.recordRefund(ctx, order, done)
		case qfpay.RefundRefused:
			_, err := b.refuseRefund(ctx, order, refunding, trade.Respcd, strings.TrimPrefix(qfpay.Meaning(trade.Respcd)+": "+trade.ErrMsg, ": "))
			return false, err
		}
	}
	if len(trades) == 0 && b.now().Sub(refunding.Asked.At) > neverArrived {
		_, err := b.refuseRefund(ctx, order, refunding, "", "it never reached the gateway")
		return false, err
	}
	return true, nil
}

// findRefund returns the trades that are this refund: one, or none.
func (b *books) findRefund(ctx context.Context, order ledger.Order, asked ledger.RefundAsked) ([]qfpay.Trade, error) {
	var found []qfpay.Trade
	for _, window := range qfpay.Windows(asked.At, b.now()) {
		trades, err := b.query(ctx, order, qfpay.Query{OutTradeNo: asked.Number, Start: window.Start, End: window.End})
		if err != nil {
			return nil, err
		}
		for _, trade := range trades {
			ofThisOrder := trade.OrigSyssn == "" || order.Paid == nil || trade.OrigSyssn == order.Paid.Syssn
			if trade.OutTradeNo == asked.Number && trade.OrderType != "payment" && ofThisOrder {
				found = append(found, trade)
			}
		}
	}
	return found, nil
}

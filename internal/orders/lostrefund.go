package orders

import (
	"context"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// How long after it was sent a refund that the gateway does not find counts as one
// that never reached it. Whoever made the refund again too early would pay back twice.
const (
	lostAfter = time.Hour

	// lostLater is for those that the gateway may not find although it has them, or
	// that its payment does not tell from others.
	lostLater = 24 * time.Hour
)

// fate is what became of a refund that the gateway does not find.
type fate int

const (
	notKnown fate = iota
	lost          // it never reached the gateway
	made          // the row of its payment shows that all money went back, as with it
	needless      // the row shows that all money went back, by others
)

// fateOf decides about a refund that the gateway did not find just now. The row of
// the payment, which it returns, has the last word: it shows that money went back,
// in whichever month. Without that row, nobody knows.
func (s *Service) fateOf(ctx context.Context, o ledger.Order, refund ledger.Refund) (fate, qfpay.Trade, error) {
	age := s.Now().Sub(refund.Sent)
	isLate := age > lostLater
	if age <= lostAfter || !isLate && !inOneMonth(refund.Sent, s.Now()) {
		return notKnown, qfpay.Trade{}, nil
	}
	if may, err := s.mayAsk(ctx, o, 1); err != nil || !may {
		return notKnown, qfpay.Trade{}, err
	}
	payment, found, err := s.findPayment(ctx, o)
	if err != nil || !found {
		return notKnown, qfpay.Trade{}, err
	}
	refunds, err := s.refundsOf(ctx, o.ID)
	if err != nil {
		return notKnown, qfpay.Trade{}, err
	}
	switch lacks, isSure := lacksThis(payment.Cancel, o.Intent.Amount, refunds.Done(), refund.Amount); {
	case lacks && (isSure || isLate && inOneMonth(refund.Sent, s.Now())):
		return lost, payment, nil
	case !lacks && payment.Cancel == qfpay.CancelRefunded && isLate && refunds.Done()+refund.Amount == o.Intent.Amount:
		return made, payment, nil
	case !lacks && payment.Cancel == qfpay.CancelRefunded && isLate:
		return needless, payment, nil
	default:
		return notKnown, payment, nil
	}
}

// lacksThis reports whether the row of a payment shows no more than the refunds that
// are known to be done, and whether it would show this one.
func lacksThis(cancel string, paid, done, this int64) (lacks, isSure bool) {
	switch cancel {
	case qfpay.CancelNone: // a row that does not show what is known tells nothing of others
		return done == 0, true
	case qfpay.CancelPartlyRefunded:
		return done > 0, done+this >= paid
	case qfpay.CancelRefunded:
		return done >= paid, true
	default:
		return false, false
	}
}

// findPayment returns the row of the payment of an order.
func (s *Service) findPayment(ctx context.Context, o ledger.Order) (payment qfpay.Trade, found bool, err error) {
	for _, query := range s.queries(o) {
		trades, err := s.query(ctx, o, query)
		if err != nil {
			return payment, false, err
		}
		for _, trade := range trades {
			state := trade.State()
			if trade.OutTradeNo == o.ID && (state == qfpay.TradePaid || state == qfpay.TradeReversed) {
				return trade, true, nil
			}
		}
	}
	return payment, false, nil
}

package orders

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// stuckAfter is how long after it was sent a refund is for a person to look at, if its
// outcome is not known yet. One that the gateway calls open for so long may never
// have reached the channel.
const stuckAfter = 24 * time.Hour

// noteStuck raises an alarm about a refund, once, if it has been open for too long.
// The code is what the gateway says of it; "" where it does not find it.
func (s *Service) noteStuck(ctx context.Context, refund ledger.Refund, respcd string) error {
	if s.Now().Sub(refund.Sent) < stuckAfter {
		return nil
	}
	_, err := s.change(ctx, refund.Order, func(st *step, o *ledger.Order) error { return st.noteStuck(*o, refund.Number, respcd) })
	return err
}

func (st *step) noteStuck(o ledger.Order, number, respcd string) error {
	_, refund, err := st.refundOf(o.ID, number)
	if err != nil || refund.Status != ledger.RefundSent {
		return err
	}
	text := stuckText(respcd)
	if refund.Respcd != respcd || refund.Message != text {
		refund.Respcd, refund.Message = respcd, text
		if err := st.SaveRefund(refund); err != nil {
			return err
		}
	}
	_, err = st.happened(o, happening{
		kind: "refund_stuck", about: refund.RefundID, data: map[string]any{"amount": refund.Amount, "respcd": respcd, "message": text},
		log: alarm("a refund has been pending for a day: somebody has to ask QFPay about it",
			zap.String("refund_id", refund.RefundID), zap.String("out_trade_no", refund.Number),
			zap.Int64("refund_amount", refund.Amount), zap.String("respcd", respcd)),
		event: EventStuck, key: "stuck-" + segment(refund.Number),
		message: map[string]any{"refund": map[string]any{
			"refund_id": refund.RefundID, "out_trade_no": refund.Number, "amount": refund.Amount, "respcd": respcd,
		}},
	})
	return err
}

// stuckText says what the owner can do.
func stuckText(respcd string) string {
	if respcd == "" {
		return "for a day, the gateway has neither found it nor shown that it was not made: check in QFPay's portal whether the money was returned"
	}
	return "still pending after a day: it may never have reached the wallet; ask QFPay about it"
}

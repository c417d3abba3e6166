package orders

import (
	"context"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// followRefunds asks the gateway about refunds of an order whose outcome is not
// known, and sends the next one that waits. Those that were sent just now are left
// alone, unless somebody asks by hand.
func (s *Service) followRefunds(ctx context.Context, o ledger.Order, now bool) error {
	refunds, err := s.refundsOf(ctx, o.ID)
	if err != nil {
		return err
	}
	for _, refund := range refunds.Open() {
		if refund.Status != ledger.RefundSent || !now && s.Now().Before(refund.Sent.Add(enquiryTimes[0])) {
			continue
		}
		if err := s.askRefund(ctx, o, refund); err != nil {
			return err
		}
	}
	return s.sendNextRefund(ctx, o)
}

// askRefund makes the enquiry and settles what it says.
func (s *Service) askRefund(ctx context.Context, o ledger.Order, refund ledger.Refund) error {
	trades, err := s.findRefund(ctx, o, refund)
	if err != nil {
		return err
	}
	for _, trade := range trades {
		switch trade.RefundState() {
		case qfpay.RefundDone:
			_, err := s.recordRefund(ctx, o.ID, refundReport{number: trade.OutTradeNo, syssn: trade.Syssn, amount: trade.Amount, source: "enquiry"})
			return err
		case qfpay.RefundRefused:
			_, err := s.refuseRefund(ctx, o.ID, refund.Number, trade.Respcd, inWords(trade.Meaning(), trade.ErrMsg))
			return err
		}
	}
	if len(trades) > 0 {
		return s.noteStuck(ctx, refund, trades[0].Respcd)
	}
	fate, payment, err := s.fateOf(ctx, o, refund)
	if err != nil {
		return err
	}
	switch fate {
	case lost:
		_, err = s.refuseRefund(ctx, o.ID, refund.Number, "", "it never reached the gateway")
	case made:
		_, err = s.recordRefund(ctx, o.ID, refundReport{number: refund.Number, amount: refund.Amount, source: "enquiry"})
	case needless:
		if _, err = s.refuseRefund(ctx, o.ID, refund.Number, "", needlessText); err == nil {
			_, err = s.settleAll(ctx, o.ID, []report{reportOfTrade(payment)}, (*step).settle)
		}
	default:
		err = s.noteStuck(ctx, refund, "")
	}
	return err
}

const needlessText = "the gateway does not know it, and all of the payment has gone back otherwise"

// findRefund returns the trades that are this refund: one, or none.
func (s *Service) findRefund(ctx context.Context, o ledger.Order, refund ledger.Refund) (found []qfpay.Trade, err error) {
	for _, window := range qfpay.Windows(refund.Sent, s.Now()) {
		trades, err := s.query(ctx, o, qfpay.Query{OutTradeNo: refund.Number, Start: window.Start, End: window.End})
		if err != nil {
			return nil, err
		}
		for _, trade := range trades {
			ofThisOrder := trade.OrigSyssn == "" || o.Syssn == "" || trade.OrigSyssn == o.Syssn
			if trade.OutTradeNo == refund.Number && !isPayment(trade) && ofThisOrder {
				found = append(found, trade)
			}
		}
	}
	return found, nil
}

// sendNextRefund sends the refund that has waited longest for others of its
// payment, if none of them is at the gateway any more.
func (s *Service) sendNextRefund(ctx context.Context, o ledger.Order) error {
	next, err := update(ctx, s, func(st *step) (reservation, error) { return st.nextRefund(o.ID) })
	if err != nil || !next.isOurs {
		return err
	}
	_, err = s.sendRefund(ctx, next.order, next.refund)
	return err
}

func (st *step) nextRefund(id string) (reservation, error) {
	o, err := st.Order(id)
	if err != nil {
		return reservation{}, err
	}
	refunds, err := st.Refunds(id)
	if err != nil {
		return reservation{}, err
	}
	for _, next := range refunds {
		if next.Status != ledger.RefundWaiting {
			continue
		}
		taken, err := st.takeTheGateway(&next, refunds)
		if err != nil || !taken {
			return reservation{}, err
		}
		if err := st.SaveRefund(next); err != nil {
			return reservation{}, err
		}
		if _, err := st.happened(o, happening{kind: "refund_sent", about: next.RefundID}); err != nil {
			return reservation{}, err
		}
		return reservation{o, next, true}, st.save(&o)
	}
	return reservation{}, nil
}

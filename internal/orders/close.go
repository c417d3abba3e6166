package orders

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// giveUp is how long after its time an order is asked about that the gateway
// neither closes nor settles, such as one of a wallet, whose trade it cannot
// close. One that it will not close because it is paid,
// although the enquiry does not show it, is never given up; one of which it shows
// that something else was paid is.
const giveUp = 24 * time.Hour

// expire ends an order whose time is over. An order that the gateway will not
// close stays open until giveUp.
func (s *Service) expire(ctx context.Context, o ledger.Order) error {
	calls := 2 // beside the one that was counted when it was leased
	if !isClosable(o) {
		calls = 0
	}
	may, err := s.mayAsk(ctx, o, calls)
	if err != nil || !may {
		return err
	}
	_, err = s.close(ctx, o)
	if err != nil && !errors.Is(err, errNotClosable) {
		s.Log.Log(FailureLevel(err), "an order whose time is over could not be closed; it stays open",
			append(OrderFields(o), FailureFields(err)...)...)
	}
	return err
}

// errNotClosable is why an order stays open that its payer may still pay.
var errNotClosable = refuse(Conflict, "the gateway cannot close the payment of a wallet: it may still be paid, and counts as closed a day after its time")

// close ends a pending order: it asks the gateway, which may revoke a payment that
// it is asked to close, has it close the trade, and asks again. Without an error,
// the order is not pending any more; what came of it, it says.
func (s *Service) close(ctx context.Context, o ledger.Order) (ledger.Order, error) {
	began := s.Now()
	asked, err := s.ask(ctx, o, (*step).settle)
	if err != nil || asked.Status != ledger.StatusPending {
		return asked, err
	}
	if !isClosable(asked) {
		if !s.isGivenUp(asked) {
			return asked, errNotClosable
		}
		return s.recordClosed(ctx, o.ID, "given_up", "", s.seconds(began))
	}
	reason, respcd, err := s.endTrade(ctx, asked)
	if err != nil {
		return asked, err
	}
	asked, err = s.ask(ctx, asked, settleEnded)
	if err != nil || asked.Status != ledger.StatusPending {
		return asked, err
	}
	return s.recordClosed(ctx, o.ID, reason, respcd, s.seconds(began))
}

// settleEnded settles an order that the gateway was just asked to close. That its
// trade is over then says nothing new: the order did not fail, it is closed.
func settleEnded(st *step, o *ledger.Order, r report) error {
	if r.state == qfpay.TradeDead {
		return nil
	}
	return st.settle(o, r)
}

// endTrade asks the gateway to close the trade of an order. After an error the
// order must stay open.
func (s *Service) endTrade(ctx context.Context, o ledger.Order) (reason, respcd string, err error) {
	request := qfpay.Close{OutTradeNo: o.ID, Amount: o.Intent.Amount, Time: s.Now(), Syssn: o.Syssn}
	err = s.closeTrade(ctx, request)
	failure, answered := errors.AsType[*qfpay.Error](err)
	switch {
	case err == nil:
		return "closed", "", nil
	case answered && failure.NotFound() && !s.UnderWay(o) && s.isOfThisMonth(o):
		return "not_found", failure.Respcd, nil
	case s.isGivenUp(o) && (!answered || !failure.Paid() || o.Disputed):
		s.Log.Error("the gateway never reported the outcome of an order: it now counts as closed",
			append(OrderFields(o), FailureFields(err)...)...)
		return "given_up", "", nil
	default:
		return "", "", err
	}
}

// isGivenUp reports whether an order has been open for too long after its time.
func (s *Service) isGivenUp(o ledger.Order) bool {
	return s.Now().After(s.deadline(o).Add(giveUp))
}

// isClosable reports whether the gateway can close the trade of an order. It cannot
// close a wallet's; to ask it to might revoke a payment that was made just now.
func isClosable(o ledger.Order) bool {
	return qfpay.Method(o.Method).PayType() == qfpay.PayTypeJSAPI || !o.IsPrepared()
}

// isOfThisMonth reports whether the gateway would find the trade of an order: it may
// look in the current calendar month only, and then knows nothing of others.
func (s *Service) isOfThisMonth(o ledger.Order) bool {
	made := o.Claimed
	if month, ok := qfpay.MonthOf(o.Syssn); ok {
		made = month.Start
	}
	return inOneMonth(made, s.Now())
}

func (s *Service) recordClosed(ctx context.Context, id, reason, respcd string, took zap.Field) (ledger.Order, error) {
	return s.changeOrder(ctx, id, func(st *step, o *ledger.Order) error {
		if o.Status != ledger.StatusPending {
			return nil
		}
		if err := st.ReturnStock(o); err != nil {
			return err
		}
		o.Status, o.Ended = ledger.StatusClosed, st.now
		_, err := st.happened(*o, happening{
			kind: "closed", data: map[string]any{"reason": reason, "respcd": respcd},
			log:   info("closed", zap.String("reason", reason), zap.String("respcd", respcd), took),
			event: EventClosed, key: "closed", statusChanged: true,
		})
		return err
	})
}

package orders

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// The gateway takes 100 requests a second and 400 a minute from a merchant. One
// call every sixth of a second, and 40 at once, are never more than 400 in any
// minute, over all nodes. Payers' calls are counted and never wait; those of the
// reconciler wait for what payers leave over.
const (
	callBurst    = 40
	callInterval = time.Second / 6
)

// call begins a call to the gateway. What it returns ends it, with the error that
// the call had.
func (s *Service) call(ctx context.Context, name string) (done func(*error)) {
	began := time.Now()
	return func(err *error) {
		s.Observer.Called(s.Shop, name, time.Since(began), *err)
		s.heed(ctx, *err)
	}
}

// heed slows the reconcilers down after the gateway said that it was too much.
func (s *Service) heed(ctx context.Context, err error) {
	failure, ok := errors.AsType[*qfpay.Error](err)
	if !ok || failure.Fault != qfpay.FaultBusy {
		return
	}
	until := s.Now().Add(max(failure.RetryAfter, 15*time.Second))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	err = s.Ledger.Update(ctx, func(tx *ledger.Tx) error { return tx.HoldCalls(s.Account, until) })
	if err != nil {
		s.Log.Warn("the gateway is busy, and so is the ledger", zap.Error(err))
	}
}

// storeLimit bounds how long something waits for the ledger alone.
const storeLimit = 10 * time.Second

// OAuthURL is where the gateway's official account vouches for a payer.
func (s *Service) OAuthURL(redirectURI string) (string, error) { return s.Client.OAuthURL(redirectURI) }

// OpenID asks the gateway for whom WeChat vouched with a code.
func (s *Service) OpenID(ctx context.Context, code string) (openID string, err error) {
	defer s.call(ctx, "openid")(&err)
	return s.Client.OpenID(ctx, code)
}

// Pay asks the gateway for the payment of an order that [Service.Claim] has
// claimed.
func (s *Service) Pay(ctx context.Context, payment qfpay.Payment) (prepared *qfpay.Prepared, err error) {
	defer s.call(ctx, "payment")(&err)
	return s.Client.Pay(ctx, payment)
}

// query asks the gateway about an order or a refund of it, and logs what it said.
func (s *Service) query(ctx context.Context, o ledger.Order, query qfpay.Query) (trades []qfpay.Trade, err error) {
	began := s.Now()
	number := query.OutTradeNo // a refund has one of its own
	if number == "" {
		number = o.ID
	}
	func() {
		defer s.call(ctx, "query")(&err)
		trades, err = s.Client.Query(ctx, query)
	}()
	fields := append(OrderFields(o), zap.String("out_trade_no", number), s.seconds(began))
	if err != nil {
		s.Log.Log(FailureLevel(err), "the enquiry failed; it is made again", append(fields, FailureFields(err)...)...)
		return nil, err
	}
	syssn, respcd := query.Syssn, ""
	for _, trade := range trades {
		if trade.OutTradeNo == number {
			syssn, respcd = trade.Syssn, trade.Respcd
		}
	}
	s.Log.Info("enquiry", append(fields, zap.Int("trades", len(trades)), zap.String("syssn", syssn), zap.String("respcd", respcd))...)
	return trades, nil
}

func (s *Service) closeTrade(ctx context.Context, request qfpay.Close) (err error) {
	defer s.call(ctx, "close")(&err)
	return s.Client.Close(ctx, request)
}

func (s *Service) refundTrade(ctx context.Context, refund qfpay.Refund) (syssn string, err error) {
	defer s.call(ctx, "refund")(&err)
	return s.Client.Refund(ctx, refund)
}

// OrderFields are the fields by which every log line names an order.
func OrderFields(o ledger.Order) []zap.Field { return IntentFields(o.ID, o.Intent) }

// seconds is how long something took.
func (s *Service) seconds(began time.Time) zap.Field {
	return zap.Float64("seconds", s.Now().Sub(began).Seconds())
}

// FailureFields say why a call failed, with the gateway's code in a field of its
// own.
func FailureFields(err error) []zap.Field {
	fields := []zap.Field{zap.Error(err)}
	if failure, ok := errors.AsType[*qfpay.Error](err); ok && failure.Respcd != "" {
		fields = append(fields, zap.String("respcd", failure.Respcd))
	}
	return fields
}

// FailureLevel is ERROR if the gateway, or WeChat, refuses the shop's own
// configuration: no payment succeeds until somebody mends it.
func FailureLevel(err error) zapcore.Level {
	if _, fault := remote.Ended(err); fault == remote.FaultShop {
		return zap.ErrorLevel
	}
	return zap.WarnLevel
}

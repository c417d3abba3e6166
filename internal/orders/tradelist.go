package orders

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// How the gateway's list of trades is read.
const (
	pageSize  = 100 // the most that the gateway gives
	mostPages = 3000
	mostTries = 3 // of each call
	tryWait   = 5 * time.Second

	// listBurst is how many calls a comparison makes at once. It leaves the other
	// half of callBurst to payers.
	listBurst = callBurst / 2
)

// list has each payment and refund that the gateway lists for a day looked at, once.
func (s *Service) list(ctx context.Context, day ledger.Day, look func([]qfpay.Trade) error) error {
	seen := make(map[names]bool)
	query := qfpay.Query{Start: day.Start(), End: day.Next().Start().Add(-time.Second), PageSize: pageSize}
	for query.Page = 1; query.Page <= mostPages; query.Page++ {
		trades, err := s.patiently(ctx, func() ([]qfpay.Trade, error) { return s.page(ctx, query) })
		if err != nil {
			return err
		}
		fresh := unseen(trades, seen)
		if err := look(fresh); err != nil {
			return err
		}
		switch {
		case len(trades) == 0: // a gateway may give fewer of them than it was asked for
			return nil
		case len(fresh) == 0:
			return errors.New("the gateway keeps sending the same page of its list")
		}
	}
	return fmt.Errorf("the gateway lists more than %d trades", mostPages*pageSize)
}

// unseen are the trades that no page before had: a list that grows while it is read
// may show some twice.
func unseen(trades []qfpay.Trade, seen map[names]bool) (fresh []qfpay.Trade) {
	for _, trade := range trades {
		if these := (names{trade.Syssn, trade.OutTradeNo}); !seen[these] {
			seen[these] = true
			fresh = append(fresh, trade)
		}
	}
	return fresh
}

func (s *Service) page(ctx context.Context, query qfpay.Query) (trades []qfpay.Trade, err error) {
	began := s.Now()
	defer s.call(ctx, "query")(&err)
	trades, err = s.Client.Query(ctx, query)
	if err != nil {
		s.Log.Log(FailureLevel(err), "a page of the gateway's list of trades could not be had", append(FailureFields(err), zap.Int("page", query.Page))...)
		return nil, err
	}
	s.Log.Info("list", zap.Time("from", query.Start), zap.Int("page", query.Page), zap.Int("trades", len(trades)), s.seconds(began))
	return trades, nil
}

// patiently asks when there is time for it, and a few times if need be: what a
// comparison has settled so far, another one would not find again.
func (s *Service) patiently(ctx context.Context, ask func() ([]qfpay.Trade, error)) (trades []qfpay.Trade, err error) {
	for try := 1; ; try++ {
		if err := s.waitForCall(ctx); err != nil {
			return nil, err
		}
		if trades, err = ask(); err == nil {
			return trades, nil
		}
		failure, ok := errors.AsType[*qfpay.Error](err)
		if try == mostTries || ok && failure.Fault == qfpay.FaultShop || !s.Sleep(ctx, tryWait) {
			return nil, err
		}
	}
}

// waitForCall counts a call to the gateway, when the account's share of the
// gateway's rate limit allows it.
func (s *Service) waitForCall(ctx context.Context) error {
	for {
		wait, err := ledger.Update(ctx, s.Ledger, func(tx *ledger.Tx) (time.Duration, error) {
			return tx.TakeCalls(s.Account, s.Now(), 1, listBurst, callInterval, false)
		})
		if err != nil || wait == 0 {
			return err
		}
		if !s.Sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

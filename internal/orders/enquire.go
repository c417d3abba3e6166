package orders

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// enquiryInterval is the least time between two enquiries about one order, over
// all nodes and whoever asks.
const enquiryInterval = 2 * time.Second

// Refresh asks the gateway about a pending order for a browser that looks at it,
// unless it was asked just now, or browsers have asked so much that others could
// not pay. After its time an order is the reconciler's alone: the enquiries of a
// browser that looks on would put off its end for ever. It returns the order as it
// is known then, and whether that is what the gateway says: it was asked, now or just
// now, and answered.
func (s *Service) Refresh(ctx context.Context, o ledger.Order) (known ledger.Order, heard bool) {
	now := s.Now()
	switch {
	case o.Status != ledger.StatusPending, s.askedJustNow(o):
		return o, s.hasAnswered(o)
	case s.UnderWay(o), !now.Before(s.deadline(o)), !s.browsers.AllowN(now, 1):
		return o, false
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout+storeLimit)
	defer cancel()
	known, err := s.enquire(ctx, o, 1)
	return known, err == nil && s.hasAnswered(known)
}

// answersKnown bounds of how many orders a shop knows when the gateway answered.
const answersKnown = 8192

// hasAnswered reports whether the gateway answered the last enquiry about an order, or
// none is needed. It is false while one is under way, and of those of other nodes.
func (s *Service) hasAnswered(o ledger.Order) bool {
	at, ok := s.answered.Get(o.ID)
	return o.Status != ledger.StatusPending || ok && !at.Before(o.AskedAt)
}

func (s *Service) askedJustNow(o ledger.Order) bool {
	since := s.Now().Sub(o.AskedAt)
	return since >= 0 && since < enquiryInterval
}

// enquire asks the gateway about an order and settles what it says. All who ask
// about an order at once share one enquiry. Where the order was asked about just
// now, it is returned as it is known. A gateway that does not answer changes
// nothing, and is an error. Calls is 1, or 0 if the call was counted before.
func (s *Service) enquire(ctx context.Context, o ledger.Order, calls int) (ledger.Order, error) {
	known, err, _ := s.enquiries.Do(o.ID, func() (any, error) {
		may, err := s.mayAsk(ctx, o, calls)
		if err != nil {
			s.noteTrouble(o, err)
			return nil, err
		}
		if !may {
			return s.Find(ctx, o.ID)
		}
		return s.ask(ctx, o, (*step).settle)
	})
	if err != nil {
		return o, err
	}
	return known.(ledger.Order), nil
}

// mayAsk notes that the gateway is asked about an order, with so many calls, unless
// it is too soon to ask again.
func (s *Service) mayAsk(ctx context.Context, o ledger.Order, calls int) (bool, error) {
	return ledger.Update(ctx, s.Ledger, func(tx *ledger.Tx) (bool, error) {
		may, err := tx.MayAsk(o.ID, s.Now(), enquiryInterval)
		if err != nil || !may || calls == 0 {
			return may, err
		}
		_, err = tx.TakeCalls(o.Account, s.Now(), calls, callBurst, callInterval, true)
		return may, err
	})
}

// ask makes the enquiry and has what it says settled: by the gateway's own number
// where it is known, else by ours in the time around the order. That nothing is found
// settles nothing.
func (s *Service) ask(ctx context.Context, o ledger.Order, settle func(*step, *ledger.Order, report) error) (ledger.Order, error) {
	var reports []report
	for _, query := range s.queries(o) {
		trades, err := s.query(ctx, o, query)
		if err != nil {
			return o, err
		}
		for _, trade := range trades {
			reports = append(reports, reportOfTrade(trade))
		}
	}
	known, err := s.settleAll(ctx, o.ID, reports, settle)
	if err != nil {
		s.noteTrouble(o, err)
		return o, err
	}
	s.answered.Add(o.ID, s.Now())
	return known, nil
}

func (s *Service) queries(o ledger.Order) (queries []qfpay.Query) {
	if o.Syssn != "" {
		return []qfpay.Query{bySyssn(o.Syssn, s.Now())}
	}
	for _, window := range qfpay.Windows(o.Intent.At, s.Now()) {
		queries = append(queries, qfpay.Query{OutTradeNo: o.ID, Start: window.Start, End: window.End})
	}
	return queries
}

// bySyssn asks about a trade by the gateway's number, and names the month of it where
// that is over.
func bySyssn(syssn string, now time.Time) qfpay.Query {
	query := qfpay.Query{Syssn: syssn}
	if month, ok := qfpay.MonthOf(syssn); ok && !inOneMonth(month.Start, now) {
		query.Start, query.End = month.Start, month.End
	}
	return query
}

// inOneMonth reports whether two times are in one of the gateway's calendar months.
func inOneMonth(a, b time.Time) bool {
	a, b = a.In(qfpay.HongKong), b.In(qfpay.HongKong)
	return a.Year() == b.Year() && a.Month() == b.Month()
}

func (s *Service) settleAll(ctx context.Context, id string, reports []report, settle func(*step, *ledger.Order, report) error) (ledger.Order, error) {
	return s.changeOrder(ctx, id, func(st *step, o *ledger.Order) error {
		for _, report := range reports {
			if err := settle(st, o, report); err != nil {
				return err
			}
		}
		return nil
	})
}

// noteTrouble says that the ledger kept an enquiry from being made, or what it
// said from being settled.
func (s *Service) noteTrouble(o ledger.Order, err error) {
	s.Log.Warn("the ledger failed while the order was settled: it stays open", append(OrderFields(o), zap.Error(err))...)
}

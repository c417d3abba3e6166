package qfpaytest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// maxPageSize is documented.
	maxPageSize = 100

	// defaultPageSize is the simulator's own.
	defaultPageSize = 10

	// maxListed bounds a comma list of numbers, in bytes.
	maxListed = 16 << 10
)

// query lists trades with how far each has come, in order of creation. Nothing
// found is a success without rows.
func (s *Simulator) query(r *http.Request) answer {
	p, wrong := s.authenticated(r)
	if wrong != nil {
		return refused(wrong)
	}
	if wrong := s.check(s.queryRules(), p); wrong != nil {
		return refused(wrong)
	}
	period, wrong := s.searchedPeriod(p)
	if wrong != nil {
		return refused(wrong)
	}
	page, size := pageOf(p)
	return replied(object{
		must("respcd", respcdSuccess),
		may("respmsg", ""),
		may("resperr", "success"),
		may("page", page),
		may("page_size", size),
		must("data", paged(s.rows(p, period), page, size)),
	})
}

func (s *Simulator) queryRules() rules {
	return s.withMerchant(rules{
		{name: "syssn", check: list(visible(maxListed))},
		{name: "out_trade_no", check: list(visible(maxListed))},
		{name: "start_time", check: moment},
		{name: "end_time", check: moment},
		{name: "txzone", check: timeZone},
		{name: "pay_type", check: list(visible(maxListed))},
		{name: "respcd", check: list(visible(maxListed))},
		{name: "page", check: upTo(999_999_999)},
		{name: "page_size", check: upTo(maxPageSize)},
	})
}

// period is a span of sysdtm, both ends included. The zero period is all time.
type period struct{ from, to time.Time }

func (p period) holds(at time.Time) bool {
	if p == (period{}) {
		return true
	}
	at = at.Truncate(time.Second)
	return !at.Before(p.from) && !at.After(p.to)
}

// searchedPeriod is the given window, which has to lie in one month, and without
// one the current month. Sources disagree whether syssn alone says where to look:
// by default it does, and a window beside it is ignored; to the strict it does
// not.
func (s *Simulator) searchedPeriod(p params) (period, *refusal) {
	start, end := p["start_time"], p["end_time"]
	switch {
	case p["syssn"] != "" && !s.cfg.Strict:
		return period{}, nil
	case start == "" && end == "":
		return monthOf(s.cfg.Now()), nil
	case start == "":
		return period{}, refuse(respcdForm, "start_time: missing beside end_time")
	case end == "":
		return period{}, refuse(respcdForm, "end_time: missing beside start_time")
	}
	from, to := timeOf(start, zoneOf(p)), timeOf(end, zoneOf(p))
	switch {
	case to.Before(from):
		return period{}, refuse(respcdValue, "end_time: before start_time")
	case to.After(monthOf(from).to):
		return period{}, refuse(respcdValue, "end_time: in another month than start_time")
	}
	return period{from, to}, nil
}

func monthOf(at time.Time) period {
	year, month, _ := at.In(gatewayZone).Date()
	first := time.Date(year, month, 1, 0, 0, 0, 0, gatewayZone)
	return period{first, first.AddDate(0, 1, 0).Add(-time.Second)}
}

func pageOf(p params) (page, size int) {
	page, size = 1, defaultPageSize
	if p["page"] != "" {
		page = int(number(p["page"]))
	}
	if p["page_size"] != "" {
		size = int(number(p["page_size"]))
	}
	return page, size
}

// rows are the trades that are in every list that is given, of their numbers, pay
// types and respcds; where none is, every trade of the period.
func (s *Simulator) rows(p params, searched period) []object {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []object{}
	for _, t := range s.candidates(p) {
		if searched.holds(t.SysDtm) && wanted(p, t) {
			rows = append(rows, s.row(t))
		}
	}
	return rows
}

// candidates finds trades by their number where it can, so that an enquiry does
// not walk through all trades.
func (s *Simulator) candidates(p params) []*Trade {
	numbers, find := p["syssn"], s.book.findSyssn
	if numbers == "" {
		numbers, find = p["out_trade_no"], s.book.find
	}
	if numbers == "" {
		return s.book.trades.all()
	}
	var found []*Trade
	for wanted := range strings.SplitSeq(numbers, ",") {
		if t, ok := find(wanted); ok && !slices.Contains(found, t) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *Trade) int { return a.SysDtm.Compare(b.SysDtm) })
	return found
}

func wanted(p params, t *Trade) bool {
	return !t.unlisted && listed(p["syssn"], t.Syssn) && listed(p["out_trade_no"], t.OutTradeNo) &&
		listed(p["pay_type"], t.PayType) && listed(p["respcd"], t.Respcd())
}

func listed(list, wanted string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), wanted)
}

func paged(rows []object, page, size int) []object {
	first := min((page-1)*size, len(rows))
	return rows[first:min(first+size, len(rows))]
}

func (s *Simulator) row(t *Trade) object {
	currency := t.Currency
	if s.cfg.EmptyCurrency {
		currency = ""
	}
	return object{
		must("respcd", t.Respcd()),
		may("respmsg", ""),
		may("errmsg", rowMessages[t.State]),
		must("order_type", string(t.OrderType)),
		must("cancel", t.Cancel()),
		must("txamt", t.txamt()),
		must("txcurrcd", currency),
		must("syssn", t.Syssn),
		must("out_trade_no", t.OutTradeNo),
		may("origssn", t.OrigSyssn),
		must("sysdtm", formatTime(t.SysDtm)),
		may("txdtm", t.TxDtm),
		may("paydtm", formatTime(t.PayDtm)),
		must("pay_type", t.PayType),
		may("goods_name", t.GoodsName),
		may("chnlsn", t.ChnlSn),
		may("cardcd", ""),
	}
}

var rowMessages = map[State]string{
	Open:   "waiting for payment",
	Paid:   "success",
	Closed: "order closed",
	Failed: "order cancelled",
}

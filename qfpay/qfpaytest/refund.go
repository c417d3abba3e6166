package qfpaytest

import (
	"net/http"
	"time"
)

// refund gives back a paid payment or a part of it, at once or, if refunds are
// slow, when it is told to.
func (s *Simulator) refund(r *http.Request) answer {
	p, wrong := s.authenticated(r)
	if wrong != nil {
		return refused(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	paid, wrong := s.refundable(p)
	if wrong != nil {
		return replied(append(refusalReply(wrong), s.namesOf(p)...))
	}
	t := s.openRefund(paid, p)
	if t.State == Paid {
		s.notify(t)
	}
	return replied(refundReply(t))
}

// refundNames are the members that a refusal of a refund has beside its code. It has
// no syssn: the refund was given none.
var refundNames = []string{"out_trade_no", "orig_syssn", "txcurrcd"}

func (s *Simulator) namesOf(p params) object {
	names := object{may("out_trade_no", p["out_trade_no"]), may("orig_syssn", p["syssn"])}
	if paid, found := s.book.findSyssn(p["syssn"]); found {
		names = append(names, may("txcurrcd", paid.Currency))
	}
	return names
}

// aboutRefund are these members of a request that is not performed.
func (s *Simulator) aboutRefund(r *http.Request) object {
	p, _ := requestParams(r, s.cfg.Strict)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.namesOf(p)
}

func (s *Simulator) refundRules(p params) rules {
	return s.withMerchant(rules{
		{name: "syssn", required: true, check: visible(maxOutTradeNo)},
		{name: "out_trade_no", required: true, check: visible(maxOutTradeNo)},
		{name: "txamt", required: true, check: amount},
		{name: "txdtm", required: true, check: s.stamp(p)},
		{name: "txzone", check: timeZone},
		{name: "udid", check: visible(maxUdid)},
	})
}

// refundable checks the request, finds the payment, and checks that so much of it
// is left.
func (s *Simulator) refundable(p params) (*Trade, *refusal) {
	if wrong := s.check(s.refundRules(p), p); wrong != nil {
		return nil, wrong
	}
	if wrong := s.refuseDuplicate(p["out_trade_no"]); wrong != nil {
		return nil, wrong
	}
	t, found := s.book.findSyssn(p["syssn"])
	switch {
	case !found || t.OrderType != Payment:
		return nil, refuse(respcdNotFound, "syssn: no such payment")
	case t.State != Paid:
		return nil, refuse(respcdNotPaid, "syssn: not paid")
	case t.left() == 0:
		return nil, refuse(respcdRefunded, "wrong cancel")
	case number(p["txamt"]) > t.Amount:
		return nil, refuse(respcdNotThePrice, "txamt: more than was paid")
	case number(p["txamt"]) > t.left():
		return nil, refuse(respcdTooMuch, "txamt: more than is left")
	case s.cfg.Now().Sub(t.refundedAt) < s.cfg.RefundGap:
		return nil, refuse(respcdRefundRefused, "syssn: another refund of it came a moment ago")
	}
	return t, nil
}

func (s *Simulator) openRefund(paid *Trade, p params) *Trade {
	now := s.cfg.Now()
	_, syssn := s.book.number(s.dice, now)
	t := &Trade{
		OrderType:      Refund,
		State:          Paid,
		OutTradeNo:     p["out_trade_no"],
		Syssn:          syssn,
		OrigSyssn:      paid.Syssn,
		OrigOutTradeNo: paid.OutTradeNo,
		Amount:         number(p["txamt"]),
		Currency:       paid.Currency,
		PayType:        paid.PayType,
		GoodsName:      paid.GoodsName,
		NotifyURL:      paid.NotifyURL,
		TxDtm:          p["txdtm"],
		SysDtm:         now,
		PayDtm:         now,
		ChnlSn:         s.channelNumber(syssn),
		Params:         p,
	}
	if s.slowRefunds {
		t.State, t.openRespcd = Open, oneOf(s.dice.roll("slow refund "+syssn, 0), respcdsOpen...)
		t.PayDtm, t.ChnlSn = time.Time{}, ""
		t.unshown = s.refundsUnshown
	}
	paid.refundedAt = now
	*t.countedIn(paid) += t.Amount
	s.book.add(t)
	s.keep()
	return t
}

// countedIn is the sum of its payment that a refund is part of.
func (t *Trade) countedIn(paid *Trade) *int64 {
	if t.unshown {
		return &paid.unshownRefunds
	}
	return &paid.Refunded
}

// left is how much of a payment can still be refunded, in minor units.
func (t *Trade) left() int64 { return t.Amount - t.Refunded - t.unshownRefunds }

// SetSlowRefunds makes refunds that are asked for from now on take their time:
// they are accepted with "still being processed" and stay open until Pay or Fail
// is called with the refund's number.
func (s *Simulator) SetSlowRefunds(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowRefunds = on
}

// SetRefundsShown says whether the row of a payment shows the slow refunds of it
// that are asked for from now on, as cancel 3 or 5, while they are still open.
// Default: it does.
func (s *Simulator) SetRefundsShown(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refundsUnshown = !on
}

func (s *Simulator) refundsAreSlow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slowRefunds
}

// endRefund counts a slow refund that is done, and takes one that failed off its
// payment. The caller holds the lock.
func (s *Simulator) endRefund(refund *Trade) {
	paid, found := s.book.find(refund.OrigOutTradeNo)
	if !found {
		return
	}
	*refund.countedIn(paid) -= refund.Amount
	if refund.State == Paid {
		refund.unshown = false
		paid.Refunded += refund.Amount
	}
}

// refundReply answers a refund that the gateway has taken, done or not.
func refundReply(t *Trade) object {
	message := "success"
	if t.State == Open {
		message = "the refund is being processed"
	}
	return object{
		must("respcd", t.Respcd()),
		may("respmsg", ""),
		may("resperr", message),
		must("syssn", t.Syssn),
		may("orig_syssn", t.OrigSyssn),
		must("out_trade_no", t.OutTradeNo),
		may("sysdtm", formatTime(t.SysDtm)),
		may("txdtm", t.TxDtm),
		must("txamt", t.txamt()),
		may("txcurrcd", t.Currency),
		may("pay_type", t.PayType),
		may("chnlsn", t.ChnlSn),
		may("cardcd", ""),
	}
}

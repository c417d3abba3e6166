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
	now := s.cfg.Now()
	if wrong := s.refundRules(now).apply(p); wrong != nil {
		return refused(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	paid, wrong := s.refundable(p)
	if wrong != nil {
		return refused(wrong)
	}
	t := s.openRefund(paid, p, now)
	if t.State == Open {
		return refused(refuse(t.openRespcd, "the refund is being processed"))
	}
	s.notify(t)
	return replied(refundReply(t))
}

func (s *Simulator) refundRules(now time.Time) rules {
	return s.withMerchant(rules{
		{name: "syssn", required: true, check: visible(maxOutTradeNo)},
		{name: "out_trade_no", required: true, check: visible(maxOutTradeNo)},
		{name: "txamt", required: true, check: amount},
		{name: "txdtm", required: true, check: near(now)},
	})
}

// refundable finds the payment and checks that so much of it is left.
func (s *Simulator) refundable(p params) (*Trade, *refusal) {
	if wrong := s.refuseDuplicate(p["out_trade_no"]); wrong != nil {
		return nil, wrong
	}
	t, found := s.book.findSyssn(p["syssn"])
	switch {
	case !found || t.OrderType != Payment:
		return nil, refuse(respcdNotFound, "syssn: no such payment")
	case t.State != Paid:
		return nil, refuse(respcdRefundRefused, "syssn: not paid")
	case t.Refunded == t.Amount:
		return nil, refuse(respcdRefunded, "syssn: refunded already")
	case number(p["txamt"]) > t.Amount-t.Refunded:
		return nil, refuse(respcdTooMuch, "txamt: more than is left")
	}
	return t, nil
}

func (s *Simulator) openRefund(paid *Trade, p params, now time.Time) *Trade {
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
	}
	paid.Refunded += t.Amount
	s.book.add(t)
	return t
}

// SetSlowRefunds makes refunds that are asked for from now on take their time:
// they are accepted with "still being processed" and stay open until Pay or Fail
// is called with the refund's number.
func (s *Simulator) SetSlowRefunds(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowRefunds = on
}

func (s *Simulator) refundsAreSlow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.slowRefunds
}

// unbook takes a refund that failed off its payment. The caller holds the lock.
func (s *Simulator) unbook(refund *Trade) {
	if paid, found := s.book.find(refund.OrigOutTradeNo); found {
		paid.Refunded -= refund.Amount
	}
}

func refundReply(t *Trade) object {
	return object{
		must("respcd", respcdSuccess),
		may("respmsg", ""),
		may("resperr", "success"),
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

package qfpaytest

import "net/http"

// closeTrade ends an open trade, so that nobody can pay it any more.
func (s *Simulator) closeTrade(r *http.Request) answer {
	p, wrong := s.authenticated(r)
	if wrong != nil {
		return refused(wrong)
	}
	if wrong := s.check(s.closeRules(), p); wrong != nil {
		return refused(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, wrong := s.closable(p)
	if wrong != nil {
		return refused(wrong)
	}
	reply := s.closeReply(t, p)
	if !canBeClosed(t) {
		return replied(reply.without("syssn"))
	}
	t.State = Closed
	s.keep()
	return replied(reply)
}

// canBeClosed tells the trades that a close ends. Of the others the gateway says
// 0000 too, without a syssn, and they stay open.
func canBeClosed(t *Trade) bool {
	return t.PayType == payTypeJSAPI || t.PayType == payTypeAtTheTill
}

func (s *Simulator) closeRules() rules {
	return s.withMerchant(rules{
		{name: "syssn", check: visible(maxOutTradeNo)},
		{name: "out_trade_no", check: visible(maxOutTradeNo)},
		{name: "txamt", required: true, check: amount},
		{name: "txdtm", required: true, check: moment},
		{name: "udid", check: visible(maxUdid)},
	})
}

// closable finds the trade to close. Sources do not say whether txdtm is the time of
// the close or of the payment, and the gateway checks neither it nor txamt: the
// strict do.
func (s *Simulator) closable(p params) (*Trade, *refusal) {
	t, wrong := s.named(p)
	if wrong != nil {
		return nil, wrong
	}
	switch {
	case s.cfg.Strict && t.txamt() != p["txamt"]:
		return nil, refuse(respcdValue, "txamt: not the payment's")
	case p["txdtm"] != t.TxDtm && s.stamp(p)(p["txdtm"]) != "":
		return nil, refuse(respcdValue, "txdtm: neither now in UTC+8 nor the payment's")
	case t.State == Paid:
		return nil, refuse(respcdPaid, "paid already")
	case t.State != Open:
		return nil, refuse(t.Respcd(), "%s already", t.State)
	}
	return t, nil
}

// named finds the payment that a close means, by either number or by both.
func (s *Simulator) named(p params) (*Trade, *refusal) {
	syssn, outTradeNo := p["syssn"], p["out_trade_no"]
	if syssn == "" && outTradeNo == "" {
		return nil, refuse(respcdForm, "syssn or out_trade_no: missing")
	}
	t, found := s.book.find(outTradeNo)
	if syssn != "" {
		t, found = s.book.findSyssn(syssn)
	}
	if !found || t.OrderType != Payment || (outTradeNo != "" && t.OutTradeNo != outTradeNo) {
		return nil, refuse(respcdNotFound, "no such payment")
	}
	return t, nil
}

func (s *Simulator) closeReply(t *Trade, p params) object {
	now := s.cfg.Now()
	_, syssn := s.book.number(s.dice, now)
	return object{
		must("respcd", respcdSuccess),
		may("respmsg", ""),
		may("resperr", "success"),
		may("syssn", syssn),
		may("orig_syssn", t.Syssn),
		may("out_trade_no", t.OutTradeNo),
		may("sysdtm", formatTime(now)),
		may("txdtm", p["txdtm"]),
		may("txamt", t.txamt()),
		may("txcurrcd", t.Currency),
		may("pay_type", t.PayType),
		may("chnlsn", ""),
		may("cardcd", ""),
	}
}

package qfpaytest

import "net/http"

// hostedPath is where the payers of a merchant in Canada pay. Neither it nor its
// parameters are documented: they are the simulator's own.
const hostedPath = "/q/hosted"

// host makes a trade one that is paid at its pay_url. That has two parameters, so
// that a shop that passes it on half escaped ends on an error.
func (s *Simulator) host(t *Trade, origin string) {
	t.ticket = letters(s.dice.roll("ticket "+t.prepayID, 0), alphanumeric, 32)
	t.PayParams = PayParams{}
	t.PayURL = origin + hostedPath + "?prepay_id=" + t.prepayID + "&ticket=" + t.ticket
}

// originOf is the address by which a request came in.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// hostedPage opens the wallet for a hosted payment.
func (s *Simulator) hostedPage(r *http.Request) answer {
	if !s.inWeChat(r) {
		return outsideWeChat()
	}
	p, wrong := requestParams(r)
	if wrong != nil {
		return wrongPage(wrong)
	}
	if wrong := hostedRules.apply(p); wrong != nil {
		return wrongPage(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, found := s.book.findPrepay(p["prepay_id"])
	switch {
	case !found || t.PayURL == "":
		return wrongPage(refuse(respcdNotFound, "prepay_id: no such payment"))
	case p["ticket"] != t.ticket:
		return wrongPage(refuse(respcdValue, "ticket: not the payment's"))
	case t.State != Open:
		return endedPage(http.StatusOK, t, t.Params["return_url"])
	}
	return walletPage(t, "微信支付 WeChat Pay", t.GoodsName, wayBack(t))
}

var hostedRules = rules{
	{name: "prepay_id", required: true, check: visible(128)},
	{name: "ticket", required: true, check: visible(64)},
}

// wayBack is where a hosted payment leads afterwards: to the shop, or, if that
// gave no return_url, back to the pay page, which then says how it ended.
func wayBack(t *Trade) string {
	if back := t.Params["return_url"]; back != "" {
		return back
	}
	return t.PayURL
}

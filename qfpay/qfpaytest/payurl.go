package qfpaytest

import (
	"cmp"
	"net/http"
)

// The pages that a pay_url leads to: that of the payers of a merchant in Canada,
// and that of the wallets of a phone's own browser. Neither they nor their
// parameters are documented: they are the simulator's own.
const (
	hostedPath = "/q/hosted"
	wapPath    = "/q/wap"
)

// link makes a trade one that is paid at its pay_url. That has two parameters, so
// that a shop that passes it on half escaped ends on an error.
func (s *Simulator) link(t *Trade, origin, path string) {
	t.ticket = letters(s.dice.roll("ticket "+t.prepayID, 0), alphanumeric, 32)
	t.PayParams = PayParams{}
	t.PayURL = origin + path + "?prepay_id=" + t.prepayID + "&ticket=" + t.ticket
}

// originOf is the address by which a request came in.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// linkedPage opens the wallet of a payment that has a pay_url.
func (s *Simulator) linkedPage(r *http.Request) answer {
	p, wrong := requestParams(r, s.cfg.Strict)
	if wrong != nil {
		return wrongPage(wrong)
	}
	if wrong := s.check(linkedRules, p); wrong != nil {
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
	}
	if shown, refused := s.wrongBrowser(t, r); refused {
		return shown
	}
	if t.State != Open {
		return endedPage(http.StatusOK, t, wayBack(t, p["redirect_url"]))
	}
	if t.PayType == payTypeWeChatH5 && r.Referer() == "" {
		return noReferer()
	}
	// Without a way back, WeChat's H5 leads to the page that it was opened from.
	return walletPage(t, walletTitle(t), t.GoodsName, linkedBack(t, cmp.Or(p["redirect_url"], r.Referer())))
}

// linkedRules are what a pay_url carries, and what a shop may append to it.
var linkedRules = rules{
	{name: "prepay_id", required: true, check: visible(128)},
	{name: "ticket", required: true, check: visible(64)},
	{name: "redirect_url", check: webAddress(maxRedirect)},
}

// wrongBrowser is what a browser is shown in which the wallet does not open.
func (s *Simulator) wrongBrowser(t *Trade, r *http.Request) (answer, bool) {
	wallet, found := walletOf(t.PayType)
	switch {
	case t.PayURL == "" || !found:
		return outsideWeChat(), !s.inWeChat(r)
	case wallet.opensInWeChat:
		return answer{}, false
	default:
		return insideWeChat(wallet), ofWeChat(r)
	}
}

// wayBack is where the shop said that a payment leads afterwards: WeChat's H5 by
// what it appended to the pay_url, the others by the payment's return_url.
func wayBack(t *Trade, appended string) string {
	if t.PayURL == "" || t.PayType == payTypeWeChatH5 {
		return appended
	}
	return t.Params["return_url"]
}

// linkedBack is where the wallet's buttons lead: where the shop said, or else back
// to the pay page, which then says how it ended.
func linkedBack(t *Trade, appended string) string {
	return cmp.Or(wayBack(t, appended), t.PayURL)
}

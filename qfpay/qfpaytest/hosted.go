package qfpaytest

import (
	"net/http"
	"net/url"
)

// hostedPath is where payments of Canadian merchants are paid.
const hostedPath = "/q/hosted"

// hostedReply carries an address to pay at instead of parameters for WeChat.
func hostedReply(t *Trade, r *http.Request) object {
	return append(tradeReply(t), must("pay_url", hostedURL(t, r)))
}

func hostedURL(t *Trade, r *http.Request) string {
	address := url.URL{Scheme: "http", Host: r.Host, Path: hostedPath, RawQuery: url.Values{"prepay_id": {t.prepayID}}.Encode()}
	if r.TLS != nil {
		address.Scheme = "https"
	}
	return address.String()
}

// hostedPage opens the wallet for a payment of a Canadian merchant.
func (s *Simulator) hostedPage(r *http.Request) answer {
	if !s.inWeChat(r) {
		return outsideWeChat()
	}
	p, wrong := requestParams(r)
	if wrong != nil {
		return wrongPage(wrong)
	}
	if wrong := (rules{{name: "prepay_id", required: true, check: visible(128)}}).apply(p); wrong != nil {
		return wrongPage(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, found := s.book.findPrepay(p["prepay_id"])
	if !found {
		return wrongPage(refuse(respcdNotFound, "prepay_id: no such payment"))
	}
	back := t.Params["return_url"]
	if back == "" {
		back = hostedURL(t, r)
	}
	if t.State != Open {
		return endedPage(http.StatusOK, t, back)
	}
	return walletPage(t, params{"mchntnm": s.cfg.AppCode, "goods_name": t.GoodsName, "redirect_url": back})
}

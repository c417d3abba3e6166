package qfpaytest

import "net/http"

// openid exchanges a code for the openid of its payer.
func (s *Simulator) openid(r *http.Request) answer {
	p, wrong := s.authenticated(r)
	if wrong != nil {
		return refused(wrong)
	}
	table := s.withMerchant(rules{{name: "code", required: true, check: visible(128)}})
	if wrong := s.check(table, p); wrong != nil {
		return refused(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := s.payers.exchange(s.dice, s.gatewayAppID(), p["code"], s.cfg.Now())
	if err != nil {
		return refused(refuse(RespcdCodeRefused, "code: %v", err))
	}
	return replied(object{
		may("resperr", ""),
		must("respcd", respcdSuccess),
		may("respmsg", ""),
		must("openid", id),
	})
}

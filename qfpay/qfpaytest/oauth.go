package qfpaytest

import (
	"net/http"
	"strings"
)

const (
	// maxRedirect is the documented length of redirect_uri and redirect_url, in
	// characters.
	maxRedirect = 512

	// wechatToken is what the User-Agent of WeChat's browser holds.
	wechatToken = "MicroMessenger"

	// weComToken is what that of WeCom holds besides. WeCom cannot pay.
	weComToken = "wxwork"
)

// oauth sends the payer back to the merchant with a code. It alone carries
// app_code and sign in the query, and knows MD5 only.
func (s *Simulator) oauth(r *http.Request) answer {
	if !s.inWeChat(r) {
		return outsideWeChat()
	}
	p, wrong := s.oauthParams(r)
	if wrong != nil {
		return refused(wrong)
	}
	return redirected(http.StatusFound, s.withCode(p["redirect_uri"], s.Code()))
}

func (s *Simulator) oauthParams(r *http.Request) (params, *refusal) {
	p, wrong := requestParams(r, s.cfg.Strict)
	if wrong != nil {
		return nil, wrong
	}
	sign := p["sign"]
	delete(p, "sign")
	switch {
	case sign == "":
		return nil, refuse(respcdForm, "sign: missing")
	case !s.sign.signed(signMD5, p, sign):
		return nil, refuse(respcdSign, "sign: does not match the parameters")
	case s.cfg.Strict && strings.Contains(r.URL.RawQuery, "://"):
		return nil, refuse(respcdForm, "redirect_uri: not URL-encoded")
	}
	return p, s.check(s.withMerchant(rules{
		{name: "app_code", required: true, check: equal(s.cfg.AppCode), respcd: respcdSign},
		{name: "redirect_uri", required: true, check: webAddress(maxRedirect)},
	}), p)
}

// withCode adds the code to the query of an address.
func (s *Simulator) withCode(address, code string) string {
	if s.cfg.BlindCode {
		return withQuery(address, "?", "code="+code)
	}
	return withQuery(address, queryJoint(address), "code="+code)
}

// queryJoint is what comes between an address and one more parameter.
func queryJoint(address string) string {
	address, _, _ = strings.Cut(address, "#")
	if strings.Contains(address, "?") {
		return "&"
	}
	return "?"
}

// withQuery adds parameters to an address, in front of any fragment.
func withQuery(address, joint, query string) string {
	address, fragment, fragmented := strings.Cut(address, "#")
	address += joint + query
	if fragmented {
		address += "#" + fragment
	}
	return address
}

func (s *Simulator) inWeChat(r *http.Request) bool {
	agent := r.UserAgent()
	return !strings.Contains(agent, weComToken) && (s.cfg.AnyBrowser || strings.Contains(agent, wechatToken))
}

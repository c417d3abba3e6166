package qfpaytest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// wechatAuthorizeOrder are the parameters of WeChat's OAuth redirect. WeChat's
// documentation: their order is checked. It calls state optional but has a return
// code for an empty one; the simulator wants it.
var wechatAuthorizeOrder = []string{"appid", "redirect_uri", "response_type", "scope", "state"}

// statePattern is the format and the length that WeChat documents.
var statePattern = regexp.MustCompile(`^[0-9A-Za-z]{1,128}$`)

// wechatAuthorize sends the payer back to the shop with a code for the shop's own
// official account, and with its state. The fragment #wechat_redirect, which
// WeChat wants too, does not reach a server.
func (s *Simulator) wechatAuthorize(r *http.Request) answer {
	if !s.inWeChat(r) {
		return outsideWeChat()
	}
	p, wrong := s.wechatAuthorizeParams(r)
	if wrong != nil {
		return wrongWeChatPage(wrong)
	}
	back := p["redirect_uri"]
	return redirected(http.StatusFound, withQuery(back, queryJoint(back), "code="+s.WeChatCode()+"&state="+p["state"]))
}

func (s *Simulator) wechatAuthorizeParams(r *http.Request) (params, *refusal) {
	p, wrong := requestParams(r, true)
	switch {
	case wrong != nil:
		return nil, wrong
	case strings.Contains(r.URL.RawQuery, "://"):
		return nil, refuse(respcdForm, "redirect_uri: not URL-encoded")
	}
	table := rules{
		{name: "appid", required: true, check: s.wechatAppID},
		{name: "redirect_uri", required: true, check: webAddress(maxRedirect)},
		{name: "response_type", required: true, check: equal("code")},
		{name: "scope", required: true, check: equal("snsapi_base")},
		{name: "state", required: true, check: state},
	}
	if wrong := table.applyToAll(p); wrong != nil {
		return nil, wrong
	}
	if !slices.Equal(namesInOrder(r.URL.RawQuery), wechatAuthorizeOrder) {
		return nil, refuse(respcdForm, "the order of the parameters is not %s", strings.Join(wechatAuthorizeOrder, ", "))
	}
	return p, nil
}

func (s *Simulator) wechatAppID(value string) string {
	if !s.wechat.is(value) {
		return "no such official account"
	}
	return ""
}

func state(value string) string {
	if !statePattern.MatchString(value) {
		return "not 1 to 128 letters and digits"
	}
	return ""
}

// namesInOrder are the names of a query as they are spelled.
func namesInOrder(query string) (names []string) {
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	return names
}

// wrongWeChatPage is what the payer sees in place of the redirect. WeChat answers
// with 200; the simulator does not, lest a test overlook it.
func wrongWeChatPage(r *refusal) answer {
	return notice{
		Title:        "微信授权无法继续",
		EnglishTitle: "WeChat cannot continue this authorization",
		Detail:       r.reason,
	}.show(http.StatusBadRequest)
}

package qfpaytest

import (
	"net/http"
	"strconv"
)

// The errcodes that WeChat's token endpoint gives of its own accord, from the
// global return codes in WeChat's documentation.
const (
	errcodeGrantType     = "40002"
	errcodeAppID         = "40013"
	errcodeCode          = "40029"
	errcodeForm          = "40097" // of invalid arguments in general
	errcodeSecret        = "40125"
	errcodeCodeUsed      = "40163"
	errcodeAppIDMissing  = "41002"
	errcodeSecretMissing = "41004"
	errcodeCodeMissing   = "41008"
	errcodeCodeExpired   = "42003"
)

// wechatToken exchanges a code of the shop's own official account for an access
// token, which is good for nothing here, and the openid of its payer.
func (s *Simulator) wechatToken(r *http.Request) answer {
	p, wrong := requestParams(r, true)
	if wrong != nil {
		return s.wechatRefused(refuse(errcodeForm, "invalid args, %s", wrong.reason))
	}
	if wrong := s.wechatTokenParams(p); wrong != nil {
		return s.wechatRefused(wrong)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := s.payers.exchange(s.dice, s.wechat.appID, p["code"], s.cfg.Now())
	if err != nil {
		return s.wechatRefused(codeRefusals[err])
	}
	return inPlainText(replied(object{
		may("access_token", s.wechatWord("access_token", id)),
		may("expires_in", 7200),
		may("refresh_token", s.wechatWord("refresh_token", id)),
		must("openid", id),
		may("scope", "snsapi_base"),
	}))
}

// codeRefusals are WeChat's words for why a code is not exchanged. Sources give
// 40029 and 42003 for an expired one; the simulator says what is the case.
var codeRefusals = map[error]*refusal{
	errCodeUnknown: refuse(errcodeCode, "invalid code"),
	errCodeUsed:    refuse(errcodeCodeUsed, "code been used"),
	errCodeExpired: refuse(errcodeCodeExpired, "code expired"),
}

// wechatTokenParams checks in the order of the documentation.
func (s *Simulator) wechatTokenParams(p params) *refusal {
	table := rules{{name: "appid"}, {name: "secret"}, {name: "code"}, {name: "grant_type"}}
	if wrong := table.refuseUnknown(p); wrong != nil {
		return refuse(errcodeForm, "invalid args, %s", wrong.reason)
	}
	switch {
	case p["appid"] == "":
		return refuse(errcodeAppIDMissing, "appid missing")
	case !s.wechat.is(p["appid"]):
		return refuse(errcodeAppID, "invalid appid")
	case p["secret"] == "":
		return refuse(errcodeSecretMissing, "appsecret missing")
	case !s.wechat.isSecret(p["secret"]):
		return refuse(errcodeSecret, "invalid appsecret")
	case p["code"] == "":
		return refuse(errcodeCodeMissing, "missing code")
	case p["grant_type"] != "authorization_code":
		return refuse(errcodeGrantType, "invalid grant_type")
	}
	return nil
}

// wechatRefused answers with HTTP 200, as WeChat does. The rid, which WeChat adds
// to name the request to its support, follows from the reason here. A code that is
// no number of JSON's, as of a fault for any call, loses its leading zeros.
func (s *Simulator) wechatRefused(r *refusal) answer {
	errcode, err := strconv.Atoi(r.respcd)
	if err != nil {
		panic("qfpaytest: " + err.Error())
	}
	dice := s.dice.roll("rid "+r.reason, 0)
	rid := letters(dice, lowerHex, 8) + "-" + letters(dice, lowerHex, 8) + "-" + letters(dice, lowerHex, 8)
	return inPlainText(replied(object{
		must("errcode", errcode),
		may("errmsg", r.reason+", rid: "+rid),
	}))
}

// inPlainText is JSON that does not call itself so, as WeChat's token endpoint
// sends it.
func inPlainText(a answer) answer {
	a.headers = map[string]string{"Content-Type": "text/plain"}
	return a
}

// wechatWord is a token, which WeChat bounds at 512 characters.
func (s *Simulator) wechatWord(kind, openid string) string {
	return letters(s.dice.roll(kind+" "+openid, 0), alphanumeric, 96)
}

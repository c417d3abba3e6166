package wechat

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

func TestErrorsTellEverythingInOneLine(t *testing.T) {
	for want, e := range map[string]*Error{
		"wechat: openid: refused (payer): errcode 40163: code used before: code been used, rid: 1-2-3": {
			Call: callOpenID, Errcode: 40163, Message: "code been used, rid: 1-2-3", Failure: remote.Failure{Status: 200, Outcome: remote.Refused, Fault: remote.FaultPayer},
		},
		"wechat: openid: unknown (broken): HTTP status 502": {
			Call: callOpenID, Failure: remote.Failure{Status: 502, Outcome: remote.Unknown, Fault: remote.FaultBroken},
		},
		"wechat: openid: unknown (silent): broken pipe": {
			Call: callOpenID, Failure: remote.Failure{Outcome: remote.Unknown, Fault: remote.FaultSilent, Err: errors.New("broken pipe")},
		},
	} {
		assert.EqualError(t, e, want)
	}
}

func TestMeanings(t *testing.T) {
	assert.Equal(t, "code used before", Meaning(40163))
	assert.Empty(t, Meaning(0))
	assert.Empty(t, Meaning(99999))
	for errcode, code := range codes {
		assert.NotEmpty(t, Meaning(errcode), errcode)
		assert.NotZero(t, code.outcome, errcode)
		assert.NotZero(t, code.fault, errcode)
	}
}

func TestWeChatsWordingIsTamed(t *testing.T) {
	for name, test := range map[string]struct{ errmsg, want string }{
		"as it is":                  {"invalid ip 192.0.2.1, not in whitelist, rid: 1-2-3", "invalid ip 192.0.2.1, not in whitelist, rid: 1-2-3"},
		"lines, colours, direction": {"a\r\nb\x1b[31mc\u202ed\u2028e", "ab[31mcde"},
		"200 bytes of ASCII":        {strings.Repeat("x", 300), strings.Repeat("x", 200)},
		"200 bytes of Chinese":      {strings.Repeat("错", 100), strings.Repeat("错", 66)},
		"a secret in pieces":        {"SEC\u200bRET!", "[redacted]!"},
		"a secret in a secret":      {"SECSECRETRET!", "SEC[redacted]RET!"},
	} {
		assert.Equal(t, test.want, redact.Hiding("SECRET").Line(test.errmsg), name)
	}
}

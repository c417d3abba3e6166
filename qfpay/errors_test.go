package qfpay

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestErrorsTellEverythingInOneLine(t *testing.T) {
	for want, e := range map[string]*Error{
		"qfpay: payment: refused (shop): respcd 1108: bad signature or key: sign error": {
			Call: callPayment, Respcd: "1108", Message: "sign error", Status: 200, Outcome: Refused, Fault: FaultShop,
		},
		"qfpay: query: unknown (broken): HTTP status 502": {
			Call: callQuery, Status: 502, Outcome: Unknown, Fault: FaultGateway,
		},
		"qfpay: openid: unknown (silent): broken pipe": {
			Call: callOpenID, Outcome: Unknown, Fault: FaultSilent, Err: errors.New("broken pipe"),
		},
	} {
		assert.EqualError(t, e, want)
	}
}

func TestDuplicates(t *testing.T) {
	for respcd, want := range map[string]bool{"1102": true, "2011": true, "1251": true, "1103": false, "0000": false, "": false} {
		assert.Equal(t, want, (&Error{Respcd: respcd}).Duplicate(), respcd)
	}
}

func TestPaid(t *testing.T) {
	for respcd, want := range map[string]bool{"1260": true, "1298": false, "1262": false, "0000": false, "": false} {
		assert.Equal(t, want, (&Error{Respcd: respcd}).Paid(), respcd)
	}
}

func TestNotFound(t *testing.T) {
	for respcd, want := range map[string]bool{"1136": true, "1268": true, "1143": false, "0000": false, "": false} {
		assert.Equal(t, want, (&Error{Respcd: respcd}).NotFound(), respcd)
	}
}

func TestTheGatewaysWordingIsTamed(t *testing.T) {
	for name, test := range map[string]struct{ reply, want string }{
		"both parts":                {`"respmsg":"bad","resperr":"amount"`, "bad: amount"},
		"only the first":            {`"respmsg":"bad","resperr":""`, "bad"},
		"only the second":           {`"respmsg":null,"resperr":"amount"`, "amount"},
		"the same twice":            {`"respmsg":"bad","resperr":"bad"`, "bad"},
		"Chinese":                   {`"resperr":"\u7b7e\u540d\u9519\u8bef"`, "签名错误"},
		"lines, colours, direction": {`"respmsg":"a\r\nb\u001b[31mc\u202ed\u2028e"`, "ab[31mcde"},
		"the key":                   {`"respmsg":"signed with ` + testKey + `!"`, "signed with [redacted]!"},
		"200 bytes of ASCII":        {`"respmsg":"` + strings.Repeat("x", 300) + `"`, strings.Repeat("x", 200)},
		"200 bytes of Chinese":      {`"respmsg":"` + strings.Repeat("错", 100) + `"`, strings.Repeat("错", 66)},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, says(200, `{"respcd":"1103",`+test.reply+`}`))
			e := asError(t, calls[callPayment](t.Context(), client))
			assert.Equal(t, test.want, e.Message)
		})
	}
}

func TestAHostileRespcdStaysOnItsLine(t *testing.T) {
	client := newClient(t, says(200, `{"respcd":"1\n2"}`))
	assert.NotContains(t, calls[callPayment](t.Context(), client).Error(), "\n")
}

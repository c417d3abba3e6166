package wechat

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

func FuzzReply(f *testing.F) {
	for _, body := range []string{
		paid, `{"errcode":40029,"errmsg":"invalid code, rid: 1-2-3"}`, `{"errcode":"-1","errmsg":null}`,
		`{"errcode":40163,"errmsg":"code ` + "FUZZCODE" + ` been used","openid":"o1"}`, `{"openid":1}`, `{"openid":{}}`, `[]`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		openid, err := readOpenID(body, redact.Hiding("FUZZSECRET", "FUZZCODE"))
		if err == nil {
			assert.True(t, visible(openid, 128), "%q", openid)
			return
		}
		assert.Empty(t, openid)
		e := asError(t, err)
		assert.NotZero(t, e.Outcome)
		assert.NotZero(t, e.Fault)
		assert.Equal(t, e.Errcode != 0, e.Err == nil, "a refusal or garbage")
		assert.LessOrEqual(t, len(e.Message), 200)
		for _, secret := range []string{"FUZZSECRET", "FUZZCODE"} {
			assert.NotContains(t, e.Error(), secret)
		}
		assert.False(t, strings.ContainsFunc(e.Error(), unicode.IsControl), "one line")
	})
}

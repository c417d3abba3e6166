package qfpay

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAWrongSignatureOfAReplyIsToldOnceAndIsNoError(t *testing.T) {
	const body = `{"respcd":"0000","resperr":"","respmsg":"","openid":"o1"}`
	const right = "56365ADC00273D859F0C6BE5BEC53CE9" // of body and testKey, by md5sum
	for name, test := range map[string]struct {
		sign string
		told int
	}{
		"right":                {right, 0},
		"right, in small":      {strings.ToLower(right), 0},
		"none":                 {"", 0},
		"wrong":                {digest(MD5, []byte(body+"another")), 1},
		"half of it":           {right[:16], 1},
		"of the other rule":    {Sign(MD5, map[string]string{"openid": "o1"}, testKey), 1},
		"of SHA-256":           {digest(SHA256, []byte(body+testKey)), 1},
		"of the body as it is": {digest(MD5, []byte(body)), 1},
	} {
		told := 0
		client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.sign != "" {
				w.Header().Set("X-QF-SIGN", test.sign)
			}
			_, _ = io.WriteString(w, body)
		}), func(c *Config) { c.WrongReplySignature = func() { told++ } })
		for range 3 {
			openid, err := client.OpenID(t.Context(), "CODE")
			assert.NoError(t, err, name)
			assert.Equal(t, "o1", openid, name)
		}
		assert.Equal(t, test.told, told, name)
	}
}

func TestNobodyNeedsToHearOfReplySignatures(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-QF-SIGN", "wrong")
		says(200, `{"respcd":"0000","openid":"o1"}`)(w, r)
	}))
	_, err := client.OpenID(t.Context(), "CODE")
	assert.NoError(t, err)
}

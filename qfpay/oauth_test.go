package qfpay

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func oauthClient(t *testing.T, signType SignType, mchid string) *Client {
	t.Helper()
	client, err := NewClient(Config{
		Gateway: "https://gateway.example.com", AppCode: testAppCode, ClientKey: "TESTKEY", MchID: mchid, SignType: signType,
	})
	require.NoError(t, err)
	return client
}

func TestTheOAuthAddressIsSignedRawAndSentEncoded(t *testing.T) {
	for _, signType := range []SignType{MD5, SHA256} {
		got, err := oauthClient(t, signType, "MCH123").OAuthURL("https://pay.example.com/cb?s=a%2Fb&n=1")
		require.NoError(t, err)
		assert.Equal(t, "https://gateway.example.com/tool/v1/get_weixin_oauth_code"+
			"?app_code="+testAppCode+
			"&mchid=MCH123"+
			"&redirect_uri=https%3A%2F%2Fpay.example.com%2Fcb%3Fs%3Da%252Fb%26n%3D1"+
			"&sign=51B95A0A137A8C3BE4EEE544CFD6183A", got, "MD5 even for %s", signType)
	}
}

func TestTheOAuthAddressHasNoEmptyMchID(t *testing.T) {
	got, err := oauthClient(t, MD5, "").OAuthURL("https://pay.example.com/cb")
	require.NoError(t, err)
	u, err := url.Parse(got)
	require.NoError(t, err)
	assert.False(t, u.Query().Has("mchid"))
	assert.Equal(t, Sign(MD5, map[string]string{
		"app_code": testAppCode, "redirect_uri": "https://pay.example.com/cb",
	}, "TESTKEY"), u.Query().Get("sign"))
}

func TestRedirectURIsAreChecked(t *testing.T) {
	const base = "https://pay.example.com/"
	client := oauthClient(t, MD5, "")

	_, err := client.OAuthURL(base + strings.Repeat("x", 512-len(base)))
	assert.NoError(t, err)

	for name, redirectURI := range map[string]string{
		"too long":         base + strings.Repeat("x", 513-len(base)),
		"empty":            "",
		"without a scheme": "pay.example.com/cb",
		"relative":         "/cb",
		"of no website":    "javascript:alert(1)",
	} {
		_, err := client.OAuthURL(redirectURI)
		e := asError(t, err)
		assert.Equal(t, "oauth", e.Call, name)
		assert.Equal(t, Refused, e.Outcome, name)
		assert.Equal(t, FaultRequest, e.Fault, name)
		assert.ErrorContains(t, e, "redirect_uri", name)
	}
}

func TestOpenIDExchangesTheCode(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method)
		assert.Equal(t, "/tool/v1/get_weixin_openid", r.URL.Path)
		assert.Zero(t, r.ContentLength)
		assert.Equal(t, map[string]string{"code": "a +b/=&c"}, signedParams(t, r, MD5))
		says(200, `{"resperr":"","respcd":"0000","respmsg":"","openid":"oo3LTEST"}`)(w, r)
	}))
	openid, err := client.OpenID(t.Context(), "a +b/=&c")
	require.NoError(t, err)
	assert.Equal(t, "oo3LTEST", openid)
}

func TestAMissingCodeIsNotSent(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was asked") }))
	_, err := client.OpenID(t.Context(), "")
	assert.Equal(t, Refused, asError(t, err).Outcome)
	assert.Equal(t, FaultRequest, asError(t, err).Fault)
}

func TestAYesWithoutAnOpenIDIsUnknown(t *testing.T) {
	for _, body := range []string{
		`{"respcd":"0000"}`, `{"respcd":"0000","openid":""}`, `{"respcd":"0000","openid":null}`, `{"respcd":"0000","openid":{}}`,
	} {
		_, err := newClient(t, says(200, body)).OpenID(t.Context(), "CODE")
		assert.Equal(t, Unknown, asError(t, err).Outcome, body)
		assert.Equal(t, FaultGateway, asError(t, err).Fault, body)
	}
}

package wechat

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

func TestTheAuthorizeAddressIsAsWeChatDocumentsIt(t *testing.T) {
	account, err := New(Config{AppID: testAppID, AppSecret: testSecret})
	require.NoError(t, err)
	got, err := account.AuthorizeURL("https://pay.example.com/cb?s=a%2Fb&n=1 2", "01K9Zz")
	require.NoError(t, err)
	assert.Equal(t, "https://open.weixin.qq.com/connect/oauth2/authorize"+
		"?appid=wx0123456789abcdef"+
		"&redirect_uri=https%3A%2F%2Fpay.example.com%2Fcb%3Fs%3Da%252Fb%26n%3D1%202"+
		"&response_type=code"+
		"&scope=snsapi_base"+
		"&state=01K9Zz"+
		"#wechat_redirect", got)
}

func TestTheAuthorizeAddressCanBeASimulators(t *testing.T) {
	account, err := New(Config{AppID: testAppID, AppSecret: testSecret, AuthorizeURL: "http://localhost:8090/connect/oauth2/authorize"})
	require.NoError(t, err)
	got, err := account.AuthorizeURL("http://localhost:8080/pay/callback/N1", "N1")
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(got, "http://localhost:8090/connect/oauth2/authorize?appid="), got)
}

func TestRedirectURIsAndStatesAreChecked(t *testing.T) {
	const base = "https://pay.example.com/"
	account, err := New(Config{AppID: testAppID, AppSecret: testSecret})
	require.NoError(t, err)

	_, err = account.AuthorizeURL(base+strings.Repeat("x", 512-len(base)), strings.Repeat("s", 128))
	require.NoError(t, err, "the longest of both")

	for name, test := range map[string]struct{ redirectURI, state, want string }{
		"too long":                  {base + strings.Repeat("x", 513-len(base)), "S", "redirect_uri"},
		"empty":                     {"", "S", "redirect_uri"},
		"without a scheme":          {"pay.example.com/cb", "S", "redirect_uri"},
		"relative":                  {"/cb", "S", "redirect_uri"},
		"of no website":             {"javascript:alert(1)", "S", "redirect_uri"},
		"with a password":           {"https://u:p@pay.example.com", "S", "redirect_uri"},
		"with a fragment":           {base + "#top", "S", "redirect_uri"},
		"with an empty fragment":    {base + "#", "S", "redirect_uri"},
		"no state":                  {base, "", "state"},
		"state of 129 characters":   {base, strings.Repeat("s", 129), "state"},
		"state with a hyphen":       {base, "a-b", "state"},
		"state with a line break":   {base, "ab\n", "state"},
		"state with another letter": {base, "ä", "state"},
		"state with a parameter":    {base, "a&scope=snsapi_userinfo", "state"},
		"both wrong, one is enough": {"", "", "redirect_uri"},
		"state that ends the query": {base, "a#", "state"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := account.AuthorizeURL(test.redirectURI, test.state)
			assert.Empty(t, got)
			e := asError(t, err)
			assert.Equal(t, "authorize", e.Call)
			assert.Equal(t, remote.Refused, e.Outcome)
			assert.Equal(t, remote.FaultRequest, e.Fault)
			assert.ErrorContains(t, e, test.want)
		})
	}
}

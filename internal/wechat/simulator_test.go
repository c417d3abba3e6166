package wechat_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	appID  = "wx0123456789abcdef"
	secret = "SIMULATED+SECRET/&="
)

// simulated is an account at a simulated WeChat.
func simulated(t *testing.T, appSecret string) (*wechat.Account, *qfpaytest.Simulator) {
	t.Helper()
	weixin, err := qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: "SIMULATEDAPPCODE", ClientKey: "SIMULATEDKEY", WeChatAppID: appID, WeChatAppSecret: secret,
	})
	require.NoError(t, err)
	server := httptest.NewServer(weixin)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, weixin.Close())
	})
	account, err := wechat.New(wechat.Config{
		AppID: appID, AppSecret: redact.Secret(appSecret),
		AuthorizeURL: server.URL + "/connect/oauth2/authorize",
		TokenURL:     server.URL + "/sns/oauth2/access_token",
	})
	require.NoError(t, err)
	t.Cleanup(account.CloseIdle)
	return account, weixin
}

// sentBack is where WeChat sends a payer who opens an address.
func sentBack(t *testing.T, address string) *url.URL {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(t, err)
	r.Header.Set("User-Agent", "Mozilla/5.0 MicroMessenger/8.0.50")
	got, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer func() { _ = got.Body.Close() }()
	require.Equal(t, http.StatusFound, got.StatusCode)
	back, err := got.Location()
	require.NoError(t, err)
	return back
}

func TestThePayersOpenIDFromASimulator(t *testing.T) {
	account, _ := simulated(t, secret)
	state := strings.Repeat("s", 128)
	address, err := account.AuthorizeURL("https://pay.example.com/pay/callback/N1?a=b%2Fc d", state)
	require.NoError(t, err)
	back := sentBack(t, address)
	assert.Equal(t, "/pay/callback/N1", back.Path)
	assert.Equal(t, state, back.Query().Get("state"))
	assert.Equal(t, "b/c d", back.Query().Get("a"))

	openid, err := account.OpenID(t.Context(), back.Query().Get("code"))
	require.NoError(t, err)
	assert.Len(t, openid, 28)

	_, err = account.OpenID(t.Context(), back.Query().Get("code"))
	refused, ok := errors.AsType[*wechat.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 40163, refused.Errcode)
	assert.Equal(t, remote.FaultPayer, refused.Fault)
}

func TestAWrongSecretIsTheShopsFault(t *testing.T) {
	account, weixin := simulated(t, "ANOTHER")
	_, err := account.OpenID(t.Context(), weixin.WeChatCode())
	refused, ok := errors.AsType[*wechat.Error](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, remote.Refused, refused.Outcome)
	assert.Equal(t, remote.FaultShop, refused.Fault)
	assert.NotContains(t, err.Error(), "ANOTHER")
}

// The faults of the simulator, in the words of the package. None of them gives an
// openid away, and after those that leave the code alone it is still good.
func TestFaultsOfASimulatedWeChat(t *testing.T) {
	for _, test := range []struct {
		fault   qfpaytest.Fault
		outcome remote.Outcome
		again   bool
	}{
		{qfpaytest.Fault{Kind: qfpaytest.DropBefore}, remote.Unknown, true},
		{qfpaytest.Fault{Kind: qfpaytest.DropAfter}, remote.Unknown, false},
		{qfpaytest.Fault{Kind: qfpaytest.Status5xx}, remote.Unknown, true},
		{qfpaytest.Fault{Kind: qfpaytest.TooMany}, remote.Refused, true},
		{qfpaytest.Fault{Kind: qfpaytest.Garbage}, remote.Unknown, true},
		{qfpaytest.Fault{Kind: qfpaytest.HTML}, remote.Unknown, true},
		{qfpaytest.Fault{Kind: qfpaytest.Oversized}, remote.Unknown, true},
		{qfpaytest.Fault{Kind: qfpaytest.Truncated}, remote.Unknown, false},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "-1"}, remote.Unknown, true},
		{qfpaytest.Fault{Kind: qfpaytest.RespcdAfter, Respcd: "45009"}, remote.Refused, false},
	} {
		t.Run(string(test.fault.Kind), func(t *testing.T) {
			account, weixin := simulated(t, secret)
			code := weixin.WeChatCode()
			test.fault.Call = "wechat_token"
			weixin.Inject(test.fault)
			openid, err := account.OpenID(t.Context(), code)
			assert.Empty(t, openid)
			e, ok := errors.AsType[*wechat.Error](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, test.outcome, e.Outcome, e)
			assert.NotContains(t, e.Error(), code)

			openid, err = account.OpenID(t.Context(), code)
			assert.Equal(t, test.again, err == nil, err)
			assert.Equal(t, test.again, openid != "")
		})
	}
}

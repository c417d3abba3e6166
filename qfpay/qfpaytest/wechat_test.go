package qfpaytest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	ownAppID  = "wxfedcba9876543210"
	ownSecret = "OWNSECRET0123456789"

	authorizePath = "/connect/oauth2/authorize?"
	tokenPath     = "/sns/oauth2/access_token?"
)

func ownAccount(c *qfpaytest.Config) { c.WeChatAppID, c.WeChatAppSecret = ownAppID, ownSecret }

// authorizeQuery is a query in the order that WeChat documents.
func authorizeQuery(redirectURI string) string {
	return "appid=" + ownAppID + "&redirect_uri=" + url.QueryEscape(redirectURI) +
		"&response_type=code&scope=snsapi_base&state=S1"
}

func tokenQuery(code string) map[string]string {
	return map[string]string{"appid": ownAppID, "secret": ownSecret, "code": code, "grant_type": "authorization_code"}
}

// exchanged asks WeChat for the openid of a code.
func (s *shop) exchanged(values map[string]string) response {
	s.Helper()
	r, err := http.NewRequest(http.MethodGet, s.url+tokenPath+encode(values), nil)
	require.NoError(s, err)
	return s.do(r)
}

func (s *shop) ownOpenID() string {
	s.Helper()
	got := s.exchanged(tokenQuery(s.gateway.WeChatCode()))
	require.NotNil(s, got.reply["openid"], got.body)
	return got.reply["openid"].(string)
}

func TestWeChatSendsThePayerBackWithCodeAndState(t *testing.T) {
	for to, prefix := range map[string]string{
		"https://shop.example/pay/callback/N1":       "https://shop.example/pay/callback/N1?code=0",
		"https://shop.example/cb?s=a%2Fb&n=1":        "https://shop.example/cb?s=a%2Fb&n=1&code=0",
		"https://shop.example/cb?s=1#top":            "https://shop.example/cb?s=1&code=0",
		"https://shop.example/cb#/route?of=a-script": "https://shop.example/cb?code=0",
	} {
		s := newShop(t, ownAccount, func(c *qfpaytest.Config) { c.BlindCode = true })
		got := s.browse(authorizePath + authorizeQuery(to))
		assert.Equal(t, http.StatusFound, got.status, got.body)
		location := got.header.Get("Location")
		assert.True(t, strings.HasPrefix(location, prefix), location)
		back, err := url.Parse(location)
		require.NoError(t, err)
		assert.Equal(t, "S1", back.Query().Get("state"))
		assert.Len(t, back.Query().Get("code"), 32)
		assert.Equal(t, 1, s.gateway.Calls("wechat_authorize"))
	}
}

func TestWrongWeChatRedirectsAreRefused(t *testing.T) {
	right := authorizeQuery("https://shop.example/cb")
	for name, c := range map[string]struct{ query, want string }{
		"another appid":         {strings.Replace(right, ownAppID, "wx1", 1), "appid: no such official account"},
		"no appid":              {strings.Replace(right, "appid="+ownAppID+"&", "", 1), "appid: missing"},
		"not URL-encoded":       {strings.Replace(right, "https%3A%2F%2F", "https://", 1), "redirect_uri: not URL-encoded"},
		"relative":              {authorizeQuery("/cb"), "redirect_uri: not an absolute"},
		"513 characters":        {authorizeQuery("https://shop.example/" + strings.Repeat("x", 492)), "redirect_uri: longer"},
		"another response_type": {strings.Replace(right, "=code", "=token", 1), "response_type: not code"},
		"asking for the name":   {strings.Replace(right, "_base", "_userinfo", 1), "scope: not snsapi_base"},
		"no state":              {strings.Replace(right, "&state=S1", "", 1), "state: missing"},
		"state with a hyphen":   {right + "-", "state: not 1 to 128"},
		"another order":         {"state=S1&" + strings.Replace(right, "&state=S1", "", 1), "order of the parameters"},
		"signed":                {right + "&sign=1", "sign: unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			got := newShop(t, ownAccount).browse(authorizePath + c.query)
			assert.Equal(t, http.StatusBadRequest, got.status)
			assert.Contains(t, got.body, c.want)
		})
	}
}

func TestWeChatKnowsNoAccountUnlessThereIsOne(t *testing.T) {
	s := newShop(t)
	assert.Contains(t, s.browse(authorizePath+authorizeQuery("https://shop.example/cb")).body, "no such official account")
	assert.EqualValues(t, 40013, s.exchanged(tokenQuery(s.gateway.WeChatCode())).reply["errcode"])
}

func TestWeChatsRedirectIsForItsOwnBrowser(t *testing.T) {
	s := newShop(t, ownAccount)
	r, err := http.NewRequest(http.MethodGet, s.url+authorizePath+authorizeQuery("https://shop.example/cb"), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, s.do(r).status)
}

func TestWeChatExchangesACodeOnceWithinFiveMinutes(t *testing.T) {
	s := newShop(t, ownAccount)
	code := s.gateway.WeChatCode()
	first := s.exchanged(tokenQuery(code))
	assert.Equal(t, http.StatusOK, first.status)
	assert.Equal(t, "text/plain", first.header.Get("Content-Type"))
	assert.Len(t, first.reply["openid"], 28)
	assert.EqualValues(t, 7200, first.reply["expires_in"])
	assert.Equal(t, "snsapi_base", first.reply["scope"])
	assert.NotEmpty(t, first.reply["access_token"])
	assert.NotEqual(t, first.reply["access_token"], first.reply["refresh_token"])
	assert.NotContains(t, first.reply, "errcode")

	used := s.exchanged(tokenQuery(code))
	assert.EqualValues(t, 40163, used.reply["errcode"])
	assert.Regexp(t, `^code been used, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$`, used.reply["errmsg"])
	late := s.gateway.WeChatCode()
	s.now = s.now.Add(5*time.Minute + time.Second)
	assert.EqualValues(t, 42003, s.exchanged(tokenQuery(late)).reply["errcode"])
	assert.Equal(t, 3, s.gateway.Calls("wechat_token"))
}

func TestWrongExchangesGetWeChatsErrcodes(t *testing.T) {
	s := newShop(t, ownAccount)
	right := tokenQuery(s.gateway.WeChatCode())
	for name, c := range map[string]struct {
		values map[string]string
		want   int
	}{
		"no appid":             {without(right, "appid"), 41002},
		"another appid":        {with(right, "appid", "wx1"), 40013},
		"no secret":            {without(right, "secret"), 41004},
		"another secret":       {with(right, "secret", key), 40125},
		"no code":              {without(right, "code"), 41008},
		"a code never issued":  {with(right, "code", "0x"), 40029},
		"the gateway's code":   {with(right, "code", s.gateway.Code()), 40029},
		"another grant_type":   {with(right, "grant_type", "client_credential"), 40002},
		"an empty parameter":   {with(right, "code", ""), 40097},
		"an unknown parameter": {with(right, "state", "S1"), 40097},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.exchanged(c.values)
			assert.Equal(t, http.StatusOK, got.status)
			assert.EqualValues(t, c.want, got.reply["errcode"], got.body)
			assert.NotContains(t, got.reply, "openid")
			assert.NotContains(t, got.body, ownSecret)
		})
	}
	assert.NotNil(t, s.exchanged(right).reply["openid"], "none of them has used the code up")
}

func TestTheGatewayTakesNoCodeOfTheShopsAccount(t *testing.T) {
	s := newShop(t, ownAccount)
	got := s.do(s.signed(http.MethodGet, "/tool/v1/get_weixin_openid", map[string]string{"code": s.gateway.WeChatCode()}))
	assert.Equal(t, qfpaytest.RespcdCodeRefused, got.respcd())
}

func TestAPaymentIsMadeInTheAccountOfItsOpenID(t *testing.T) {
	s := newShop(t, ownAccount)
	own := map[string]string{"sub_openid": s.ownOpenID()}
	appID := func(reply map[string]any) any { return reply["pay_params"].(map[string]any)["appId"] }
	assert.Equal(t, ownAppID, appID(s.opened("N1", own)))
	assert.Equal(t, ownAppID, appID(s.opened("N2", own)), "it is the payer's for good")
	assert.NotEqual(t, ownAppID, appID(s.opened("N3")))
}

func TestFaultsSpeakWeChatsWords(t *testing.T) {
	for _, c := range []struct {
		fault qfpaytest.Fault
		want  int
		used  bool
	}{
		{qfpaytest.Fault{Call: "wechat_token", Kind: qfpaytest.Respcd, Respcd: "-1"}, -1, false},
		{qfpaytest.Fault{Call: "wechat_token", Kind: qfpaytest.RespcdAfter, Respcd: "45011"}, 45011, true},
		{qfpaytest.Fault{Kind: qfpaytest.Respcd, Respcd: "1100"}, 1100, false},
	} {
		s := newShop(t, ownAccount)
		s.gateway.Inject(c.fault)
		right := tokenQuery(s.gateway.WeChatCode())
		got := s.exchanged(right)
		assert.EqualValues(t, c.want, got.reply["errcode"], got.body)
		assert.NotContains(t, got.reply, "openid")
		assert.Equal(t, c.used, s.exchanged(right).reply["openid"] == nil, c.fault.Kind)
	}
	s := newShop(t, ownAccount)
	s.gateway.Inject(qfpaytest.Fault{Call: "wechat_authorize", Kind: qfpaytest.Respcd, Respcd: "10003"})
	assert.Equal(t, http.StatusBadRequest, s.browse(authorizePath+authorizeQuery("https://shop.example/cb")).status)
}

func TestTheControlPageCountsWeChatsCalls(t *testing.T) {
	s := newShop(t, ownAccount)
	s.exchanged(tokenQuery("0x"))
	page := s.browse("/control/").body
	assert.Contains(t, page, "wechat_token")
	assert.NotContains(t, page, ownSecret)
	var calls map[string]int
	require.NoError(t, json.Unmarshal([]byte(s.browse("/control/calls").body), &calls))
	assert.Equal(t, 1, calls["wechat_token"])
	assert.Contains(t, calls, "wechat_authorize")
}

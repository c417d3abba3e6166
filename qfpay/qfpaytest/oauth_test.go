package qfpaytest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const oauthPath = "/tool/v1/get_weixin_oauth_code?"

func oauthQuery(redirectURI string) map[string]string {
	values := map[string]string{"app_code": appCode, "redirect_uri": redirectURI}
	return with(values, "sign", md5Of(unsigned(values)))
}

func TestThePayerComesBackWithACode(t *testing.T) {
	blind := func(c *qfpaytest.Config) { c.BlindCode = true }
	carefully := func(*qfpaytest.Config) {}
	cases := map[string]struct {
		config     func(*qfpaytest.Config)
		to, prefix string
	}{
		"path":           {carefully, "https://shop.example/pay/callback/N1", "https://shop.example/pay/callback/N1?code=0"},
		"query":          {carefully, "https://shop.example/cb?s=a%2Fb&n=1", "https://shop.example/cb?s=a%2Fb&n=1&code=0"},
		"query, blindly": {blind, "https://shop.example/cb?s=1", "https://shop.example/cb?s=1?code=0"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, c.config)
			got := s.browse(oauthPath + encode(oauthQuery(c.to)))
			assert.Equal(t, http.StatusFound, got.status, got.body)
			assert.True(t, strings.HasPrefix(got.header.Get("Location"), c.prefix), got.header.Get("Location"))
			assert.Equal(t, 1, s.gateway.Calls("oauth"))
		})
	}
}

func TestWrongOAuthAddressesAreRefused(t *testing.T) {
	right := oauthQuery("https://shop.example/cb")
	cases := map[string]struct{ query, want string }{
		"no sign":              {encode(without(right, "sign")), "1103"},
		"wrong sign":           {encode(with(right, "sign", strings.Repeat("0", 32))), "1108"},
		"encoded value signed": {encode(with(right, "sign", md5Of("app_code="+appCode+"&redirect_uri="+url.QueryEscape("https://shop.example/cb")+key))), "1108"},
		"not URL-encoded":      {"app_code=" + appCode + "&sign=" + right["sign"] + "&redirect_uri=https://shop.example/cb", "1103"},
		"relative":             {encode(oauthQuery("/cb")), "1104"},
		"another scheme":       {encode(oauthQuery("weixin://shop.example/cb")), "1104"},
		"513 characters":       {encode(oauthQuery("https://shop.example/" + strings.Repeat("x", 492))), "1104"},
		"repeated":             {encode(right) + "&app_code=" + appCode, "1103"},
		"unknown parameter":    {encode(right) + "&state=1", "1108"},
		"no redirect_uri":      {"app_code=" + appCode + "&sign=" + md5Of("app_code="+appCode+key), "1103"},
		"another app_code":     {encode(map[string]string{"app_code": "B", "redirect_uri": "https://a.example", "sign": md5Of("app_code=B&redirect_uri=https://a.example" + key)}), "1108"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := newShop(t).browse(oauthPath + c.query)
			assert.Equal(t, c.want, got.respcd(), got.body)
		})
	}
}

func TestOtherBrowsersAreSentToWeChat(t *testing.T) {
	strict, anyBrowser := func(*qfpaytest.Config) {}, func(c *qfpaytest.Config) { c.AnyBrowser = true }
	const weCom = "Mozilla/5.0 (iPhone) MicroMessenger/7.0.1 wxwork/4.1.20"
	cases := map[string]struct {
		config func(*qfpaytest.Config)
		agent  string
		status int
	}{
		"a mistaken name":            {strict, "Mozilla/5.0 MichroMessenger", http.StatusForbidden},
		"WeCom":                      {strict, weCom, http.StatusForbidden},
		"WeCom where others may pay": {anyBrowser, weCom, http.StatusForbidden},
		"another, where it may":      {anyBrowser, "Mozilla/5.0", http.StatusFound},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, c.config)
			got := s.as(c.agent, oauthPath+encode(oauthQuery("https://shop.example/cb")))
			assert.Equal(t, c.status, got.status)
			if c.status == http.StatusForbidden {
				assert.Contains(t, got.body, "Open this link in WeChat")
				assert.Equal(t, c.status, s.as(c.agent, "/q/direct?appId=1").status)
			}
		})
	}
}

func TestACodeIsGoodForOneOpenIDWithinFiveMinutes(t *testing.T) {
	s := newShop(t)
	ask := func(code string) response {
		return s.do(s.signed(http.MethodGet, "/tool/v1/get_weixin_openid", map[string]string{"code": code}))
	}
	code := s.gateway.Code()
	first := ask(code)
	assert.Equal(t, "0000", first.respcd())
	assert.Len(t, first.reply["openid"], 28)
	assert.Equal(t, qfpaytest.RespcdCodeRefused, ask(code).respcd(), "used")
	assert.Equal(t, qfpaytest.RespcdCodeRefused, ask("never-issued").respcd())
	late := s.gateway.Code()
	s.now = s.now.Add(5*time.Minute + time.Second)
	assert.Equal(t, qfpaytest.RespcdCodeRefused, ask(late).respcd(), "expired")
	assert.Equal(t, 4, s.gateway.Calls("openid"))
}

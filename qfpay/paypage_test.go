package qfpay

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func somePayPage() PayPageRequest {
	return PayPageRequest{
		Page:         "https://o2-hk.qfapi.com/q/direct",
		PayParams:    somePayParams(),
		MerchantName: "Tea & Co",
		Amount:       12800,
		Currency:     "HKD",
		RedirectURL:  "https://pay.example.com/pay/return/1?a=b",
	}
}

func TestEveryValueOfThePayPageIsPercentEncoded(t *testing.T) {
	got, err := somePayPage().URL()
	require.NoError(t, err)
	assert.Equal(t, "https://o2-hk.qfapi.com/q/direct"+
		"?appId=wx0000000000000000"+
		"&currency=HKD"+
		"&mchntnm=Tea%20%26%20Co"+
		"&nonceStr=NONCE"+
		"&package=prepay_id%3Dwx23TEST"+
		"&paySign=a%2Bb%2Fc%3D%3D"+
		"&redirect_url=https%3A%2F%2Fpay.example.com%2Fpay%2Freturn%2F1%3Fa%3Db"+
		"&signType=RSA"+
		"&timeStamp=1795449845"+
		"&txamt=12800", got)
}

func TestThePayPageKeepsItsOwnQuery(t *testing.T) {
	request := somePayPage()
	request.Page = "https://pay.example.com/direct?lang=zh&txamt=1"
	request.GoodsName = "茶"
	got, err := request.URL()
	require.NoError(t, err)
	u, err := url.Parse(got)
	require.NoError(t, err)
	assert.Equal(t, []string{"zh"}, u.Query()["lang"])
	assert.Equal(t, []string{"12800"}, u.Query()["txamt"])
	assert.Equal(t, []string{"茶"}, u.Query()["goods_name"])
}

func TestNamesAreCutForThePayPage(t *testing.T) {
	request := somePayPage()
	request.MerchantName = strings.Repeat("店", 50)
	request.GoodsName = strings.Repeat("🍵", 20)
	got, err := request.URL()
	require.NoError(t, err)
	u, err := url.Parse(got)
	require.NoError(t, err)
	assert.Equal(t, strings.Repeat("店", 42), u.Query().Get("mchntnm"))
	assert.Equal(t, strings.Repeat("🍵", 16), u.Query().Get("goods_name"))
}

func TestWhatThePayPageCannotShowIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*PayPageRequest)
		want   string
	}{
		"no page":                         {func(p *PayPageRequest) { p.Page = "" }, "page"},
		"a relative page":                 {func(p *PayPageRequest) { p.Page = "/q/direct" }, "page"},
		"a missing pay_param":             {func(p *PayPageRequest) { p.PayParams.PaySign = "" }, "paySign"},
		"no amount":                       {func(p *PayPageRequest) { p.Amount = 0 }, "txamt"},
		"an unknown currency":             {func(p *PayPageRequest) { p.Currency = "ZZZ" }, "currency"},
		"a name over two lines":           {func(p *PayPageRequest) { p.MerchantName = "Tea\r\nCo" }, "mchntnm"},
		"goods over two lines":            {func(p *PayPageRequest) { p.GoodsName = "Tea\nmilk" }, "goods_name"},
		"nowhere to return to":            {func(p *PayPageRequest) { p.RedirectURL = "" }, "redirect_url"},
		"a return address with no scheme": {func(p *PayPageRequest) { p.RedirectURL = "pay.example.com" }, "redirect_url"},
		"a return address of 513":         {func(p *PayPageRequest) { p.RedirectURL = "https://pay.example.com/" + strings.Repeat("x", 489) }, "redirect_url"},
	} {
		t.Run(name, func(t *testing.T) {
			request := somePayPage()
			test.change(&request)
			_, err := request.URL()
			e := asError(t, err)
			assert.Equal(t, "paypage", e.Call)
			assert.Equal(t, Refused, e.Outcome)
			assert.ErrorContains(t, e, test.want)
		})
	}
	request := somePayPage()
	request.RedirectURL = "https://pay.example.com/" + strings.Repeat("x", 488)
	_, err := request.URL()
	assert.NoError(t, err, "512 is allowed")
}

func TestTruncate(t *testing.T) {
	for name, test := range map[string]struct {
		s     string
		bytes int
		want  string
	}{
		"short enough":           {"tea", 3, "tea"},
		"ASCII":                  {"oolong", 3, "ool"},
		"before a character":     {"茶茶", 3, "茶"},
		"inside of a character":  {"茶茶", 5, "茶"},
		"inside of the first":    {"🍵", 3, ""},
		"to nothing":             {"tea", 0, ""},
		"to less than nothing":   {"tea", -1, ""},
		"invalid bytes":          {"a\xffb", 10, "a\uFFFDb"},
		"invalid bytes, and cut": {"a\xffb", 3, "a"},
	} {
		got := Truncate(test.s, test.bytes)
		assert.Equal(t, test.want, got, name)
		assert.True(t, utf8.ValidString(got), name)
	}
}

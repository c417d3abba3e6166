package qfpaytest_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestAPaymentIsOpenedAndAnsweredInFull(t *testing.T) {
	s := newShop(t)
	reply := s.opened("N1", map[string]string{
		"txcurrcd": "CNY", "rmb_tag": "Y", "udid": strings.Repeat("u", 40), "limit_pay": "no_credit",
		"goods_name": strings.Repeat("茶", 21), "notify_url": "https://shop.example:443/notify",
	})
	assert.Regexp(t, `^20261117[0-9]{18}$`, reply["syssn"])
	assert.Equal(t, noonText, reply["sysdtm"])
	assert.Equal(t, "12800", reply["txamt"])
	for _, name := range []string{"respmsg", "resperr", "chnlsn", "cardcd", "out_trade_no", "txcurrcd", "pay_type"} {
		assert.Contains(t, reply, name)
	}
	payParams := reply["pay_params"].(map[string]any)
	assert.Equal(t, []string{"appId", "nonceStr", "package", "paySign", "signType", "timeStamp"}, slices.Sorted(maps.Keys(payParams)))
	assert.Regexp(t, `^wx[0-9a-f]{16}$`, payParams["appId"])
	assert.Regexp(t, `^prepay_id=wx`, payParams["package"])
	assert.Regexp(t, `^[0-9A-Za-z+/]{43}=$`, payParams["paySign"])

	trade, found := s.gateway.Trade("N1")
	require.True(t, found)
	assert.Equal(t, qfpaytest.Open, trade.State)
	assert.Equal(t, "no_credit", trade.Params["limit_pay"])
}

func TestWrongPaymentParametersAreRefused(t *testing.T) {
	missing := "\x00"
	cases := map[string]struct{ name, value, want string }{
		"no amount":                 {"txamt", missing, "1103"},
		"no currency":               {"txcurrcd", missing, "1103"},
		"no pay_type":               {"pay_type", missing, "1103"},
		"no number":                 {"out_trade_no", missing, "1103"},
		"no time":                   {"txdtm", missing, "1103"},
		"no openid":                 {"sub_openid", missing, "1103"},
		"amount of zero":            {"txamt", "0", "1104"},
		"negative amount":           {"txamt", "-1", "1104"},
		"signed amount":             {"txamt", "+1", "1104"},
		"decimal amount":            {"txamt", "128.00", "1104"},
		"leading zero":              {"txamt", "0128", "1104"},
		"12 digits":                 {"txamt", "100000000000", "1104"},
		"lower-case currency":       {"txcurrcd", "hkd", "1104"},
		"unknown currency":          {"txcurrcd", "ZZZ", "1104"},
		"another pay_type":          {"pay_type", "800201", "1104"},
		"number of 129 bytes":       {"out_trade_no", strings.Repeat("N", 129), "1104"},
		"number with a space":       {"out_trade_no", "N 1", "1104"},
		"local time, not UTC+8":     {"txdtm", "2026-11-17 04:00:00", "1104"},
		"12-hour clock":             {"txdtm", "2026-11-17 12:00:00 PM", "1104"},
		"eleven minutes off":        {"txdtm", "2026-11-17 12:11:00", "1104"},
		"ISO 8601":                  {"txdtm", "2026-11-17T12:00:00", "1104"},
		"fractions":                 {"txdtm", "2026-11-17 12:00:00.5", "1104"},
		"openid never issued":       {"sub_openid", "oUnknown", "1104"},
		"name of 65 bytes":          {"goods_name", strings.Repeat("茶", 21) + "ab", "1104"},
		"name with a line break":    {"goods_name", "a\nb", "1104"},
		"notify_url relative":       {"notify_url", "/notify", "1104"},
		"notify_url on 8080":        {"notify_url", "http://shop.example:8080/", "1104"},
		"notify_url too long":       {"notify_url", "https://shop.example/" + strings.Repeat("x", 236), "1104"},
		"real name not activated":   {"extend_info", `{"user_creid":"11010519491231002X","user_truename":"A"}`, "1103"},
		"limit_pay too long":        {"limit_pay", strings.Repeat("x", 33), "1104"},
		"udid of 41 bytes":          {"udid", strings.Repeat("u", 41), "1104"},
		"rmb_tag other than Y":      {"rmb_tag", "N", "1104"},
		"rmb_tag without CNY":       {"rmb_tag", "Y", "1104"},
		"parameter of another call": {"syssn", "1", "1103"},
		"mchid that nobody issued":  {"mchid", "M1", "1108"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			order := with(s.order("N1"), c.name, c.value)
			if c.value == missing {
				order = without(order, c.name)
			}
			got := s.post("/trade/v1/payment", order)
			assert.Equal(t, c.want, got.respcd(), got.body)
			assert.Contains(t, got.reply["respmsg"], c.name)
			assert.Empty(t, s.gateway.Trades())
		})
	}
}

func TestEveryPaymentNeedsItsOwnOpenIDAndNumber(t *testing.T) {
	s := newShop(t)
	order := s.order("N1")
	require.Equal(t, "0000", s.post("/trade/v1/payment", order).respcd())

	reused := s.post("/trade/v1/payment", with(order, "out_trade_no", "N2"))
	assert.Equal(t, "1104", reused.respcd())

	again := s.order("N1")
	assert.Contains(t, []string{"1102", "2011", "1251"}, s.post("/trade/v1/payment", again).respcd())
	assert.Equal(t, "0000", s.post("/trade/v1/payment", with(again, "out_trade_no", "N3")).respcd(),
		"a refused payment does not spend the openid")
}

func TestTheOldestTradesAreForgotten(t *testing.T) {
	s := newShop(t, func(c *qfpaytest.Config) { c.MaxTrades = 2 })
	for _, number := range []string{"N1", "N2", "N3"} {
		s.opened(number)
	}
	_, found := s.gateway.Trade("N1")
	assert.False(t, found)
	assert.Len(t, s.gateway.Trades(), 2)
}

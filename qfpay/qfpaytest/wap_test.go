package qfpaytest_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1"

	h5Info = `{"scene_info":{"h5_info":{"type":"Wap","wap_url":"https://shop.example/","wap_name":"茶"}},"spbill_create_ip":"203.0.113.7"}`
)

// wallets are the pay types of the wallets by their title.
var wallets = map[string]string{"WeChat Pay": "800212", "AlipayHK": "801512", "UnionPay": "800712", "PayMe": "805812"}

func withWallets(c *qfpaytest.Config) {
	c.Wallets = []string{"wechat", "alipayhk", "unionpay", "payme"}
}

// walletOrder is a payment by a wallet that the gateway accepts.
func (s *shop) walletOrder(payType, number string) map[string]string {
	s.Helper()
	order := with(without(s.order(number), "sub_openid"), "pay_type", payType)
	order["return_url"], order["goods_name"] = back, "Oolong"
	if payType == wallets["WeChat Pay"] {
		order["extend_info"] = h5Info
	}
	return order
}

// linked makes a payment by a wallet and returns the path of its pay_url, with
// what a shop appends to WeChat's.
func (s *shop) linked(payType, number string) string {
	s.Helper()
	got := s.post("/trade/v1/payment", s.walletOrder(payType, number))
	require.Equal(s, "0000", got.respcd(), got.body)
	assert.NotContains(s, got.reply, "pay_params")
	path, found := strings.CutPrefix(got.reply["pay_url"].(string), s.url)
	require.True(s, found, got.body)
	require.Contains(s, path, "/q/wap?")
	if payType == wallets["WeChat Pay"] {
		path += "&redirect_url=" + url.QueryEscape(back)
	}
	return path
}

// onPhone is what a phone's browser gets that comes from the shop's page.
func (s *shop) onPhone(userAgent, method, path string, form map[string]string) response {
	s.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(encode(form)))
	require.NoError(s, err)
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Referer", "https://shop.example/")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", formType)
	}
	return s.do(r)
}

// tap opens a wallet and posts one of its buttons.
func (s *shop) tap(path, action string) response {
	s.Helper()
	page := s.onPhone(safari, http.MethodGet, path, nil)
	require.Equal(s, http.StatusOK, page.status, page.body)
	require.Contains(s, page.body, `action="direct"`, "beside the page, where the buttons are")
	return s.onPhone(safari, http.MethodPost, "/q/direct", map[string]string{
		"prepay_id": field(s, page, "prepay_id"), "redirect_url": field(s, page, "redirect_url"), "action": action,
	})
}

func TestAWalletPaymentEndsInTheShop(t *testing.T) {
	ends := map[string]struct {
		state qfpaytest.State
		page  string
	}{
		"pay":    {qfpaytest.Paid, "Paid already"},
		"cancel": {qfpaytest.Open, "128.00"},
		"fail":   {qfpaytest.Failed, "Payment failed"},
	}
	for title, payType := range wallets {
		for action, end := range ends {
			t.Run(title+"/"+action, func(t *testing.T) {
				s := newShop(t, withWallets)
				path := s.linked(payType, "N1")
				wallet := s.onPhone(safari, http.MethodGet, path, nil).body
				for _, shown := range []string{title, "HKD", "128.00", "Oolong"} {
					assert.Contains(t, wallet, shown)
				}
				got := s.tap(path, action)
				assert.Equal(t, http.StatusSeeOther, got.status, got.body)
				assert.Equal(t, back, got.header.Get("Location"))
				trade, _ := s.gateway.Trade("N1")
				assert.Equal(t, end.state, trade.State)
				assert.Equal(t, payType, s.row("N1")["pay_type"])
				assert.Contains(t, s.onPhone(safari, http.MethodGet, path, nil).body, end.page)
			})
		}
	}
}

func TestAWayOfPayingThatIsNotActivatedIsRefused(t *testing.T) {
	s := newShop(t, func(c *qfpaytest.Config) { c.Wallets = []string{"payme"} })
	for title, payType := range wallets {
		got := s.post("/trade/v1/payment", s.walletOrder(payType, payType))
		if title == "PayMe" {
			assert.Equal(t, "0000", got.respcd(), got.body)
			continue
		}
		assert.Equal(t, "1104", got.respcd(), title)
		assert.Contains(t, got.reply["respmsg"], "filter error", title)
	}
}

func TestWrongPaymentsByWalletsAreRefused(t *testing.T) {
	info := func(old, replaced string) map[string]string {
		return map[string]string{"extend_info": strings.Replace(h5Info, old, replaced, 1)}
	}
	long := "https://shop.example/" + strings.Repeat("x", 235)
	cases := map[string]struct {
		payType string
		change  map[string]string
		want    string
		names   string
	}{
		"an openid":             {"801512", map[string]string{"sub_openid": "o1"}, "1103", "sub_openid"},
		"a way back of 256":     {"801512", map[string]string{"return_url": long}, "1104", "return_url"},
		"a notify_url of 256":   {"801512", map[string]string{"notify_url": long}, "1104", "notify_url"},
		"extend_info elsewhere": {"801512", map[string]string{"extend_info": h5Info}, "1103", "extend_info"},
		"no extend_info":        {"800212", map[string]string{"extend_info": ""}, "1103", "extend_info"},
		"extend_info of text":   {"800212", map[string]string{"extend_info": "Wap"}, "1104", "not a JSON object"},
		"extend_info and more":  {"800212", map[string]string{"extend_info": h5Info + "{}"}, "1104", "more than one"},
		"another scene":         {"800212", info("Wap", "IOS"), "1104", "h5_info.type"},
		"a site without scheme": {"800212", info("https://", ""), "1104", "wap_url"},
		"a shop without a name": {"800212", info("茶", " "), "1104", "wap_name"},
		"no address":            {"800212", info("203.0.113.7", ""), "1104", "spbill_create_ip"},
		"an address and a port": {"800212", info("203.0.113.7", "203.0.113.7:443"), "1104", "spbill_create_ip"},
		"an address with zone":  {"800212", info("203.0.113.7", "fe80::1%eth0"), "1104", "spbill_create_ip"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, withWallets)
			order := s.walletOrder(c.payType, "N1")
			maps.Copy(order, c.change)
			maps.DeleteFunc(order, func(_, value string) bool { return value == "" })
			got := s.post("/trade/v1/payment", order)
			assert.Equal(t, c.want, got.respcd(), got.body)
			assert.Contains(t, got.reply["respmsg"], c.names)
			assert.NotContains(t, got.body, "203.0.113.7", "the payer's address")
			assert.Empty(t, s.gateway.Trades())
		})
	}
	s := newShop(t, withWallets)
	order := s.walletOrder("800212", "N1")
	order["extend_info"] = strings.Replace(h5Info, "203.0.113.7", "2001:db8::7", 1)
	order["return_url"], order["notify_url"] = long[:255], long[:255]
	assert.Equal(t, "0000", s.post("/trade/v1/payment", order).respcd())
}

func TestWeChatAndAlipayHKDoNotOpenInsideWeChat(t *testing.T) {
	for title, refused := range map[string]bool{"WeChat Pay": true, "AlipayHK": true, "UnionPay": false, "PayMe": false} {
		s := newShop(t, withWallets, func(c *qfpaytest.Config) { c.AnyBrowser = true })
		path := s.linked(wallets[title], "N1")
		page := s.onPhone(wechat, http.MethodGet, path, nil)
		assert.Equal(t, refused, page.status == http.StatusForbidden, title)
		assert.Equal(t, refused, strings.Contains(page.body, title+" cannot be opened inside WeChat"), page.body)

		prepayID := strings.TrimPrefix(strings.Split(path, "&")[0], "/q/wap?prepay_id=")
		pressed := s.onPhone(wechat, http.MethodPost, "/q/direct", map[string]string{
			"prepay_id": prepayID, "redirect_url": back, "action": "pay",
		})
		trade, _ := s.gateway.Trade("N1")
		assert.Equal(t, refused, pressed.status == http.StatusForbidden, title)
		assert.Equal(t, refused, trade.State == qfpaytest.Open, title)
	}
}

func TestWeChatPayWantsToKnowThePageBefore(t *testing.T) {
	s := newShop(t, withWallets)
	for title, payType := range wallets {
		path := s.linked(payType, payType)
		got := s.as(safari, path)
		assert.Equal(t, title == "WeChat Pay", got.status == http.StatusForbidden, title)
		assert.Equal(t, title == "WeChat Pay", strings.Contains(got.body, "Referer"), title)
	}
}

func TestAWalletWithoutAWayBack(t *testing.T) {
	s := newShop(t, withWallets)
	for title, payType := range wallets {
		got := s.post("/trade/v1/payment", without(s.walletOrder(payType, payType), "return_url"))
		payURL := got.reply["pay_url"].(string)
		want := payURL
		if title == "WeChat Pay" {
			want = "https://shop.example/"
		}
		assert.Equal(t, want, s.tap(strings.TrimPrefix(payURL, s.url), "pay").header.Get("Location"), title)
	}
}

func TestAWalletPaymentCannotBeClosed(t *testing.T) {
	s := newShop(t, withWallets)
	path := s.linked(wallets["PayMe"], "N1")
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		got := s.do(s.signed(method, "/trade/v1/close", closing("N1")))
		assert.Equal(t, "0000", got.respcd(), got.body)
		assert.NotContains(t, got.reply, "syssn")
	}
	assert.Equal(t, http.StatusSeeOther, s.tap(path, "pay").status)
	assert.Equal(t, "1260", s.post("/trade/v1/close", closing("N1")).respcd())

	s.opened("N2")
	assert.NotEmpty(t, s.post("/trade/v1/close", closing("N2")).reply["syssn"], "that of a close")
}

func TestWalletsAreNamedInTheConfiguration(t *testing.T) {
	for want, names := range map[string][]string{
		`"paypal" is none of`:    {"wechat", "paypal"},
		`"payme" is given twice`: {"payme", "wechat", "payme"},
	} {
		_, err := qfpaytest.New(qfpaytest.Config{AppCode: appCode, ClientKey: key, Wallets: names})
		require.ErrorContains(t, err, want)
	}
}

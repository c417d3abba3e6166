package qfpaytest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const back = "https://shop.example/pay/return/N1?a=b%2Fc&d=e"

// payPage is the address that a correct client sends the payer to.
func (s *shop) payPage(number string) map[string]string {
	s.Helper()
	values := map[string]string{
		"mchntnm": "茶 <Shop>", "txamt": "12800", "currency": "HKD", "redirect_url": back, "goods_name": "Oolong",
	}
	for name, value := range s.opened(number)["pay_params"].(map[string]any) {
		values[name] = value.(string)
	}
	return values
}

// pressed posts a button of the wallet page.
func (s *shop) pressed(page map[string]string, action string) response {
	s.Helper()
	form := encode(map[string]string{
		"prepay_id":    strings.TrimPrefix(page["package"], "prepay_id="),
		"action":       action,
		"redirect_url": page["redirect_url"],
	})
	r, err := http.NewRequest(http.MethodPost, s.url+"/q/direct", strings.NewReader(form))
	require.NoError(s, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", wechat)
	return s.do(r)
}

func TestTheWalletShowsWhatIsPaid(t *testing.T) {
	s := newShop(t)
	got := s.browse("/q/direct?" + encode(s.payPage("N1")))
	require.Equal(t, http.StatusOK, got.status, got.body)
	for _, shown := range []string{"茶 &lt;Shop&gt;", "HKD", "128.00", "Oolong", "no money moves", `lang="zh-Hans"`} {
		assert.Contains(t, got.body, shown)
	}
	assert.NotContains(t, got.body, "<script")

	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.body)
	require.Len(t, style, 2)
	hash := sha256.Sum256([]byte(style[1]))
	assert.Contains(t, got.header.Get("Content-Security-Policy"), base64.StdEncoding.EncodeToString(hash[:]))

	carried := regexp.MustCompile(`name="redirect_url" value="([^"]*)"`).FindStringSubmatch(got.body)
	require.Len(t, carried, 2)
	assert.Equal(t, back, html.UnescapeString(carried[1]))
}

func TestWrongPayPagesNameTheParameter(t *testing.T) {
	const missing = ""
	cases := map[string]struct{ name, value string }{
		"no appId":              {"appId", missing},
		"no timeStamp":          {"timeStamp", missing},
		"no nonceStr":           {"nonceStr", missing},
		"no package":            {"package", missing},
		"no signType":           {"signType", missing},
		"no paySign":            {"paySign", missing},
		"no merchant":           {"mchntnm", missing},
		"no amount":             {"txamt", missing},
		"no currency":           {"currency", missing},
		"no way back":           {"redirect_url", missing},
		"another appId":         {"appId", "wx0000000000000000"},
		"another timeStamp":     {"timeStamp", "1"},
		"another nonceStr":      {"nonceStr", "x"},
		"unknown package":       {"package", "prepay_id=wx1"},
		"package without name":  {"package", "wx1"},
		"another signType":      {"signType", "RSA"},
		"paySign badly encoded": {"paySign", "AAAA BBBB"},
		"another amount":        {"txamt", "1"},
		"another currency":      {"currency", "USD"},
		"merchant of 129 bytes": {"mchntnm", strings.Repeat("茶", 43)},
		"goods of 65 bytes":     {"goods_name", strings.Repeat("x", 65)},
		"way back with no host": {"redirect_url", "www.example.com"},
		"way back too long":     {"redirect_url", "https://shop.example/" + strings.Repeat("x", 492)},
		"unknown parameter":     {"state", "1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			page := with(s.payPage("N1"), c.name, c.value)
			if c.value == missing {
				page = without(page, c.name)
			}
			got := s.browse("/q/direct?" + encode(page))
			assert.Equal(t, http.StatusBadRequest, got.status)
			assert.Contains(t, got.body, c.name+": ")
		})
	}
}

func TestTheButtonsEndInTheShop(t *testing.T) {
	cases := map[string]struct {
		action string
		state  qfpaytest.State
		page   string
	}{
		"Pay":    {"pay", qfpaytest.Paid, "Paid already"},
		"Cancel": {"cancel", qfpaytest.Open, "128.00"},
		"Fail":   {"fail", qfpaytest.Failed, "Payment failed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			page := s.payPage("N1")
			got := s.pressed(page, c.action)
			assert.Equal(t, http.StatusSeeOther, got.status, got.body)
			assert.Equal(t, back, got.header.Get("Location"))
			trade, _ := s.gateway.Trade("N1")
			assert.Equal(t, c.state, trade.State)
			assert.Contains(t, s.browse("/q/direct?"+encode(page)).body, c.page)
		})
	}
}

func TestPressingPayTwicePaysOnce(t *testing.T) {
	paid := newInbox(t, "SUCCESS")
	s := newShop(t, paid.registered)
	page := s.payPage("N1")
	var presses sync.WaitGroup
	for range 8 {
		presses.Go(func() { assert.Equal(t, http.StatusSeeOther, s.pressed(page, "pay").status) })
	}
	presses.Wait()
	s.delivered(1)
}

func TestAClosedTradeCannotBePaid(t *testing.T) {
	s := newShop(t)
	page := s.payPage("N1")
	require.Equal(t, "0000", s.post("/trade/v1/close", closing("N1")).respcd())
	got := s.pressed(page, "pay")
	assert.Equal(t, http.StatusConflict, got.status)
	assert.Contains(t, got.body, "Order closed")
	assert.Equal(t, http.StatusBadRequest, s.pressed(page, "steal").status)
	assert.Equal(t, http.StatusBadRequest, s.pressed(with(page, "redirect_url", "javascript:1"), "pay").status)
	assert.Equal(t, http.StatusBadRequest, s.pressed(with(page, "package", "prepay_id=x"), "pay").status)
}

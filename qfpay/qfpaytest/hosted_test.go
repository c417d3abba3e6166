package qfpaytest_test

import (
	"html"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func inCanada(c *qfpaytest.Config) { c.Hosted = true }

// hosted makes a payment of Canada and returns the path of its pay_url.
func (s *shop) hosted(number string, more ...map[string]string) string {
	s.Helper()
	order := with(without(s.order(number), "sub_openid"), "txcurrcd", "CAD")
	for _, m := range more {
		maps.Copy(order, m)
	}
	got := s.post("/trade/v1/payment", order)
	require.Equal(s, "0000", got.respcd(), got.body)
	assert.NotContains(s, got.reply, "pay_params")
	path, found := strings.CutPrefix(got.reply["pay_url"].(string), s.url)
	require.True(s, found, got.body)
	return path
}

// pressedAt posts a button of the wallet that an address opens.
func (s *shop) pressedAt(address, action string) response {
	s.Helper()
	wallet := s.browse(address)
	require.Equal(s, http.StatusOK, wallet.status, wallet.body)
	require.Contains(s, wallet.body, `action="direct"`, "beside the page, where the buttons are")
	page := map[string]string{"package": field(s, wallet, "prepay_id"), "redirect_url": field(s, wallet, "redirect_url")}
	return s.pressed(page, action)
}

// field is the value of a hidden field of a page.
func field(s *shop, page response, name string) string {
	s.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page.body)
	require.Len(s, found, 2, page.body)
	return html.UnescapeString(found[1])
}

func TestAHostedPaymentEndsInTheShop(t *testing.T) {
	for action, c := range map[string]struct {
		state qfpaytest.State
		page  string
	}{
		"pay":    {qfpaytest.Paid, "Paid already"},
		"cancel": {qfpaytest.Open, "128.00"},
		"fail":   {qfpaytest.Failed, "Payment failed"},
	} {
		t.Run(action, func(t *testing.T) {
			s := newShop(t, inCanada)
			address := s.hosted("N1", map[string]string{"return_url": back, "goods_name": "Oolong"})
			wallet := s.browse(address).body
			for _, shown := range []string{"CAD", "128.00", "Oolong"} {
				assert.Contains(t, wallet, shown)
			}
			got := s.pressedAt(address, action)
			assert.Equal(t, http.StatusSeeOther, got.status, got.body)
			assert.Equal(t, back, got.header.Get("Location"))
			trade, _ := s.gateway.Trade("N1")
			assert.Equal(t, c.state, trade.State)
			assert.Equal(t, s.url+address, trade.PayURL)
			assert.Contains(t, s.browse(address).body, c.page)
		})
	}
}

func TestAHostedPaymentWithoutAWayBackStays(t *testing.T) {
	s := newShop(t, inCanada)
	address := s.hosted("N1")
	got := s.pressedAt(address, "pay")
	assert.Equal(t, s.url+address, got.header.Get("Location"))
	ended := s.browse(address).body
	assert.Contains(t, ended, "Paid already")
	assert.NotContains(t, ended, "Back to the shop")
}

func TestAClosedHostedPaymentCannotBePaid(t *testing.T) {
	s := newShop(t, inCanada)
	address := s.hosted("N1", map[string]string{"return_url": back})
	trade, _ := s.gateway.Trade("N1")
	require.Equal(t, "0000", s.post("/trade/v1/close", closing("N1")).respcd())
	prepayID := regexp.MustCompile(`prepay_id=(\w+)`).FindStringSubmatch(trade.PayURL)[1]
	late := s.pressed(map[string]string{"package": prepayID, "redirect_url": "https://elsewhere.example/"}, "pay")
	assert.Equal(t, http.StatusConflict, late.status)
	assert.Contains(t, late.body, html.EscapeString(back), "the way back is the payment's own")
	assert.Contains(t, s.browse(address).body, "Order closed")
}

func TestTheFormsOfAPaymentAreNotMixed(t *testing.T) {
	const way = "https://shop.example/"
	s := newShop(t, inCanada)
	order := without(s.order("N1"), "sub_openid")
	for name, c := range map[string]struct {
		gateway *shop
		order   map[string]string
		respcd  string
		wrong   string
	}{
		"an openid in Canada":     {s, s.order("N1"), "1103", "sub_openid"},
		"a relative way back":     {s, with(order, "return_url", "/pay"), "1104", "return_url"},
		"a way back of 513":       {s, with(order, "return_url", way+strings.Repeat("x", 513-len(way))), "1104", "return_url"},
		"256 outside Canada":      {newShop(t), with(s.order("N1"), "return_url", way+strings.Repeat("x", 256-len(way))), "1104", "return_url"},
		"no openid but in Canada": {newShop(t), order, "1103", "sub_openid"},
	} {
		got := c.gateway.post("/trade/v1/payment", c.order)
		assert.Equal(t, c.respcd, got.respcd(), name)
		assert.Contains(t, got.reply["respmsg"], c.wrong, name)
	}
	assert.Empty(t, s.gateway.Trades())
}

func TestWrongHostedPagesAreRefused(t *testing.T) {
	s := newShop(t, inCanada)
	address := s.hosted("N1")
	for name, c := range map[string]struct{ address, want string }{
		"cut off":           {strings.Split(address, "&")[0], "ticket: missing"},
		"another ticket":    {address + "x", "ticket: not the payment"},
		"an unknown number": {strings.Replace(address, "=wx", "=wy", 1), "prepay_id: no such"},
		"more than that":    {address + "&state=1", "state: unknown"},
	} {
		got := s.browse(c.address)
		assert.Equal(t, http.StatusBadRequest, got.status, name)
		assert.Contains(t, got.body, c.want, name)
	}
	r, err := http.NewRequest(http.MethodGet, s.url+address, nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, s.do(r).status, "outside WeChat")

	other := newShop(t)
	page := other.payPage("N1")
	got := other.browse("/q/hosted?ticket=x&prepay_id=" + strings.TrimPrefix(page["package"], "prepay_id="))
	assert.Contains(t, got.body, "no such payment")
}

func TestAHostedReplyCanLoseItsPayURL(t *testing.T) {
	s := newShop(t, inCanada)
	s.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.MissingPayParams})
	got := s.post("/trade/v1/payment", without(s.order("N1"), "sub_openid"))
	assert.Equal(t, "0000", got.respcd())
	assert.NotContains(t, got.reply, "pay_url")
	assert.Len(t, s.gateway.Trades(), 1)
}

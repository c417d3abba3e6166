package qfpayjsapi_test

import (
	"context"
	"html"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// withTwoNames gives the site two names beside its address, the first of which is its
// public one.
func withTwoNames(s *shop, _ *qfpaytest.Config) {
	port := s.url[strings.LastIndex(s.url, ":"):]
	s.names = ", http://shop.example" + port + ", http://www.shop.example" + port
	s.block += "public_url http://shop.example" + port + "\n"
}

// resolving finds the shop under whatever name.
func (p *payer) resolving() *payer {
	address := strings.TrimPrefix(p.shop.url, "http://")
	p.browser.Transport = &http.Transport{DialContext: func(ctx context.Context, network, at string) (net.Conn, error) {
		if strings.Contains(at, "shop.example") {
			at = address
		}
		return new(net.Dialer).DialContext(ctx, network, at)
	}}
	p.t.Cleanup(p.browser.CloseIdleConnections)
	return p
}

func TestWhoStartsUnderAnotherNameOfTheSitePaysUnderItsPublicName(t *testing.T) {
	shop := openShop(t, withTwoNames, withBlock("field note"))
	port := shop.url[strings.LastIndex(shop.url, ":"):]
	public, other := "http://shop.example"+port, "http://www.shop.example"+port
	payer := shop.payer(wechat).resolving()
	moved := payer.get(other + "/pay/cat-food?quantity=2&ref=a+b&from=%2fx")
	require.Equal(t, http.StatusFound, moved.status, moved.body)
	assert.Equal(t, public+"/pay/cat-food?quantity=2&ref=a+b&from=%2fx&moved=1", moved.location)
	_, order := payer.prepare(moved.location)
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, int64(25600), trade.Amount)

	posted := payer.post(other+"/pay/dog-treats", url.Values{"note": {"ring twice"}})
	require.Equal(t, http.StatusTemporaryRedirect, posted.status)
	started := payer.post(posted.location, url.Values{"note": {"ring twice"}})
	require.Equal(t, http.StatusSeeOther, started.status, started.body)
	callback := payer.oauth(started.location)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	_, detail := shop.office("GET", "/qfpay_jsapi/orders/"+orderOf(t, callback), "")
	assert.Equal(t, map[string]any{"note": "ring twice"}, detail["fields"])

	for _, agent := range []string{desktop, phone} {
		at := shop.payer(agent).resolving().get(other + "/pay/cat-food")
		assert.Equal(t, public+"/pay/cat-food?moved=1", at.location)
	}
	assert.Equal(t, http.StatusBadRequest, payer.get(public+"/pay/cat-food?quantity=3%&moved=1").status, "what does not parse stays an error")
}

func TestBehindAProxyThatShowsAnotherNameNobodyIsSentTwice(t *testing.T) {
	shop := openShop(t, withTwoNames)
	port := shop.url[strings.LastIndex(shop.url, ":"):]
	payer := shop.payer(wechat)
	moved := payer.get("/pay/cat-food?quantity=2") // the proxy's name for the machine, which the site has too
	require.Equal(t, "http://shop.example"+port+"/pay/cat-food?quantity=2&moved=1", moved.location)
	start := payer.get(strings.TrimPrefix(moved.location, "http://shop.example"+port))
	require.Equal(t, http.StatusFound, start.status)
	assert.Contains(t, start.location, url.QueryEscape("http://shop.example"+port+"/pay/callback/"))
}

func TestARuleThatAddsASlashToEveryAddressHindersNobody(t *testing.T) {
	shop := openShop(t, func(s *shop, _ *qfpaytest.Config) { s.global += "order rewrite before redir\n" },
		withSite("@bare not path */\nrewrite @bare {path}/?{query}"))
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	assert.Equal(t, "SUCCESS", shop.notify(notification(order, nil)).body)
	assert.Contains(t, payer.get("/pay/return/"+order).body, "Payment received")
	assert.Equal(t, "paid", shop.statusOf(order)["status"])
	assert.Contains(t, payer.get("/pay/items/cat-food").body, `"display_price":"128.00"`)
}

func TestASlashBehindANotifyPathElsewhereIsNoOtherPath(t *testing.T) {
	shop := openShop(t, func(s *shop, _ *qfpaytest.Config) { s.global += "order rewrite before redir\n" },
		withSite("@bare not path */\nrewrite @bare {path}/?{query}"), withBlock("notify_path /hooks/qfpay"))
	assert.Equal(t, http.StatusUnauthorized, shop.payer("Python-urllib/3.8").post("/hooks/qfpay", nil).status)
	found := shop.doctorSays("paths")
	assert.Equal(t, "good", found.Status, found.Found)
	assert.NotContains(t, shop.log(), "under a different path")
}

func TestTheOrdersPageWorksWithASlash(t *testing.T) {
	shop := openShop(t, withSite("handle /orders* {\n"+basicAuth+"\nqfpay_orders\n}"))
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	list := shop.owner().get("/orders/?period=today")
	require.Equal(t, http.StatusOK, list.status)
	for _, link := range regexp.MustCompile(`href="([^"]*order=[^"]*)"`).FindAllStringSubmatch(list.body, -1) {
		at, err := url.Parse("/orders/")
		require.NoError(t, err)
		to, err := at.Parse(html.UnescapeString(link[1]))
		require.NoError(t, err)
		assert.Contains(t, shop.owner().get(to.String()).body, order, link[1])
	}
}

func TestTheShopsPageIsReachedByItsAddressAsItIsWritten(t *testing.T) {
	shop := openShop(t, withBlock("success_url /thanks?tags=a;b&x=1#top"))
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	assert.Equal(t, "/thanks?tags=a;b&x=1&order="+order+"#top", payer.get("/pay/return/"+order).location)
}

func TestASiteOfItsOwnWithTheSameBlockGoesToThePublicNameToo(t *testing.T) {
	shop := openShop(t, func(s *shop, _ *qfpaytest.Config) {
		port := s.url[strings.LastIndex(s.url, ":"):]
		s.block += "public_url http://shop.example" + port + "\n"
		s.around = func(directive string) string {
			s.global = "}\n(pay) {\n" + directive + "\n}\nhttp://shop.example" + port + " {\nimport pay\n"
			return "import pay"
		}
	})
	payer := shop.payer(wechat).resolving()
	moved := payer.get("/pay/cat-food")
	require.Equal(t, http.StatusFound, moved.status, moved.body)
	_, order := payer.prepare(moved.location)
	_, ok := shop.gateway.Trade(order)
	assert.True(t, ok)
}

package qfpayjsapi_test

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPaymentGoesFromThePayLinkToTheReceipt(t *testing.T) {
	for _, test := range []struct {
		name     string
		settings []set
		mchid    string
	}{
		{"signed with MD5", nil, ""},
		{"signed with MD5, with mchid", []set{withMchID("MCH123")}, "MCH123"},
		{"signed with SHA-256", []set{withBlock("sign_type sha256")}, ""},
		{"signed with SHA-256, with mchid", []set{withBlock("sign_type sha256"), withMchID("MCH123")}, "MCH123"},
	} {
		t.Run(test.name, func(t *testing.T) {
			shop := openShop(t, test.settings...)
			payer := shop.payer(wechat)

			start := payer.get("/pay/cat-food?quantity=2&ref=INV-7")
			require.Equal(t, http.StatusFound, start.status)
			order := assertOAuthAddress(t, shop, start.location, test.mchid)
			assertSealedCookie(t, start.cookies, order)
			assert.Empty(t, shop.stored(), "nothing is stored before the callback")
			assert.Zero(t, shop.gateway.Calls("openid")+shop.gateway.Calls("payment"), "nobody is called before the callback")

			callback := payer.oauth(start.location)
			prepared := payer.get(callback)
			require.Equal(t, http.StatusFound, prepared.status, prepared.body)
			assertPayPage(t, shop, prepared.location, order)
			assert.Equal(t, []string{"claimed", "prepared"}, shop.history(order))

			wallet := payer.get(prepared.location)
			require.Equal(t, http.StatusOK, wallet.status, wallet.body)
			waiting := payer.get("/pay/return/" + order)
			assert.Equal(t, http.StatusOK, waiting.status)
			assert.Contains(t, waiting.body, `http-equiv="refresh"`, "not paid yet: the page looks again")

			require.NoError(t, shop.gateway.Pay(order))
			shop.letEnquiriesBeDue()
			receipt := payer.get("/pay/return/" + order)
			require.Equal(t, http.StatusOK, receipt.status)
			for _, text := range []string{"HK$256.00", "Harbour Pets", "Cat food 猫粮", order, "INV-7"} {
				assert.Contains(t, receipt.body, text)
			}
			assert.NotContains(t, receipt.body, `http-equiv="refresh"`)
			assert.Equal(t, []string{"claimed", "prepared", "paid"}, shop.history(order))
			shop.eventually("nothing is left to do", func() bool { return len(shop.open()) == 0 })

			after := payer.get(callback)
			assert.Equal(t, "/pay/return/"+order, after.location, "after a paid order the callback leads to the receipt")
			assert.Equal(t, 1, shop.gateway.Calls("openid"))
			assert.Equal(t, 1, shop.gateway.Calls("payment"))
		})
	}
}

func assertOAuthAddress(t *testing.T, shop *shop, address, mchid string) (order string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	assert.Equal(t, shop.line.URL+"/tool/v1/get_weixin_oauth_code", u.Scheme+"://"+u.Host+u.Path)
	query := u.Query()
	redirectURI := query.Get("redirect_uri")
	order = orderOf(t, redirectURI)
	assert.Equal(t, shop.url+"/pay/callback/"+order, redirectURI)
	signed := "app_code=" + appCode
	if mchid != "" {
		signed += "&mchid=" + mchid
	}
	signed += "&redirect_uri=" + redirectURI + clientKey
	assert.Equal(t, fmt.Sprintf("%X", md5.Sum([]byte(signed))), query.Get("sign"), "the address is always signed with MD5, over the raw redirect_uri")
	assert.Equal(t, mchid != "", query.Has("mchid"))
	return order
}

func assertSealedCookie(t *testing.T, cookies []*http.Cookie, order string) {
	t.Helper()
	require.Len(t, cookies, 1)
	cookie := cookies[0]
	assert.Equal(t, "qfpay_"+order, cookie.Name)
	assert.Equal(t, "/pay", cookie.Path)
	assert.True(t, cookie.HttpOnly)
	assert.False(t, cookie.Secure)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	assert.Less(t, len(cookie.String()), 4096)
}

func assertPayPage(t *testing.T, shop *shop, address, order string) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	assert.Equal(t, shop.line.URL+"/q/direct", u.Scheme+"://"+u.Host+u.Path)
	assert.NotContains(t, u.RawQuery, "+", "spaces and plus signs are percent-encoded")
	query := u.Query()
	trade, ok := shop.gateway.Trade(order)
	require.True(t, ok)
	for name, value := range map[string]string{
		"appId":        trade.PayParams.AppID,
		"timeStamp":    trade.PayParams.TimeStamp,
		"nonceStr":     trade.PayParams.NonceStr,
		"package":      trade.PayParams.Package,
		"signType":     trade.PayParams.SignType,
		"paySign":      trade.PayParams.PaySign,
		"mchntnm":      "Harbour Pets",
		"txamt":        "25600",
		"currency":     "HKD",
		"redirect_url": shop.url + "/pay/return/" + order,
		"goods_name":   "Cat food 猫粮 × 2",
	} {
		assert.Equal(t, value, query.Get(name), name)
	}
	assert.Len(t, query, 11)
}

func TestTwentyCopiesOfOneCallbackMakeOnePayment(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	replies := make([]reply, 20)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = payer.get(callback) })
	}
	all.Wait()
	for _, reply := range replies {
		require.Equal(t, http.StatusFound, reply.status, reply.body)
		assert.Equal(t, replies[0].location, reply.location)
	}
	later := payer.get(callback)
	assert.Equal(t, replies[0].location, later.location)
	assert.Equal(t, 1, shop.gateway.Calls("openid"))
	assert.Equal(t, 1, shop.gateway.Calls("payment"))
	assert.Equal(t, 1, shop.payable())
}

func TestACallbackSurvivesAReload(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	shop.block += "order_ttl 20m\n"
	shop.load()
	first := payer.get(callback)
	require.Equal(t, http.StatusFound, first.status, first.body)
	shop.block += "failure_url /sorry.html\n"
	shop.load()
	assert.Equal(t, first.location, payer.get(callback).location)
	assert.Equal(t, 1, shop.gateway.Calls("payment"))
}

func TestASecondTapGoesToTheFirstOrdersPayPage(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	payURL, _ := payer.prepare("/pay/cat-food")
	again := payer.get("/pay/cat-food")
	assert.Equal(t, payURL, again.location)
	assert.Equal(t, 1, shop.payable())

	t.Run("another quantity is another order", func(t *testing.T) {
		other, _ := payer.prepare("/pay/cat-food?quantity=2")
		assert.NotEqual(t, payURL, other)
	})
	t.Run("another browser has an order of its own", func(t *testing.T) {
		other, _ := shop.payer(wechat).prepare("/pay/cat-food")
		assert.NotEqual(t, payURL, other)
	})
	t.Run("once it is paid, the same thing can be bought again", func(t *testing.T) {
		payer := shop.payer(wechat)
		first, order := payer.prepare("/pay/dog-treats")
		require.NoError(t, shop.gateway.Pay(order))
		payer.get("/pay/return/" + order)
		second, _ := payer.prepare("/pay/dog-treats")
		assert.NotEqual(t, first, second)
	})
}

func TestATapBeforeTheCallbackKeepsTheOrder(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	first := payer.authorize("/pay/cat-food")
	second := payer.authorize("/pay/cat-food")
	assert.Equal(t, orderOf(t, first), orderOf(t, second))
	assert.Equal(t, payer.get(first).location, payer.get(second).location)
	assert.Equal(t, 1, shop.payable())
}

func TestABrowserCarriesAtMostThreeOrders(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	var orders []string
	for _, link := range []string{"/pay/cat-food", "/pay/cat-food?quantity=2", "/pay/cat-food?quantity=3", "/pay/dog-treats", "/pay/dog-treats?ref=a"} {
		orders = append(orders, orderOf(t, payer.authorize(link)))
	}
	home, err := url.Parse(shop.url + "/pay/x")
	require.NoError(t, err)
	var kept []string
	for _, cookie := range payer.browser.Jar.Cookies(home) {
		kept = append(kept, strings.TrimPrefix(cookie.Name, "qfpay_"))
	}
	assert.ElementsMatch(t, orders[2:], kept)
	assert.Empty(t, payer.browser.Jar.Cookies(mustParse(t, shop.url+"/")), "the rest of the site carries no cookie")
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

func TestAUsedCodeStartsTheFlowAgainOnceAndNeverTwice(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	first := payer.authorize("/pay/cat-food?quantity=2&ref=r")
	used := payer.get(strings.Replace(first, "code=", "code=used", 1))
	require.Equal(t, http.StatusFound, used.status, used.body)
	second := payer.oauth(used.location)
	assert.Equal(t, orderOf(t, first), orderOf(t, second), "it is the same order: should the first code have been taken after all, there are no two to pay")
	again := payer.get(strings.Replace(second, "code=", "code=used", 1))
	assert.Equal(t, http.StatusBadGateway, again.status)
	assert.Empty(t, again.location)
	assert.Contains(t, again.body, "/pay/cat-food?", "the page offers to start again")
	assert.Empty(t, shop.stored())
	assert.Equal(t, 2, shop.gateway.Calls("openid"))

	t.Run("the second code goes through", func(t *testing.T) {
		payer := shop.payer(wechat)
		used := payer.get(payer.authorize("/pay/cat-food?quantity=2") + "x")
		reply := payer.get(payer.oauth(used.location))
		require.Equal(t, http.StatusFound, reply.status, reply.body)
		assert.Equal(t, "25600", mustParse(t, reply.location).Query().Get("txamt"))
	})
}

func TestRefusedCallbacksAreLimitedPerClientAddress(t *testing.T) {
	shop := openShop(t)
	var together sync.WaitGroup
	for range 10 {
		payer := shop.payer(wechat)
		callback := payer.authorize("/pay/cat-food") + "x"
		together.Go(func() { assert.NotEqual(t, http.StatusTooManyRequests, payer.get(callback).status) })
	}
	together.Wait()
	another := shop.payer(wechat)
	limited := another.get(another.authorize("/pay/cat-food") + "x")
	assert.Equal(t, http.StatusTooManyRequests, limited.status)
	assert.NotEmpty(t, limited.header.Get("Retry-After"))
	calls := shop.gateway.Calls("openid")
	assert.Equal(t, 10, calls)
	payer := shop.payer(wechat)
	assert.Equal(t, http.StatusTooManyRequests, payer.get(payer.authorize("/pay/cat-food")).status)
	assert.Equal(t, calls, shop.gateway.Calls("openid"))
}

func TestCancelKeepsTheOrderPayableAndFailEndsIt(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	payURL, order := payer.prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Cancel(order))
	back := payer.get("/pay/return/" + order)
	assert.Equal(t, http.StatusOK, back.status)
	assert.Contains(t, back.body, strings.ReplaceAll(payURL, "&", "&amp;"), "the payer may go on")
	other := shop.payer(wechat).get("/pay/return/" + order)
	assert.NotContains(t, other.body, "/q/direct", "another browser is not sent to pay")

	require.NoError(t, shop.gateway.Fail(order))
	shop.letEnquiriesBeDue()
	failed := payer.get("/pay/return/" + order)
	assert.Equal(t, http.StatusOK, failed.status)
	assert.Contains(t, failed.body, "/pay/cat-food?again="+order)
	assert.Contains(t, failed.body, `content="10;url=/pay/return/`+order+`?check=2"`, "some are paid late")
	assert.NotContains(t, payer.get("/pay/return/"+order+"?check=24").body, "refresh", "not for ever")
	assert.Equal(t, []string{"claimed", "prepared", "failed"}, shop.history(order))
}

func TestTheShopsOwnPagesFollowWhatTheGatewaySaid(t *testing.T) {
	shop := openShop(t, withBlock("success_url /thank-you.html?from=pay\nfailure_url https://shop.example/sorry"))
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	assert.Equal(t, http.StatusOK, payer.get("/pay/return/"+order).status, "coming back proves nothing")
	require.NoError(t, shop.gateway.Pay(order))
	shop.letEnquiriesBeDue()
	assert.Equal(t, "/thank-you.html?from=pay&order="+order, payer.get("/pay/return/"+order).location)

	_, order = payer.prepare("/pay/dog-treats")
	require.NoError(t, shop.gateway.Fail(order))
	assert.Equal(t, "https://shop.example/sorry?order="+order, payer.get("/pay/return/"+order).location)
}

func TestTheGatewayIsAskedAtMostEveryTwoSeconds(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	_, order := payer.prepare("/pay/cat-food")
	for range 20 {
		payer.get("/pay/return/" + order)
	}
	assert.Equal(t, 1, shop.gateway.Calls("query"))
}

func TestAFormMayStartAPayment(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	start := payer.post("/pay/cat-food", url.Values{"quantity": {"3"}, "ref": {"form"}})
	assert.Equal(t, http.StatusSeeOther, start.status)
	reply := payer.get(payer.oauth(start.location))
	assert.Equal(t, "38400", mustParse(t, reply.location).Query().Get("txamt"))
}

func TestPricesInTheQueryAreIgnored(t *testing.T) {
	shop := openShop(t)
	payURL, _ := shop.payer(wechat).prepare("/pay/cat-food?amount=0.01&price=1&txamt=1&currency=JPY&txcurrcd=JPY")
	query := mustParse(t, payURL).Query()
	assert.Equal(t, "12800", query.Get("txamt"))
	assert.Equal(t, "HKD", query.Get("currency"))
}

package qfpayjsapi_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	wechatApp    = "wxtestappid0000001"
	wechatSecret = "sentinel-of-the-app-secret"
)

// withOfficialAccount is a shop with an official account of its own, whose
// WeChat the simulator plays.
func withOfficialAccount(s *shop, c *qfpaytest.Config) {
	c.WeChatAppID, c.WeChatAppSecret = wechatApp, wechatSecret
	s.account = func() string {
		return "official_account " + wechatApp + " " + wechatSecret + " {\n" +
			"authorize_url " + s.line.URL + "/connect/oauth2/authorize\n" +
			"token_url " + s.line.URL + "/sns/oauth2/access_token\n}"
	}
}

func withHosted(s *shop, c *qfpaytest.Config) {
	c.Hosted = true
	s.block += "hosted\n"
}

func withRealNames(s *shop, c *qfpaytest.Config) {
	c.RealName = true
	s.block += "real_name required\n"
}

func TestTheShopsOwnOfficialAccountOpensThePaySheet(t *testing.T) {
	shop := openShop(t, withOfficialAccount)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	order := orderOf(t, callback)
	first := payer.get(callback)
	require.Equal(t, http.StatusFound, first.status, first.body)
	assert.Equal(t, "/pay/callback/"+order, first.location, "one directory to register, and no code in its address")
	assert.Equal(t, first.location, payer.get(callback).location, "the same callback leads to the same place")
	assert.Equal(t, 1, shop.gateway.Calls("payment"))
	assert.Equal(t, 1, shop.gateway.Calls("wechat_token"))
	assert.Zero(t, shop.gateway.Calls("openid"))

	page := payer.get(first.location)
	require.Equal(t, http.StatusOK, page.status)
	assertPagePolicy(t, page.header)
	trade, _ := shop.gateway.Trade(order)
	params := html.UnescapeString(regexp.MustCompile(`data-params="([^"]*)"`).FindStringSubmatch(page.body)[1])
	assert.JSONEq(t, `{"appId":"`+wechatApp+`","timeStamp":"`+trade.PayParams.TimeStamp+`","nonceStr":"`+trade.PayParams.NonceStr+
		`","package":"`+trade.PayParams.Package+`","signType":"`+trade.PayParams.SignType+`","paySign":"`+trade.PayParams.PaySign+`"}`, params)
	assert.Contains(t, page.body, `data-back="/pay/return/`+order+`"`)
	assert.Contains(t, page.body, `data-fallback=""`, "there is no other way to pay for browsers that are not WeChat's")
	assert.Equal(t, http.StatusForbidden, shop.payer(wechat).get(first.location).status, "another browser does not get it")

	require.NoError(t, shop.gateway.Pay(order))
	assert.Contains(t, payer.get("/pay/return/"+order).body, "Payment received")
	assert.Equal(t, "/pay/return/"+order, payer.get(first.location).location, "going back does not pay again")
	assert.NotContains(t, shop.log(), wechatSecret)
	for _, row := range shop.stored() {
		assert.NotContains(t, row, wechatSecret)
	}
}

func TestTheStateMustBeThatOfTheOrder(t *testing.T) {
	shop := openShop(t, withOfficialAccount)
	payer := shop.payer(wechat)
	callback, err := url.Parse(payer.authorize("/pay/cat-food"))
	require.NoError(t, err)
	query := callback.Query()
	state := query.Get("state")
	assert.Regexp(t, `^[0-9a-f]{64}$`, state)
	for _, wrong := range []string{"", "x", strings.Repeat("0", 64), state[:63]} {
		query.Set("state", wrong)
		callback.RawQuery = query.Encode()
		assert.Equal(t, http.StatusForbidden, payer.get(callback.String()).status)
	}
	assert.Zero(t, shop.gateway.Calls("wechat_token"))
}

func TestACodeThatWeChatRefusesRestartsOnce(t *testing.T) {
	shop := openShop(t, withOfficialAccount)
	payer := shop.payer(wechat)
	spoil := func(callback string) string {
		return regexp.MustCompile(`code=[^&]*`).ReplaceAllString(callback, "code=0000000000000000000000000000used")
	}
	first := payer.authorize("/pay/cat-food")
	again := payer.get(spoil(first))
	require.Equal(t, http.StatusFound, again.status)
	second := payer.oauth(again.location)
	assert.Equal(t, orderOf(t, first), orderOf(t, second))
	assert.Equal(t, http.StatusBadGateway, payer.get(spoil(second)).status, "never twice")
	assert.Zero(t, shop.gateway.Calls("payment"))
}

func TestAHostedPaymentIsConfirmedByAPost(t *testing.T) {
	shop := openShop(t, withHosted)
	payer := shop.payer(wechat)
	start := payer.get("/pay/cat-food?quantity=2")
	require.Equal(t, http.StatusOK, start.status)
	assertCommonHeaders(t, start.header)
	assert.Contains(t, start.body, "HK$256.00")
	action := regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(start.body)[1]
	order := orderOf(t, action)
	assert.Empty(t, shop.stored(), "nothing happens before the payer presses Pay")
	assert.Equal(t, http.StatusOK, payer.get(action).status, "a visit is no press")
	assert.Equal(t, http.StatusForbidden, shop.payer(wechat).post(action, nil).status, "another browser cannot press")
	assert.Zero(t, shop.gateway.Calls("payment"))

	pressed := payer.post(action, nil)
	require.Equal(t, http.StatusSeeOther, pressed.status, pressed.body)
	assert.Equal(t, pressed.location, payer.post(action, nil).location, "pressing twice pays once")
	assert.Equal(t, 1, shop.gateway.Calls("payment"))
	assert.Equal(t, http.StatusOK, payer.get(pressed.location).status, "the gateway's own page")
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, shop.url+"/pay/return/"+order, trade.Params["return_url"])
	assert.Empty(t, trade.Params["sub_openid"])
	require.NoError(t, shop.gateway.Pay(order))
	assert.Contains(t, payer.get("/pay/return/"+order).body, "Payment received")
	assert.Equal(t, "/pay/return/"+order, payer.get(action).location)
}

func TestHostedPaymentsAreLimitedPerClientAddress(t *testing.T) {
	shop := openShop(t, withHosted)
	made, refused := 0, 0
	press := func() (payer *payer, action string, pressed reply) {
		payer = shop.payer(wechat)
		action = regexp.MustCompile(`action="([^"]+)"`).FindStringSubmatch(payer.get("/pay/cat-food").body)[1]
		return payer, action, payer.post(action, nil)
	}
	first, action, pressed := press()
	require.Equal(t, http.StatusSeeOther, pressed.status)
	for range 50 {
		switch _, _, pressed := press(); pressed.status {
		case http.StatusSeeOther:
			made++
		case http.StatusTooManyRequests:
			refused++
			assert.NotEmpty(t, pressed.header.Get("Retry-After"))
		}
	}
	assert.Equal(t, 50, made+refused)
	assert.GreaterOrEqual(t, refused, 10)
	assert.Equal(t, made+1, shop.gateway.Calls("payment"), "what is refused costs nothing")
	assert.Len(t, shop.open(), made+1)
	assert.Equal(t, http.StatusSeeOther, first.post(action, nil).status, "who has an order already goes on with it")
}

// withWallets is a shop that takes all wallets on phones outside WeChat.
func withWallets(s *shop, c *qfpaytest.Config) {
	c.Wallets = []string{"wechat", "alipayhk", "unionpay", "payme"}
	s.block += "wallets wechat alipayhk unionpay payme\noutside_wechat handoff\n"
}

// payBy opens a pay link on a phone and presses a wallet.
func (p *payer) payBy(link, wallet string) (order string, pressed reply) {
	p.t.Helper()
	page := p.get(link)
	require.Equal(p.t, http.StatusOK, page.status, page.body)
	action := confirmAction.FindStringSubmatch(page.body)
	require.NotNil(p.t, action, page.body)
	return orderOf(p.t, action[1]), p.post(action[1], url.Values{"wallet": {wallet}})
}

func TestEveryWalletIsPaidOnAPhoneOutsideWeChat(t *testing.T) {
	shop := openShop(t, withWallets)
	for _, wallet := range []string{"wechat", "alipayhk", "unionpay", "payme"} {
		payer := shop.payer(phone)
		order, pressed := payer.payBy("/pay/cat-food?quantity=2", wallet)
		require.Equal(t, http.StatusSeeOther, pressed.status, pressed.body)
		payer.header.Set("Referer", shop.url+"/")
		page := payer.get(pressed.location)
		require.Equal(t, http.StatusOK, page.status, page.body)
		button := func(name string) string {
			return html.UnescapeString(regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page.body)[1])
		}
		back := payer.post(shop.line.URL+"/q/direct", url.Values{
			"prepay_id": {button("prepay_id")}, "redirect_url": {button("redirect_url")}, "action": {"pay"},
		})
		assert.Equal(t, shop.url+"/pay/return/"+order, back.location, wallet)
		assert.Contains(t, payer.get(back.location).body, "Payment received", wallet)
		assert.Equal(t, []string{wallet + " paid"}, shop.rows(`SELECT method || ' ' || status FROM orders WHERE id = '`+order+`'`))
	}
	assert.NotContains(t, shop.log(), "level\":\"error")
}

func TestWeChatPayIsToldThePayersOwnAddressBehindAProxy(t *testing.T) {
	shop := openShop(t, withWallets, func(s *shop, _ *qfpaytest.Config) {
		s.global = "servers {\ntrusted_proxies static 127.0.0.1/8\n}"
	})
	payer := shop.payer(phone)
	payer.header.Set("X-Forwarded-For", "203.0.113.7")
	order, pressed := payer.payBy("/pay/cat-food", "wechat")
	require.Equal(t, http.StatusSeeOther, pressed.status, pressed.body)
	trade, _ := shop.gateway.Trade(order)
	assert.Contains(t, trade.Params["extend_info"], `"spbill_create_ip":"203.0.113.7"`)
	assert.NotContains(t, strings.Join(shop.stored(), "\n"), "203.0.113.7", "it is the gateway's alone")
}

func TestAWrongSignatureOfAReplyIsSaidOnceAndTaken(t *testing.T) {
	shop := openShop(t)
	shop.gateway.Inject(qfpaytest.Fault{Kind: qfpaytest.BadSign, Times: -1})
	for range 2 {
		order, receipt := shop.buy("/pay/cat-food")
		assert.Contains(t, receipt.body, order)
	}
	assert.Equal(t, 1, strings.Count(shop.log(), "carries a signature that does not match"))
}

func TestAPostToTheCallbackIsForHostedPaymentsAlone(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	assert.Equal(t, http.StatusMethodNotAllowed, payer.post(callback, nil).status)
}

func TestRealNamesGoToTheGatewayAndNowhereElse(t *testing.T) {
	const card = "11010519491231002X" // the example of GB 11643
	shop := openShop(t, withRealNames)
	payer := shop.payer(wechat)
	for _, form := range []url.Values{
		{}, {"user_truename": {"陈大文"}}, {"user_creid": {card}}, {"user_truename": {"陈大文"}, "user_creid": {"110105194912310021"}},
	} {
		assert.Equal(t, http.StatusBadRequest, payer.post("/pay/cat-food", form).status)
	}
	form := payer.get("/pay/cat-food?user_truename=x&user_creid=440524188001010014")
	assert.Equal(t, http.StatusOK, form.status)
	assert.Contains(t, form.body, `name="user_creid"`)
	assert.NotContains(t, form.body, "440524188001010014", "an address is no place for them")

	posted := payer.post("/pay/cat-food", url.Values{"user_truename": {"sentinel陈"}, "user_creid": {strings.ToLower(card)}})
	require.Equal(t, http.StatusSeeOther, posted.status)
	callback := payer.oauth(posted.location)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	order := orderOf(t, callback)
	trade, _ := shop.gateway.Trade(order)
	assert.JSONEq(t, `{"user_creid":"`+card+`","user_truename":"sentinel陈"}`, trade.Params["extend_info"])
	require.NoError(t, shop.gateway.Pay(order))
	everywhere := shop.log() + payer.get("/pay/return/"+order).body + payer.get("/pay/status/"+order).body
	everywhere += strings.Join(shop.stored(), "\n") + shop.ledgerFiles()
	assert.NotContains(t, everywhere, "sentinel陈")
	assert.NotContains(t, everywhere, card)
}

// handedOver is the address that the page on the desk shows as a code.
func handedOver(t testing.TB, desk reply) string {
	t.Helper()
	watch := regexp.MustCompile(`data-watch="([^"]+)"`).FindStringSubmatch(desk.body)
	require.NotNil(t, watch, desk.body)
	return html.UnescapeString(watch[1])
}

func (p *payer) watch(address string) reply {
	p.header.Set("Accept", "application/json")
	defer p.header.Del("Accept")
	return p.get(address)
}

func TestTheDesktopPageLeadsToTheReceiptWhenThePhoneHasPaid(t *testing.T) {
	shop := openShop(t, withBlock("field note"))
	desk, phone := shop.payer(desktop), shop.payer(wechat)
	code := handedOver(t, desk.post("/pay/cat-food", url.Values{"quantity": {"2"}, "note": {"ring twice"}}))
	assert.JSONEq(t, `{"status":"waiting"}`, desk.watch(code).body)
	assert.Empty(t, shop.stored(), "nothing is stored before WeChat vouches for a payer")

	_, order := phone.prepare(code)
	shop.load() // a reload in between changes nothing
	assert.JSONEq(t, `{"status":"paying"}`, desk.watch(code).body)
	assert.Equal(t, code, handedOver(t, desk.get(code)), "without script the page comes again")
	assert.Equal(t, http.StatusFound, phone.get(code).status, "scanning twice goes on with the same order")
	assert.Equal(t, 1, shop.gateway.Calls("payment"))
	assert.Equal(t, http.StatusForbidden, shop.payer(wechat).get(code).status, "a second phone cannot pay it too")
	queries := shop.gateway.Calls("query")
	for range 20 {
		desk.watch(code)
	}
	assert.Equal(t, queries, shop.gateway.Calls("query"), "waiting costs the gateway nothing")

	require.NoError(t, shop.gateway.Pay(order))
	assert.Contains(t, phone.get("/pay/return/"+order).body, "Payment received")
	assert.JSONEq(t, `{"status":"paid","location":"/pay/return/`+order+`"}`, desk.watch(code).body)
	assert.Equal(t, "/pay/return/"+order, desk.get(code).location)
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, int64(25600), trade.Amount)
}

func TestAHandoffWhoseCodeIsRefusedKeepsTheOrderOfTheDesktopPage(t *testing.T) {
	shop := openShop(t)
	desk, phone := shop.payer(desktop), shop.payer(wechat)
	code := handedOver(t, desk.get("/pay/cat-food"))
	first := phone.authorize(code)
	refused := phone.get(first + "x")
	require.Equal(t, http.StatusFound, refused.status, refused.body)
	second := phone.oauth(refused.location)
	assert.Equal(t, orderOf(t, first), orderOf(t, second))
	require.Equal(t, http.StatusFound, phone.get(second).status)
	order := orderOf(t, second)
	require.NoError(t, shop.gateway.Pay(order))
	assert.Contains(t, phone.get("/pay/return/"+order).body, "Payment received")
	assert.JSONEq(t, `{"status":"paid","location":"/pay/return/`+order+`"}`, desk.watch(code).body)
	assert.Equal(t, "/pay/return/"+order, phone.get(code).location, "scanned again, it is not paid again")

	t.Run("but only once", func(t *testing.T) {
		phone := shop.payer(wechat)
		refused := phone.get(phone.authorize(handedOver(t, desk.get("/pay/cat-food"))) + "x")
		assert.Equal(t, http.StatusBadGateway, phone.get(phone.oauth(refused.location)+"x").status)
	})
}

func TestARealNameIsAskedForOnThePhoneAfterAHandoff(t *testing.T) {
	shop := openShop(t, withRealNames)
	code := handedOver(t, shop.payer(desktop).get("/pay/cat-food"))
	phone := shop.payer(wechat)
	form := phone.get(code)
	require.Equal(t, http.StatusOK, form.status)
	assert.Contains(t, form.body, `name="handoff"`)
	posted := phone.post("/pay", url.Values{
		"handoff": {strings.TrimPrefix(code, "/pay?handoff=")}, "user_truename": {"陈大文"}, "user_creid": {"11010519491231002X"},
	})
	require.Equal(t, http.StatusSeeOther, posted.status, posted.body)
	callback := phone.oauth(posted.location)
	assert.Equal(t, http.StatusFound, phone.get(callback).status)
	assert.True(t, strings.HasPrefix(code, "/pay?handoff="+orderOf(t, callback)))
}

func TestAHandoffIsPaidUnderItsOwnOrder(t *testing.T) {
	shop := openShop(t)
	phone := shop.payer(wechat)
	_, earlier := phone.prepare("/pay/cat-food")
	code := handedOver(t, shop.payer(desktop).get("/pay/cat-food"))
	_, order := phone.prepare(code)
	assert.NotEqual(t, earlier, order, "although this phone has the same thing under way")
	assert.True(t, strings.HasPrefix(code, "/pay?handoff="+order))
}

func TestForgedHandoffsAreRefused(t *testing.T) {
	shop := openShop(t)
	code := handedOver(t, shop.payer(desktop).get("/pay/cat-food"))
	for _, forged := range []string{"/pay?handoff=", "/pay?handoff=x", code[:len(code)-3], strings.Replace(code, "handoff=0", "handoff=1", 1)} {
		assert.Equal(t, http.StatusForbidden, shop.payer(wechat).get(forged).status, forged)
		assert.Equal(t, http.StatusForbidden, shop.payer(desktop).get(forged).status, forged)
	}
}

func TestAHandoffWhosePriceHasChangedStartsANewOrder(t *testing.T) {
	shop := openShop(t)
	code := handedOver(t, shop.payer(desktop).get("/pay/dog-treats"))
	shop.dearer = "50.00"
	shop.load()
	reply := shop.payer(wechat).get(code)
	assert.Equal(t, http.StatusGone, reply.status)
	assert.Contains(t, reply.body, `href="/pay/dog-treats"`)
}

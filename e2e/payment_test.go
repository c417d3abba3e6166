package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	buyCatFood = `form[action="/pay/cat-food"] button`
	payButton  = `button[value="pay"]`
)

func TestAPayerInsideWeChatComesFromTheShopToTheReceipt(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"android", "iphone", "windows"} {
		t.Run(agent, func(t *testing.T) {
			site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
			payer := browse(t, agent)
			payer.visit(site.shop)
			payer.press(buyCatFood)
			payer.at("/q/direct")
			payer.shoot("wallet-" + agent)
			payer.press(payButton)
			payer.at("/pay/return/")
			payer.reads("Payment received")
			payer.reads("HK$128.00")
			payer.shoot("receipt-" + agent)
			assert.Equal(t, 1, site.paid())
		})
	}
}

// bridge plays the pay sheet of WeChat's own browser: it counts how often it is
// opened, and answers when the test says so.
const bridge = `window.WeixinJSBridge = {
	invoke: function (name, params, done) {
		window.opened = (window.opened || 0) + 1;
		window.sheet = { name: name, params: params, done: done };
	}
};`

func TestTheShopsOwnAccountOpensWeChatsPaySheet(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/official-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	payer := browse(t, "android")
	payer.before(bridge)
	payer.visit(site.shop)
	payer.press(buyCatFood)
	payer.at("/pay/callback/")
	var name, prepay string
	payer.do(chromedp.Poll(`window.sheet && window.sheet.name`, &name), chromedp.Evaluate(`window.sheet.params.package`, &prepay))
	assert.Equal(t, "getBrandWCPayRequest", name)
	assert.Regexp(t, `^prepay_id=wx`, prepay)
	payer.shoot("sheet")

	payer.evaluate(`window.sheet.done({err_msg: "get_brand_wcpay_request:cancel"})`, nil)
	payer.reads("You have cancelled")
	payer.shoot("sheet-cancelled")
	assert.Empty(t, payer.violations())
	payer.press("#pay")
	payer.evaluate(`document.getElementById("pay").click()`, nil)
	var opened int
	payer.evaluate(`window.opened`, &opened)
	assert.Equal(t, 2, opened, "a double tap opens the sheet once")

	trades := site.trades()
	require.Len(t, trades, 1)
	require.NoError(t, press(site, trades[0].OutTradeNo, "pay"))
	payer.evaluate(`setTimeout(() => window.sheet.done({err_msg: "get_brand_wcpay_request:ok"}))`, nil)
	payer.at("/pay/return/")
	payer.reads("Payment received")
	payer.back()
	payer.reads("Good things for small animals")
	assert.Len(t, site.trades(), 1, "going back leads to the shop and does not pay again")
}

func TestTheSheetSaysOkAndTheGatewayKnowsOfNothing(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/official-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	payer := browse(t, "iphone")
	payer.before(bridge)
	payer.visit(site.shop + "/pay/cat-food")
	payer.do(chromedp.Poll(`window.sheet`, nil), chromedp.Evaluate(`window.sheet.done({err_msg: "get_brand_wcpay_request:ok"})`, nil))
	payer.at("/pay/return/")
	payer.reads("Confirming your payment")
	payer.shoot("confirming")
}

func TestTheOwnAccountsExampleWorksInAnyBrowser(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/official-account.caddyfile")
	payer := browse(t, "desktop")
	payer.visit(site.shop)
	payer.press(buyCatFood)
	payer.at("/q/direct") // where there is no pay sheet, and only with outside_wechat allow
	payer.press(payButton)
	payer.reads("Payment received")
}

func TestAHostedPaymentIsConfirmedAndPaidAtTheGateway(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/hosted.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	payer := browse(t, "android")
	payer.visit(site.shop)
	payer.press(buyCatFood)
	payer.reads("Please confirm")
	payer.shoot("confirm")
	assert.Empty(t, payer.violations())
	payer.press("form button")
	payer.at("/q/hosted")
	payer.press(payButton)
	payer.at("/pay/return/")
	payer.reads("Payment received")
	assert.Equal(t, 1, site.paid())
}

func TestAFormAsksForWhatOnlyThePayerCanTell(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile",
		"outside_wechat allow", "outside_wechat handoff", "field name", "field name required", "field note", "field note\n\t\treal_name optional")
	payer := browse(t, "android")
	payer.visit(site.shop + "/pay")
	payer.reads("From HK$5.00 to HK$1,000.00")
	payer.shoot("form-amount")
	assert.Empty(t, payer.violations())
	payer.do(chromedp.SendKeys("#in-amount", "1", chromedp.ByQuery))
	payer.press("form button")
	payer.reads("Please enter an amount from HK$5.00 to HK$1,000.00.")
	assert.Empty(t, payer.violations())
	payer.do(chromedp.SetValue("#in-amount", "20.50", chromedp.ByQuery))
	payer.press("form button")
	payer.do(chromedp.SendKeys("#in-name", "陈大文", chromedp.ByQuery))
	payer.shoot("form-fields")
	assert.Empty(t, payer.violations())
	payer.press("form button")
	payer.at("/q/direct") // over the redirects that follow a form
	payer.press(payButton)
	payer.reads("HK$20.50")
}

func TestCancelledAndFailedPaymentsCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	site := open(t, "Caddyfile.example")
	payer := browse(t, "android")
	payer.visit(site.shop + "/pay/cat-food")
	payer.at("/q/direct")
	payer.press(`button[value="cancel"]`)
	payer.reads("Not paid yet")
	payer.shoot("unpaid")
	assert.NotContains(t, payer.text(), "Confirming")
	assert.Empty(t, payer.violations())
	unpaid := payer.peek()
	payer.press(".acts a:nth-child(2)")
	payer.reads("Good things for small animals")
	payer.visit(unpaid)
	payer.press(".acts a")
	payer.at("/q/direct")
	payer.press(`button[value="fail"]`)
	payer.reads("The payment did not go through")
	payer.shoot("failed")
	assert.Empty(t, payer.violations())
	payer.press(".acts a")
	payer.at("/q/direct")
	payer.press(payButton)
	payer.reads("Payment received")
	assert.Equal(t, 1, site.paid())
	assert.Len(t, site.trades(), 2)
}

func TestBackAndRefreshNeverPayAgain(t *testing.T) {
	t.Parallel()
	site := open(t, "Caddyfile.example")
	payer := browse(t, "android")
	payer.visit(site.shop)
	payer.press(buyCatFood)
	payer.at("/q/direct")
	payer.do(chromedp.Reload())
	payer.at("/q/direct")
	payer.back()
	payer.reads("Good things for small animals")
	payer.press(buyCatFood)
	payer.at("/q/direct")
	payer.press(payButton)
	payer.reads("Payment received")
	payer.do(chromedp.Reload())
	payer.reads("Payment received")
	payer.back()
	payer.reads("Paid already")
	payer.forward()
	payer.reads("Payment received")
	assert.Len(t, site.trades(), 1)
}

func TestADoubleTapAndTwoTabsMakeOnePayment(t *testing.T) {
	t.Parallel()
	site := open(t, "Caddyfile.example")
	payer := browse(t, "android")
	payer.visit(site.shop)
	payer.do(chromedp.WaitVisible(buyCatFood, chromedp.ByQuery), chromedp.DoubleClick(buyCatFood, chromedp.ByQuery))
	payer.at("/q/direct")
	second := payer.tab()
	second.visit(site.shop + "/pay/cat-food")
	second.at("/q/direct")
	payer.press(payButton)
	payer.reads("Payment received")
	second.press(payButton)
	assert.Equal(t, 1, site.paid())
}

func TestWithoutItsCookieAPaymentDoesNotGoOn(t *testing.T) {
	t.Parallel()
	site := open(t, "Caddyfile.example")
	payer := browse(t, "android")
	payer.visit(site.shop + "/pay/cat-food")
	payer.at("/q/direct")
	order := site.trades()[0].OutTradeNo
	payer.forgetCookies()
	payer.visit(fmt.Sprintf("%s/pay/callback/%s?code=x", site.shop, order))
	payer.reads("This payment was started elsewhere")
	payer.shoot("other-browser")
	assert.Empty(t, payer.violations())
	payer.press(".acts a")
	payer.reads("Good things for small animals")
}

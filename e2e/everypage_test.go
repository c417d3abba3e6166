package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// aLongName is as long as the names of items may be, with a word in it that no
// line of a small phone holds.
var aLongName = strings.Repeat("Wolfeschlegelsteinhausen", 4) + " 深海鱼油软胶囊 家庭装 🎁"

// The pages on which a payer spends a moment only, or that few of them see.
func TestTheOtherPagesOfAPaymentAreLegibleOnASmallDarkScreen(t *testing.T) {
	t.Parallel()
	small := func(t *testing.T, agent string) *browser {
		b := browse(t, agent)
		b.on(smallAndDark)
		return b
	}
	longName := []string{"outside_wechat allow", "outside_wechat handoff", "Cat food 猫粮", aLongName}

	t.Run("the forms", func(t *testing.T) {
		site := open(t, "examples/gateway-account.caddyfile", append(longName, "field name", "field name required", "field note", "field note\n\t\treal_name required")...)
		payer := small(t, "android")
		payer.visit(site.shop + "/pay")
		payer.legible("form-amount")
		payer.visit(site.shop + "/pay?amount=12,500")
		payer.legible("form-amount-wrong")
		payer.visit(site.shop + "/pay/cat-food?quantity=2")
		payer.legible("form-fields")
		payer.do(chromedp.SendKeys("#in-name", "陈大文", chromedp.ByQuery))
		payer.press("form button")
		payer.do(chromedp.SendKeys("#in-user_truename", "陈大文", chromedp.ByQuery), chromedp.SendKeys("#in-user_creid", "1", chromedp.ByQuery))
		payer.legible("form-real-name")
		payer.press("form button")
		payer.reads("This is not a valid identity card number.")
		payer.legible("form-real-name-wrong")
	})
	t.Run("outside WeChat", func(t *testing.T) {
		site := open(t, "examples/gateway-account.caddyfile", longName...)
		for _, agent := range []string{"desktop", "phone"} {
			payer := small(t, agent)
			payer.visit(site.shop + "/pay?item=cat-food:2&item=dog-treats&ref=INV-2026-11-24")
			payer.legible("handoff-" + agent)
		}
	})
	t.Run("the confirmation", func(t *testing.T) {
		site := open(t, "examples/hosted.caddyfile", longName...)
		payer := small(t, "android")
		payer.visit(site.shop + "/pay/cat-food")
		payer.legible("confirm")
	})
	t.Run("the pay sheet", func(t *testing.T) {
		site := open(t, "examples/official-account.caddyfile", longName...)
		payer := small(t, "android")
		payer.before(bridge)
		payer.visit(site.shop + "/pay/cat-food")
		payer.at("/pay/callback/")
		payer.do(chromedp.Poll(`window.sheet`, nil))
		payer.legible("sheet")
		payer.evaluate(`setTimeout(() => window.sheet.done({err_msg: "get_brand_wcpay_request:fail"}))`, nil)
		payer.reads("did not open")
		payer.legible("sheet-failed")
	})
	t.Run("what came to nothing", func(t *testing.T) {
		site := open(t, "examples/gateway-account.caddyfile", longName...)
		payer := small(t, "android")
		payer.visit(site.shop + "/pay/cat-food")
		payer.at("/q/direct")
		payer.press(`button[value="fail"]`)
		payer.reads("The payment did not go through")
		payer.legible("failed")
		reply, err := http.Post(site.gateway+"/control/faults", "application/json", strings.NewReader(`{"call":"payment","kind":"drop_after"}`))
		require.NoError(t, err)
		reply.Body.Close()
		require.Less(t, reply.StatusCode, 300)
		payer.visit(site.shop + "/pay/dog-treats")
		payer.reads("checking with the payment service")
		payer.legible("checking")
	})
}

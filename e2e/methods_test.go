package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// paySheet has a browser open WeChat's pay sheet, pay in it, and go on.
func (b *browser) paySheet(s *site) {
	b.t.Helper()
	b.do(chromedp.Poll(`window.sheet`, nil))
	trades := s.trades()
	require.NotEmpty(b.t, trades)
	require.NoError(b.t, press(s, trades[0].OutTradeNo, "pay"))
	b.evaluate(`setTimeout(() => window.sheet.done({err_msg: "get_brand_wcpay_request:ok"}))`, nil)
}

func TestBackAndRefreshNeverPayAgainAtTheGatewaysOwnPage(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"android", "iphone", "windows"} {
		t.Run(agent, func(t *testing.T) {
			site := open(t, "examples/hosted.caddyfile", "outside_wechat allow", "outside_wechat handoff")
			payer := browse(t, agent)
			payer.visit(site.shop)
			payer.press(buyCatFood)
			payer.reads("Please confirm")
			payer.do(chromedp.Reload())
			payer.reads("Please confirm")
			assert.Empty(t, site.trades(), "to be asked costs nothing")
			payer.press("form button")
			payer.at("/q/hosted")
			payer.do(chromedp.Reload())
			payer.visit(site.shop + "/pay/cat-food")
			payer.at("/q/hosted") // of the same order, without asking again
			payer.press(payButton)
			payer.reads("Payment received")
			payer.do(chromedp.Reload())
			payer.reads("Payment received")
			payer.back()
			payer.reads("Paid already")
			payer.forward()
			payer.reads("Payment received")
			assert.Len(t, site.trades(), 1)
			assert.Equal(t, 1, site.paid())
		})
	}
}

func TestBackAndRefreshNeverPayAgainInThePaySheet(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"android", "iphone", "windows"} {
		t.Run(agent, func(t *testing.T) {
			site := open(t, "examples/official-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
			payer := browse(t, agent)
			payer.before(bridge)
			payer.visit(site.shop)
			payer.press(buyCatFood)
			payer.at("/pay/callback/")
			payer.do(chromedp.Poll(`window.sheet`, nil), chromedp.Reload(), chromedp.Poll(`window.sheet`, nil))
			payer.back()
			payer.reads("Good things for small animals")
			payer.press(buyCatFood)
			payer.at("/pay/callback/")
			payer.paySheet(site)
			payer.reads("Payment received")
			payer.do(chromedp.Reload())
			payer.reads("Payment received")
			assert.Len(t, site.trades(), 1)
			assert.Equal(t, 1, site.paid())
		})
	}
}

func TestTwoTabsMakeOnePaymentByEveryMethod(t *testing.T) {
	t.Parallel()
	t.Run("hosted", func(t *testing.T) {
		site := open(t, "examples/hosted.caddyfile", "outside_wechat allow", "outside_wechat handoff")
		payer := browse(t, "android")
		payer.visit(site.shop + "/pay/cat-food")
		payer.reads("Please confirm")
		second := payer.tab()
		second.visit(site.shop + "/pay/cat-food")
		second.reads("Please confirm")
		payer.press("form button")
		payer.at("/q/hosted")
		second.press("form button")
		second.at("/q/hosted")
		assert.Len(t, site.trades(), 1)
	})
	t.Run("the shop's own account", func(t *testing.T) {
		site := open(t, "examples/official-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
		payer := browse(t, "android")
		payer.visit(site.shop + "/pay/cat-food")
		payer.at("/pay/callback/")
		second := payer.tab()
		second.visit(site.shop + "/pay/cat-food")
		second.at("/pay/callback/")
		assert.Len(t, site.trades(), 1)
	})
}

func TestWithoutItsCookieNoMethodGoesOn(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"examples/hosted.caddyfile", "examples/official-account.caddyfile"} {
		t.Run(example, func(t *testing.T) {
			site := open(t, example, "outside_wechat allow", "outside_wechat handoff")
			payer := browse(t, "android")
			payer.visit(site.shop + "/pay/cat-food")
			if example == "examples/hosted.caddyfile" {
				payer.reads("Please confirm")
				payer.forgetCookies()
				payer.press("form button")
			} else {
				payer.at("/pay/callback/")
				payer.forgetCookies()
				payer.do(chromedp.Reload())
			}
			payer.reads("This payment was started elsewhere")
			payer.press(".acts a")
			payer.reads("Good things for small animals")
			assert.Zero(t, site.paid())
		})
	}
}

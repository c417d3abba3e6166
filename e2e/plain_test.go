package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWithoutScriptAPayerComesToTheReceipt(t *testing.T) {
	t.Parallel()
	for _, method := range []struct {
		example string
		press   []string // on the way, from the shop
	}{
		{"examples/gateway-account.caddyfile", []string{buyCatFood, payButton}},
		{"examples/hosted.caddyfile", []string{buyCatFood, "form button", payButton}},
	} {
		t.Run(method.example, func(t *testing.T) {
			site := open(t, method.example, "outside_wechat allow", "outside_wechat handoff")
			payer := browse(t, "android")
			payer.withoutScript()
			payer.visit(site.shop)
			for _, selector := range method.press {
				payer.press(selector)
			}
			payer.reads("Payment received")
			assert.Equal(t, 1, site.paid())
		})
	}
}

func TestWithoutScriptWhoPaysAfterAllSeesTheReceipt(t *testing.T) {
	t.Parallel()
	site := open(t, "Caddyfile.example")
	payer := browse(t, "android")
	payer.withoutScript()
	payer.visit(site.shop + "/pay/cat-food")
	payer.at("/q/direct")
	payer.press(`button[value="cancel"]`)
	payer.reads("Not paid yet")
	assert.NoError(t, press(site, site.trades()[0].OutTradeNo, "pay"))
	payer.reads("Payment received")
}

func TestWithoutScriptTheDeskTurnsIntoTheReceipt(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	desk, phone := browse(t, "desktop"), browse(t, "android")
	desk.withoutScript()
	desk.visit(site.shop + "/pay/cat-food")
	desk.reads("Scan with WeChat to pay")
	var code string
	desk.evaluate(`document.querySelector("[data-watch]").dataset.watch`, &code)
	phone.visit(site.shop + code)
	phone.at("/q/direct")
	phone.press(payButton)
	phone.reads("Payment received")
	desk.reads("Payment received")
}

func TestThePayersLanguageIsSpoken(t *testing.T) {
	t.Parallel()
	site := open(t, "Caddyfile.example")
	payer := browse(t, "android")
	payer.visit(site.shop + "/pay/cat-food")
	payer.at("/q/direct")
	payer.press(payButton)
	receipt := payer.at("/pay/return/")
	for languages, title := range map[string]string{
		"zh-CN,zh;q=0.9,en;q=0.8": "支付成功", "zh-HK,zh;q=0.9,en;q=0.8": "付款成功", "en-GB,en": "Payment received", "fr-CH,fr": "Payment received",
	} {
		payer.speaks(languages)
		payer.visit(receipt)
		payer.reads(title)
		assert.Empty(t, payer.violations(), languages)
	}
}

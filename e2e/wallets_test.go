package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// walletsSite is the example with wallets.
func walletsSite(t *testing.T) *site { return open(t, "examples/wallets.caddyfile") }

func walletButton(wallet string) string { return `button[name="wallet"][value="` + wallet + `"]` }

func TestAPhoneOutsideWeChatPaysWithEachWallet(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"phone", "chrome"} {
		for _, wallet := range []string{"wechat", "alipayhk", "unionpay", "payme"} {
			t.Run(agent+" "+wallet, func(t *testing.T) {
				site := walletsSite(t)
				payer := browse(t, agent)
				payer.visit(site.shop)
				payer.press(buyCatFood)
				payer.reads("AlipayHK")
				assert.Empty(t, site.trades(), "to be asked costs nothing")
				payer.press(walletButton(wallet))
				payer.at("/q/wap")
				payer.press(payButton)
				payer.reads("Payment received")
				assert.Equal(t, 1, site.paid())
			})
		}
	}
}

func TestAnotherWalletIsAnotherOrder(t *testing.T) {
	t.Parallel()
	site := walletsSite(t)
	payer := browse(t, "phone")
	payer.visit(site.shop + "/pay/cat-food")
	payer.press(walletButton("alipayhk"))
	payer.at("/q/wap")
	payer.visit(site.shop + "/pay/cat-food")
	payer.press(walletButton("alipayhk"))
	payer.at("/q/wap")
	require.Len(t, site.trades(), 1, "the same wallet goes on with its order")
	payer.visit(site.shop + "/pay/cat-food")
	payer.press(walletButton("payme"))
	payer.at("/q/wap")
	payer.press(payButton)
	payer.reads("Payment received")
	assert.Len(t, site.trades(), 2)
	assert.Equal(t, 1, site.paid())
}

func TestWithWalletsWeChatAndDesktopsAreAsBefore(t *testing.T) {
	t.Parallel()
	site := walletsSite(t)
	desktop := browse(t, "desktop")
	desktop.visit(site.shop + "/pay/cat-food")
	desktop.reads("Scan with WeChat to pay")
	inWeChat := browse(t, "android")
	inWeChat.visit(site.shop + "/pay/cat-food")
	inWeChat.at("/q/direct")
	inWeChat.press(payButton)
	inWeChat.reads("Payment received")
}

func TestAnAppThatMayNotOpenWalletsSaysWhereToPay(t *testing.T) {
	t.Parallel()
	site := walletsSite(t)
	payer := browse(t, "facebook")
	payer.visit(site.shop + "/pay/cat-food")
	payer.reads("browser")
	assert.Empty(t, payer.violations())
	payer.shoot("wallets-in-app")
}

func TestThePageOfWalletsIsLegible(t *testing.T) {
	t.Parallel()
	site := walletsSite(t)
	for name, languages := range map[string]string{"en": "en", "hans": "zh-CN,zh;q=0.9", "hant": "zh-HK,zh;q=0.9"} {
		payer := browse(t, "phone")
		payer.speaks(languages)
		payer.visit(site.shop + "/pay/cat-food")
		payer.evaluate(`document.querySelector("details").open = true`, nil)
		assert.Empty(t, payer.violations(), name)
		payer.shoot("wallets-" + name)
		payer.on(smallAndDark)
		payer.legible("wallets-" + name)
	}
}

package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// still keeps pages from refreshing while they are looked at.
const still = `{ const later = window.setTimeout; window.setTimeout = (f, ms, ...a) => ms < 3000 || ms === undefined ? later(f, ms, ...a) : 0; }`

// languages are the tags of all languages that pages are written in.
func languages(t testing.TB) (tags []string) {
	t.Helper()
	files, err := filepath.Glob("../internal/locale/texts/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		tags = append(tags, strings.TrimSuffix(filepath.Base(file), ".json"))
	}
	return tags
}

// legibleEverywhere looks at a page in all languages, on the screens of phones, tablets
// and desktops.
func (b *browser) legibleEverywhere(name, address string) {
	b.t.Helper()
	for _, language := range languages(b.t) {
		b.speaks(language)
		b.visit(address)
		for _, screen := range []screen{{375, "light"}, {768, "light"}} {
			b.on(screen)
			b.fits(name + "-" + language)
			b.shoot(screen.String() + "-" + name + "-" + language)
		}
		b.legibleOn([]screen{{1280, "light"}, {1280, "dark"}}, name+"-"+language)
	}
}

func TestThePayersPagesFitEveryScreenInEveryLanguage(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff", "field name", "field name required")
	t.Run("in WeChat", func(t *testing.T) {
		payer := browse(t, "android")
		payer.visit(site.shop + "/pay/cat-food")
		payer.do(chromedp.SendKeys("#in-name", "陈大文", chromedp.ByQuery))
		payer.press("form button")
		payer.at("/q/direct")
		payer.press(`button[value="cancel"]`)
		unpaid := payer.at("/pay/return/")
		payer.before(still)
		payer.legibleEverywhere("unpaid", unpaid)
		payer.legibleEverywhere("confirming", unpaid+"?sheet=ok")
		payer.legibleEverywhere("form", site.shop+"/pay/cat-food")
		payer.legibleEverywhere("amount", site.shop+"/pay?amount=1,000")
		payer.legibleEverywhere("problem", site.shop+"/pay/none")
	})
	t.Run("on a desktop", func(t *testing.T) {
		desk := browse(t, "desktop")
		desk.visit(site.shop + "/pay?item=cat-food:2&item=dog-treats")
		desk.do(chromedp.SendKeys("#in-name", "陈大文", chromedp.ByQuery))
		desk.press("form button")
		desk.legibleEverywhere("desk", desk.at("/pay?handoff="))
	})
}

func TestTheShopsOwnThankYouPageSaysHowTheOrderStands(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "success_url /thank-you.html\n\t\toutside_wechat allow")
	payer := browse(t, "android")
	payer.visit(site.shop + "/pay/cat-food")
	payer.at("/q/direct")
	order := site.trades()[0].OutTradeNo
	payer.visit(site.shop + "/thank-you.html?order=" + order)
	payer.reads("Waiting for the payment to be confirmed: HKD 128.00 等待支付确认")
	require.NoError(t, press(site, order, "pay"))
	payer.reads("Paid: HKD 128.00 已支付")
	assert.NotContains(t, payer.text(), "·")
	assert.NotContains(t, payer.text(), "pending")
	payer.legibleEverywhere("thank-you", payer.peek())
	payer.visit(site.shop + "/thank-you.html?order=01M86000000000000000000000")
	payer.reads("We don’t know this order 找不到这个订单")
}

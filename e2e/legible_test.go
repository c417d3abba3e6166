package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/stretchr/testify/assert"
)

// screen is how wide a page is shown, in CSS pixels, and in which color scheme.
type screen struct {
	width  int64
	scheme string // light or dark
}

// smallAndDark is the screen on which most goes wrong.
var smallAndDark = screen{320, "dark"}

// screens are those of phones, tablets and desktops.
var screens = []screen{smallAndDark, {375, "dark"}, {768, "dark"}, {1280, "dark"}, {1280, "light"}}

func (s screen) String() string { return fmt.Sprintf("%s-%d", s.scheme, s.width) }

// on moves the browser to another screen. The page stays.
func (b *browser) on(s screen) {
	b.t.Helper()
	b.screen = s
	b.do(emulation.SetDeviceMetricsOverride(s.width, 800, 1, s.width < 1024),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}}))
}

// legible looks at the page on the browser's screen.
func (b *browser) legible(name string) {
	b.t.Helper()
	name = b.screen.String() + "-" + name
	b.fits(name)
	assert.Empty(b.t, b.violations(), name)
	b.shoot(name)
}

// fits holds that nothing is wider than the screen.
func (b *browser) fits(name string) {
	b.t.Helper()
	var wide bool // innerWidth would not do: on phones it grows with what is too wide
	b.evaluate(`document.scrollingElement.scrollWidth > document.documentElement.clientWidth`, &wide)
	assert.False(b.t, wide, "%s has to be scrolled sideways", name)
}

// legibleOn looks at the page on each of some screens.
func (b *browser) legibleOn(screens []screen, name string) {
	b.t.Helper()
	for _, screen := range screens {
		b.on(screen)
		b.legible(name)
	}
}

func TestEveryPageOfAPaymentIsLegibleOnASmallDarkScreen(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff",
		`item dog-treats 46.50 "Dog treats 狗零食"`, "item dog-treats {\nprice 46.50\nstock\n}")
	payer := browse(t, "android")
	payer.on(smallAndDark)
	payer.visit(site.shop + "/pay/cat-food?ref=INV-2026-11-24")
	payer.at("/q/direct")
	payer.press(`button[value="cancel"]`)
	payer.reads("Not paid yet")
	payer.legible("unpaid")
	address, _, _ := strings.Cut(payer.peek(), "?") // which grows each time the page looks again
	payer.visit(address + "?sheet=ok")
	payer.reads("Confirming your payment")
	payer.legible("confirming")
	payer.back()
	payer.reads("Not paid yet")
	payer.press(".acts a")
	payer.press(payButton)
	payer.reads("Payment received")
	payer.legible("receipt")
	for name, path := range map[string]string{
		"unknown-item": "/pay/none", "bad-cart": "/pay?item=:", "bad-amount": "/pay?amount=0", "bad-invoice": "/pay?invoice=x",
		"nothing-chosen": "/pay", "sold-out": "/pay/dog-treats", "unknown-order": "/pay/return/01M86000000000000000000000",
	} {
		payer.visit(site.shop + path)
		payer.legible(name)
	}
}

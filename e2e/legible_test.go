package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// legible looks at the page as the smallest phones and dark screens show it.
func (b *browser) legible(name string) {
	b.t.Helper()
	var wide bool
	b.evaluate(`document.scrollingElement.scrollWidth > innerWidth`, &wide)
	assert.False(b.t, wide, "%s has to be scrolled sideways", name)
	assert.Empty(b.t, b.violations(), name)
	b.shoot("dark-320-" + name)
}

func TestEveryPageOfAPaymentIsLegibleOnASmallDarkScreen(t *testing.T) {
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	payer := browse(t, "android")
	payer.narrow()
	payer.dark()
	payer.visit(site.shop + "/pay/cat-food?ref=INV-2026-11-24")
	payer.at("/q/direct")
	payer.press(`button[value="cancel"]`)
	payer.reads("Confirming your payment")
	payer.legible("confirming")
	payer.press(".acts a.quiet")
	payer.press(payButton)
	payer.reads("Payment received")
	payer.legible("receipt")
	for name, path := range map[string]string{
		"unknown-item": "/pay/none", "bad-cart": "/pay?item=:", "bad-amount": "/pay?amount=0", "bad-invoice": "/pay?invoice=x",
		"nothing-chosen": "/pay", "unknown-order": "/pay/return/01M86000000000000000000000",
	} {
		payer.visit(site.shop + path)
		payer.legible(name)
	}
}

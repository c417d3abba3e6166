package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The owner lists, looks and refunds in two parts, without script.
func TestTheOwnerWorksWithOrdersOnTheirPage(t *testing.T) {
	site := open(t, "examples/orders-page.caddyfile")
	payer := browse(t, "android")
	payer.visit(site.shop + "/pay/cat-food?quantity=2&ref=INV-7")
	payer.do(chromedp.SendKeys("#in-name", "陈大文"), chromedp.SendKeys("#in-address", "1 Harbour Road"), chromedp.Click("form button"))
	payer.at("/q/direct")
	payer.press(payButton)
	payer.reads("Payment received")
	order := site.trades()[0].OutTradeNo

	owner := browse(t, "desktop")
	owner.do(chromedp.EmulateViewport(1100, 900))
	owner.visit(strings.Replace(site.shop, "http://", "http://owner:demo@", 1) + "/orders")
	owner.withoutScript()
	owner.visit(site.shop + "/orders")
	owner.reads("HK$256.00")
	owner.shoot("orders")
	owner.press(".what a")
	owner.at("?order=" + order)
	owner.reads("陈大文")
	owner.shoot("order")

	for i, amount := range []string{"56", "200.00"} {
		owner.do(chromedp.SendKeys("#refund", amount), chromedp.Click(".refund button"))
		owner.reads("Refund this order?")
		owner.shoot(fmt.Sprintf("refund-%d", i+1))
		owner.press("main form button")
		owner.reads("The refund is done.")
	}
	owner.reads("Refunded in full")
}

func TestTheOwnersPagesAreLegibleOnASmallDarkScreen(t *testing.T) {
	site := open(t, "examples/orders-page.caddyfile")
	payer := browse(t, "android")
	for _, item := range []string{"cat-food?quantity=2", "dog-treats"} {
		payer.visit(site.shop + "/pay/" + item)
		payer.do(chromedp.SendKeys("#in-name", strings.Repeat("Wolfeschlegelsteinhausen", 3)), chromedp.SendKeys("#in-address", "香港中环"), chromedp.Click("form button"))
		payer.at("/q/direct")
		payer.press(payButton)
		payer.reads("Payment received")
	}
	order := site.trades()[0].OutTradeNo
	owner := browse(t, "desktop")
	owner.narrow()
	owner.dark()
	owner.visit(strings.Replace(site.shop, "http://", "http://owner:demo@", 1) + "/orders")
	today := time.Now().In(time.FixedZone("UTC+8", 8*60*60))
	for name, query := range map[string]string{
		"orders": "", "orders-month": "?from=" + today.AddDate(0, 0, -30).Format(time.DateOnly), "orders-years": "?from=2024-01-01",
		"order": "?order=" + order, "refund-wrong": "?refund=x&order=" + order, "refund": "?refund=1.50&order=" + order, "unknown": "?order=x", "none": "?day=2020-01-01",
	} {
		for _, language := range []string{"en", "zh-HK"} {
			owner.speaks(language)
			owner.visit(site.shop + "/orders" + query)
			owner.legible(name + "-" + language)
		}
	}
}

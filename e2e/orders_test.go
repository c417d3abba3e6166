package e2e

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// The owner lists, looks and refunds in two parts, without script.
func TestTheOwnerWorksWithOrdersOnTheirPage(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/orders-page.caddyfile")
	payer := browse(t, "android")
	payer.visit(site.shop + "/pay/cat-food?quantity=2&ref=INV-7")
	payer.do(chromedp.SendKeys("#in-name", "陈大文"), chromedp.SendKeys("#in-address", "1 Harbour Road"), chromedp.Click("form button"))
	payer.at("/q/direct")
	payer.press(payButton)
	payer.reads("Payment received")
	order := site.trades()[0].OutTradeNo

	owner := browse(t, "desktop")
	owner.visit(strings.Replace(site.shop, "http://", "http://owner:demo@", 1) + "/orders")
	owner.withoutScript()
	owner.visit(site.shop + "/orders")
	owner.reads("HK$256.00")
	owner.reads("陈大文")
	owner.shoot("todo")
	owner.visit(site.shop + "/orders?print=1")
	owner.shoot("sheets")
	owner.visit(site.shop + "/orders")
	owner.do(chromedp.SendKeys(".fulfil input[name=note]", "SF 1234 5678"), chromedp.Click(".fulfil button"))
	owner.reads("The order is fulfilled.")
	payer.visit(site.shop + "/pay/return/" + order)
	payer.reads("SF 1234 5678")
	owner.visit(site.shop + "/orders?fulfilled=true") // of any day: it may be midnight
	owner.reads("Fulfilled")
	owner.shoot("orders")
	owner.press(".what a")
	owner.at("?order=" + order)
	owner.reads("陈大文")
	owner.shoot("order")

	owner.do(chromedp.SendKeys("#refund", "56"), chromedp.Click(".refund button"))
	owner.reads("Refund HK$56.00 of HK$256.00?")
	owner.shoot("refund-1")
	owner.press("main form button")
	owner.reads("The refund is done.")
	owner.do(chromedp.NavigateBack()) // to the question
	owner.reads("The order has changed since you loaded the page")
	owner.shoot("refund-changed")
	owner.press(".refund + form button") // all that is left
	owner.reads("Refund HK$200.00 of HK$256.00?")
	owner.shoot("refund-2")
	owner.press("main form button")
	owner.reads("The refund is done.")
	owner.do(chromedp.WaitNotPresent("#refund")) // nothing is left
}

func TestTheOwnersPagesAreLegibleOnEveryScreen(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/orders-page.caddyfile",
		`item goldfish-bowl 320.00 "Goldfish bowl 金鱼缸"`, "item goldfish-bowl {\nprice 320.00\nname \""+aLongName+"\"\nstock\n}\nitem plant {\nprice 1.00\nstock\n}")
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
	owner.visit(strings.Replace(site.shop, "http://", "http://owner:demo@", 1) + "/orders?stock=1")
	owner.do(chromedp.SendKeys("#stock-0", "2"), chromedp.Click(`form[action="?stock=1"] button`))
	owner.reads("Set to ")
	counted := strings.TrimPrefix(owner.peek(), site.shop+"/orders")
	owner.visit(site.shop + "/orders?order=" + order)
	var was string
	owner.do(chromedp.Value("input[name=was]", &was))
	today := time.Now().In(time.FixedZone("UTC+8", 8*60*60))
	for name, query := range map[string]string{
		"todo": "", "sheets": "?print=1", "orders": "?status=", "orders-sums": "?sums=1&q=", "orders-month": "?from=" + today.AddDate(0, 0, -30).Format(time.DateOnly), "orders-years": "?from=2024-01-01",
		"order": "?order=" + order, "refund-wrong": "?refund=x&order=" + order, "refund-changed": "?refund=1.50&order=" + order,
		"refund": "?refund=1.50&was=" + was + "&order=" + order, "unknown": "?order=x", "none": "?day=2020-01-01",
		"stock": "?stock=1", "stock-counted": counted,
	} {
		owner.visit(site.shop + "/orders" + query)
		owner.legibleOn(screens, name)
	}
	owner.visit(site.shop + "/orders?print=1")
	assert.Equal(t, 2, owner.printed(), "one order to a sheet")
}

// printed returns how many sheets of paper the page takes.
func (b *browser) printed() int {
	b.t.Helper()
	var pdf []byte
	b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().Do(ctx)
		return err
	}))
	return len(regexp.MustCompile(`/Type /Page\b`).FindAll(pdf, -1))
}

func TestTheOwnersPagesFitEveryScreenInEveryLanguage(t *testing.T) {
	t.Parallel()
	site := openMonth(t)
	owner := browse(t, "desktop")
	owner.visit(strings.Replace(site.shop, "http://", "http://owner:demo@", 1) + "/orders")
	owner.visit(site.shop + "/orders?status=partially_refunded&from=2026-01-01&to=2030-01-01")
	owner.press(".what a")
	order := orderNumber.FindString(owner.at("?order="))
	lastWeek := "&from=" + time.Now().AddDate(0, 0, -8).Format(time.DateOnly) + "&status=partially_refunded"
	var was string
	owner.do(chromedp.Value("input[name=was]", &was))
	for name, query := range map[string]string{
		"todo": "", "list": "?sums=1" + lastWeek, "order": "?order=" + order, "refund": "?refund=1.50&was=" + was + "&order=" + order, "changed": "?refund=1.50&order=" + order,
		"stock": "?stock=1", "bad": "?status=x",
	} {
		owner.legibleEverywhere("owner-"+name, site.shop+"/orders"+query)
	}
}

package e2e

import (
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail/mailtest"
)

var orderNumber = regexp.MustCompile(`[0-9A-Z]{26}`)

const buyBowl = `a.buy[href="/pay/goldfish-bowl"]`

// A shop that has two goldfish bowls left sells both, one of them to a payer whose
// order was given up. In the evening, all who count say the same.
func TestADayInTheShop(t *testing.T) {
	t.Parallel()
	day, from := openDay(t), today()
	owner := day.owner()
	owner.visit(day.shop + "/orders?stock=1")
	owner.do(chromedp.SendKeys("#stock-0", "2"), chromedp.Click(`form[action="?stock=1"] button`))
	owner.reads("Goldfish bowl 金鱼缸 · Set to 2.")

	ann := browse(t, "android") // in WeChat
	ann.visit(day.shop)
	ann.reads("2 left")
	ann.press(buyBowl)
	ann.tells("ann@example.com")
	ann.at("/q/direct")
	ann.press(payButton)
	ann.reads("Payment received")

	ben, bensPhone := browse(t, "desktop"), browse(t, "iphone")
	ben.visit(day.shop)
	ben.readsSoon("1 left")
	ben.press(buyBowl)
	ben.tells("ben@example.com")
	bensPhone.visit(ben.at("/pay?handoff="))
	bensPhone.at("/q/direct") // where Ben thinks it over

	cleo := browse(t, "chrome") // on a phone, outside WeChat
	cleo.visit(day.shop)
	cleo.readsSoon("Sold out")
	cleo.visit(day.shop + "/pay/goldfish-bowl")
	cleo.reads("There is not enough left of what you chose.")
	cleo.shoot("day-sold-out")
	cleo.visit(day.shop)
	cleo.do(chromedp.SendKeys("#quantity", "2"))
	cleo.press(buyCatFood)
	cleo.tells("cleo@example.com")
	cleo.press(walletButton("alipayhk"))
	cleo.at("/q/wap")
	cleo.press(payButton)
	cleo.reads("Payment received")

	day.closesOnlyInWords() // so that Ben's bowl is free again, and his pay page still open
	bens := orderNumber.FindString(day.command("orders", "--status", "pending"))
	owner.visit(day.shop + "/orders?order=" + bens)
	owner.press("input[name=close] ~ p button")
	owner.reads("Close this order?")
	owner.press("main form button")
	owner.reads("The order is closed.")
	ben.reads("The payment did not go through") // on the desktop, until the phone pays
	bensPhone.press(payButton)
	bensPhone.reads("Payment received")
	ben.reads("Payment received")

	owner.visit(day.shop + "/orders")
	owner.reads("Paid orders to fulfil: 3,")
	owner.reads("Paid late")
	owner.shoot("day-to-do")
	for _, packed := range []*browser{ann, cleo} {
		order := packed.order()
		owner.visit(day.shop + "/orders")
		owner.do(chromedp.SendKeys("#note-"+order, "SF 1234 5678\r"))
		owner.reads("The order is fulfilled.")
		packed.do(chromedp.Reload())
		packed.reads("SF 1234 5678")
	}
	owner.visit(day.shop + "/orders?order=" + bens)
	owner.do(chromedp.SendKeys("#refund", "320"), chromedp.Click(".refund button"))
	owner.reads("Refund the whole order, HK$320.00?")
	owner.press("main form button")
	owner.reads("The refund is done.")

	to := today() // another day, if it was midnight meanwhile
	compared := day.command("compare", "--from", from, "--to", to)
	assert.Contains(t, compared, "4 at the gateway, 4 in the ledger.")

	owner.visit(day.shop + "/orders?from=" + from + "&to=" + to)
	for _, sum := range []string{"HK$896.00", "HK$320.00", "HK$576.00", "3 of 3"} { // gross, refunded, net
		owner.reads(sum)
	}
	owner.shoot("day-list")
	want := figures{orders: 3, taken: 32000 + 25600 + 32000, refunded: 32000}
	assert.Equal(t, want, day.exported(from, to), "export")
	assert.Equal(t, want, day.traded(), "gateway")
	assert.Equal(t, want, day.measured(), "metrics")
	assert.Eventually(t, func() bool { return want == day.hooked() }, patience, 100*time.Millisecond, "webhooks")
	paid := figures{orders: want.orders, taken: want.taken} // of a refund, no mail tells
	assert.Eventually(t, func() bool { return paid == day.mailed("owner@example.com", `^Paid.*: HK\$([0-9.]+),`) }, patience, time.Second, "mails to the owner")
	assert.Eventually(t, func() bool { return paid == day.mailed("", `^Receipt from Harbour Pets: HK\$([0-9.]+)$`) }, patience, time.Second, "receipts")
	assert.Equal(t, 2, day.mailed("", `your order is on its way$`).orders)
}

// today is the shop's day, and the gateway's.
func today() string {
	return time.Now().In(time.FixedZone("Asia/Hong_Kong", 8*60*60)).Format(time.DateOnly)
}

// day is a shop with all that it has to do with.
type day struct {
	*site
	admin string // host and port
	mails *mailtest.Server
}

func openDay(t *testing.T) *day {
	d := &day{admin: "localhost:" + freePort(t), mails: mailtest.Start(t, mailtest.Config{})}
	d.site = open(t, "Caddyfile.example",
		"admin off", "admin "+d.admin+"\n\tmetrics",
		"outside_wechat allow", "outside_wechat handoff\n\t\twallets alipayhk",
		"any_port", "any_port\n\t\twallets alipayhk",
		"field note", "field email required\n\t\tmail smtp://"+d.mails.SMTP+" {\nfrom shop@example.com\nto owner@example.com\nreceipt email\n}")
	return d
}

// owner has given the password of the example.
func (d *day) owner() *browser {
	b := browse(d.t, "desktop")
	b.visit(strings.Replace(d.shop, "http://", "http://owner:demo@", 1) + "/orders")
	return b
}

// tells fills in the shop's form.
func (b *browser) tells(address string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible("#in-email"), chromedp.SendKeys("#in-email", address))
	b.press("form button")
}

// readsSoon loads the page again until it holds a text. What a shop's own pages read
// of stock may be some seconds old.
func (b *browser) readsSoon(text string) {
	b.t.Helper()
	for until := time.Now().Add(patience); !strings.Contains(b.text(), text); {
		require.True(b.t, time.Now().Before(until), "%q does not come to be on the page", text)
		b.do(chromedp.Reload(), chromedp.Sleep(time.Second))
	}
}

// closesOnlyInWords has the gateway say of the next order to be closed that it is
// closed already, while it is not.
func (d *day) closesOnlyInWords() {
	d.t.Helper()
	reply, err := http.Post(d.gateway+"/control/faults", "application/json", strings.NewReader(`{"call":"close","kind":"respcd","respcd":"1142"}`))
	require.NoError(d.t, err)
	require.NoError(d.t, reply.Body.Close())
	require.Less(d.t, reply.StatusCode, 400)
}

// order is that of the receipt that a payer looks at.
func (b *browser) order() string {
	b.t.Helper()
	return orderNumber.FindString(b.at("/pay/return/"))
}

func (d *day) command(args ...string) string {
	d.t.Helper()
	command := exec.Command(caddy, append(append([]string{"qfpay-jsapi"}, args...), "--address", d.admin)...)
	out, err := command.CombinedOutput()
	require.NoError(d.t, err, string(out))
	return string(out)
}

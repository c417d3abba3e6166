package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// press presses a button of the simulator's wallet from outside.
func press(s *site, order, action string) error {
	reply, err := http.Post(fmt.Sprintf("%s/control/trades/%s/%s", s.gateway, order, action), "application/json", nil)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode >= 400 {
		return fmt.Errorf("pressing %s: %s", action, reply.Status)
	}
	return nil
}

func TestTheDeskHandsItsOrderToThePhoneAndShowsTheReceipt(t *testing.T) {
	t.Parallel()
	for _, agent := range []string{"desktop", "wecom"} {
		t.Run(agent, func(t *testing.T) {
			site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
			desk, phone := browse(t, agent), browse(t, "android")
			desk.do(chromedp.EmulateViewport(1280, 800))
			desk.visit(site.shop + "/pay/cat-food?quantity=2")
			desk.reads("Once you have paid, this page shows your receipt.")
			desk.reads("Please pay by ")
			desk.shoot("desk-" + agent)
			assert.Empty(t, desk.violations())
			code := desk.at("/pay?handoff=")

			desk.do(chromedp.Reload())
			assert.Equal(t, code, desk.at("/pay?handoff="), "a refresh keeps the order")
			phone.visit(code)
			phone.at("/q/direct")
			desk.reads("Finish paying on your phone")
			desk.shoot("desk-paying-" + agent)
			assert.Empty(t, desk.violations())
			site.stop()
			site.start() // the simulator forgets its payments by that, the shop nothing
			phone.visit(code)
			phone.at("/q/direct")
			desk.do(chromedp.Reload())
			desk.reads("Finish paying on your phone")
			assert.Equal(t, code, desk.peek())
			desk.press(".acts a")
			desk.reads("Good things for small animals")
		})
	}
}

func TestTheDeskTurnsIntoTheReceipt(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	desk, phone := browse(t, "desktop"), browse(t, "iphone")
	desk.visit(site.shop + "/pay?item=cat-food:2&item=dog-treats")
	code := desk.at("/pay?handoff=")
	phone.visit(code)
	phone.at("/q/direct")
	phone.press(payButton)
	phone.reads("Payment received")
	desk.at("/pay/return/")
	desk.reads("Payment received")
	desk.reads("HK$302.50")
	assert.Equal(t, 1, site.paid())
}

func TestOnAPhoneOutsideWeChatThereIsAnImageToSaveAndALinkToCopy(t *testing.T) {
	t.Parallel()
	site := open(t, "examples/gateway-account.caddyfile", "outside_wechat allow", "outside_wechat handoff")
	phone := browse(t, "phone")
	phone.on(screen{320, "light"})
	phone.visit(site.shop + "/pay/cat-food")
	phone.reads("press and hold the code")
	assert.NotContains(t, phone.text(), "Waiting for the phone")
	phone.do(chromedp.WaitVisible(`img[src^="data:image/png"]`, chromedp.ByQuery), chromedp.WaitVisible("#copy", chromedp.ByQuery))
	phone.shoot("phone-outside-wechat")
	assert.Empty(t, phone.violations())
}

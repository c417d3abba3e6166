package qfpayjsapi_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func init() {
	caddy.RegisterModule(listener{})
}

// listener is one of Caddy's event handlers, as a shop might have it.
type listener struct{}

var heard struct {
	sync.Mutex
	events []caddy.Event
}

func (listener) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.listener", New: func() caddy.Module { return new(listener) }}
}

func (listener) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

func (listener) Handle(_ context.Context, event caddy.Event) error {
	heard.Lock()
	defer heard.Unlock()
	heard.events = append(heard.events, event)
	return nil
}

// heardOf returns what listeners heard of an order, by the name of the event.
func heardOf(order string) map[string]map[string]any {
	heard.Lock()
	defer heard.Unlock()
	events := map[string]map[string]any{}
	for _, event := range heard.events {
		if event.Data["order"] == order || event.Data["out_trade_no"] == order {
			events[event.Name()] = event.Data
		}
	}
	return events
}

func withListener(s *shop) {
	s.global = `events {
		on order.paid listener
		on order.closed listener
		on order.refunded listener
		on order.fulfilled listener
		on payment.disputed listener
		on payment.orphaned listener
	}`
}

func TestCaddysEventsTellWhatHappens(t *testing.T) {
	shop := openShop(t)
	withListener(shop)
	shop.load()
	payer := shop.payer(wechat)

	_, order := payer.prepare("/pay/cat-food?ref=INV-7")
	require.Empty(t, heardOf(order))
	shop.notify(notification(order, map[string]string{"txamt": "1"}))
	shop.notify(notification(order, nil))
	shop.notify(notification(order, nil))
	shop.notify(notification("R1", map[string]string{"notify_type": "refund", "orig_out_trade_no": order, "txamt": "12800", "syssn": "202611230002000200R1"}))
	events := heardOf(order)
	assert.Len(t, events, 3)
	assert.Contains(t, events, "payment.disputed")
	require.Contains(t, events, "order.paid")
	assert.EqualValues(t, 12800, events["order.paid"]["amount"])
	assert.Equal(t, "INV-7", events["order.paid"]["ref"])
	assert.Contains(t, events, "order.refunded")

	_, sent := payer.prepare("/pay/dog-treats?ref=sent")
	shop.notify(notification(sent, map[string]string{"txamt": "4650", "syssn": "202611230002000200S1"}))
	shop.office("POST", "/qfpay_jsapi/orders/"+sent+"/fulfil", `{"note":"SF 1"}`)
	require.Contains(t, heardOf(sent), "order.fulfilled")
	assert.Equal(t, "SF 1", heardOf(sent)["order.fulfilled"]["note"])

	stranger := "01M85Q7FVQ7HBXVY3T0STPCPED"
	shop.notify(notification(stranger, nil))
	assert.Contains(t, heardOf(stranger), "payment.orphaned")

	_, failing := payer.prepare("/pay/dog-treats")
	require.NoError(t, shop.gateway.Fail(failing))
	payer.get("/pay/return/" + failing)
	assert.Contains(t, heardOf(failing), "order.closed")

	_, given := payer.prepare("/pay/dog-treats?ref=given-up")
	status, _ := shop.office("POST", "/qfpay_jsapi/orders/"+given+"/close", "{}")
	assert.Equal(t, http.StatusOK, status)
	require.Contains(t, heardOf(given), "order.closed")
	assert.EqualValues(t, ledger.StatusClosed, heardOf(given)["order.closed"]["status"])
}

func TestEventsAfterAReloadAreHeardByTheNewConfiguration(t *testing.T) {
	shop := openShop(t)
	payer := shop.payer(wechat)
	callback := payer.authorize("/pay/cat-food")
	order := orderOf(t, callback)
	through := shop.held.hold("/trade/v1/query")
	defer through()
	payer.get(callback)
	require.NoError(t, shop.gateway.Pay(order))
	came := make(chan reply, 1)
	go func() { came <- payer.get("/pay/return/" + order) }()
	shop.eventually("the enquiry is under way", func() bool { return shop.held.waiting.Load() > 0 })
	withListener(shop)
	shop.load()
	through()
	<-came
	shop.eventually("it is heard", func() bool { return heardOf(order)["order.paid"] != nil })
}

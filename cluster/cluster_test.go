package cluster

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestAPayerWhoStartsAtOneNodePaysAtTheOther(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	p := c.payer()
	callback, order := p.start(t, c.one)
	page := p.get(c.two, callback)
	requirePayPage(t, page)
	pressed := p.press(page.location, "pay")
	require.Equal(t, http.StatusSeeOther, pressed.status, pressed.body)
	receipt := p.get(c.one, pressed.location)
	require.Equal(t, http.StatusOK, receipt.status, receipt.body)
	require.Equal(t, "paid", p.status(c.two, order))
	c.requireSettledAsPaid(t, order)
}

func TestTheSameCallbackAtBothNodesAtOnceMakesOnePayment(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	const payers = 10
	var all sync.WaitGroup
	replies := make([][2]reply, payers)
	for i := range payers {
		p := c.payer()
		callback, _ := p.start(t, anyNode)
		all.Go(func() { replies[i][0] = p.callBack(c.one, callback) })
		all.Go(func() { replies[i][1] = p.callBack(c.two, callback) })
	}
	all.Wait()
	for _, pair := range replies {
		requirePayPage(t, pair[0])
		assert.Equal(t, pair[0].location, pair[1].location)
	}
	assert.Equal(t, payers, c.requests(paymentCall))
	assert.Len(t, c.gateway.Trades(), payers)
}

func TestACallbackWaitsForThePaymentThatTheOtherNodeIsMaking(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	p := c.payer()
	callback, order := p.start(t, c.one)
	call := c.one.line.hold(t, paymentCall, afterTheGateway)
	first, second := make(chan reply, 1), make(chan reply, 1)
	go func() { first <- p.get(c.one, callback) }()
	call.reached(t)
	go func() { second <- p.get(c.two, callback) }()
	select {
	case early := <-second:
		require.Fail(t, "answered before the payment was made", "%d %s", early.status, early.body)
	case <-time.After(time.Second):
	}
	call.open()
	page := <-first
	requirePayPage(t, page)
	assert.Equal(t, page.location, (<-second).location)
	assert.Equal(t, 1, c.paymentsOf(order))
}

func TestANotificationAtOneNodeAndAReturnAtTheOtherPayOnce(t *testing.T) {
	t.Parallel()
	c := openCluster(t, withNotifications)
	c.front.notify(c.one)
	var all sync.WaitGroup
	for range 5 {
		p := c.payer()
		order := p.prepare(t, c.two)
		require.NoError(t, c.gateway.Pay(order))
		all.Go(func() {
			receipt := p.get(c.two, "/pay/return/"+order)
			assert.Equal(t, http.StatusOK, receipt.status, receipt.body)
		})
	}
	all.Wait()
	for _, trade := range c.gateway.Trades() {
		c.requireSettledAsPaid(t, trade.OutTradeNo)
	}
	for _, notification := range c.gateway.Notifications() {
		assert.True(t, notification.Accepted, notification.Reply)
	}
}

// The payment call of a dead node was sent, and the gateway makes the payment whoever
// lives. Nobody asks for it again, and nobody can pay it, because its pay page has
// reached no browser; were it paid all the same, the shop learns of that.
func TestANodeIsKilledWhileItsPaymentCallWaits(t *testing.T) {
	t.Parallel()
	for _, when := range []moment{beforeTheGateway, afterTheGateway} {
		t.Run(string(when), func(t *testing.T) {
			c := newCluster(t)
			c.keepIn(postgrestest.Start(t))
			c.more = "timeout 2s"
			c.start()
			for _, paid := range []bool{true, false} {
				p := c.payer()
				callback, order := p.start(t, c.two)
				call := c.one.line.hold(t, paymentCall, when)
				go p.get(c.one, callback)
				call.reached(t)
				c.one.kill()
				call.open()
				eventually(t, "the gateway has the trade", func() bool { _, found := c.gateway.Trade(order); return found })
				require.Equal(t, "pending", p.status(c.two, order))
				if paid {
					require.NoError(t, c.gateway.Pay(order))
					c.one.start()
					c.requireSettledAsPaid(t, order)
					assert.Equal(t, "/pay/return/"+order, p.get(c.one, callback).location)
				} else {
					requireNotPayable(t, p.get(c.two, callback), order)
					eventually(t, "the order is over", func() bool { return p.status(c.two, order) == "closed" })
					trade, _ := c.gateway.Trade(order)
					assert.NotEqual(t, qfpaytest.Open, trade.State)
				}
				assert.Equal(t, 1, c.paymentsOf(order))
			}
		})
	}
}

func TestANodeIsKilledWhileItsOpenIDCallWaits(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	p := c.payer()
	callback, order := p.start(t, c.two)
	call := c.one.line.hold(t, openidCall, afterTheGateway)
	go p.get(c.one, callback)
	call.reached(t)
	c.one.kill()
	page := p.get(c.two, callback) // the code was used
	require.True(t, page.isOAuth(), "WeChat is asked again, not %d %s", page.status, page.body)
	callback = p.get(anyNode, page.location).location
	require.Equal(t, order, orderIn(callback))
	requirePayPage(t, p.get(c.two, callback))
	assert.Equal(t, 1, c.paymentsOf(order))
	assert.Len(t, c.gateway.Trades(), 1)
}

// The gateway takes a code once. A second node, which finds the code used, must not
// start another order while the first one is about to pay for this one.
func TestASlowOpenIDCallAtOneNodeAndTheSameCallbackAtTheOtherMakeOnePayment(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	p := c.payer()
	callback, order := p.start(t, c.one)
	call := c.one.line.hold(t, openidCall, afterTheGateway)
	first := make(chan reply, 1)
	go func() { first <- p.get(c.one, callback) }()
	call.reached(t)
	second := p.get(c.two, callback)
	require.True(t, second.isOAuth(), "WeChat is asked again, not %d %s", second.status, second.body)
	back := p.get(anyNode, second.location).location
	require.Equal(t, order, orderIn(back), "no other order")
	page := p.get(c.two, back)
	requirePayPage(t, page)
	call.open()
	assert.Equal(t, page.location, (<-first).location)
	assert.Equal(t, 1, c.requests(paymentCall))
	assert.Len(t, c.gateway.Trades(), 1)
}

func TestTheOtherNodeTakesOverWhatADeadOneLookedAfter(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	order := c.payer().prepare(t, c.one)
	call := c.one.line.hold(t, queryCall, beforeTheGateway)
	other := c.two.line.hold(t, queryCall, beforeTheGateway)
	dead := c.one
	select { // whichever node has leased the order
	case <-call.arrived:
	case <-other.arrived:
		dead = c.two
	case <-time.After(patience):
		require.Fail(t, "no node asks about the open order")
	}
	dead.kill()
	killed := time.Now()
	call.open()
	other.open()
	require.NoError(t, c.gateway.Pay(order))
	c.requireSettledAsPaid(t, order)
	told, _ := c.program.toldAt(paidEvent(order))
	t.Logf("node %s was killed; the other took over, asked and told the shop after %s", dead.name, told.Sub(killed).Round(time.Millisecond))
}

// The gateway says no to a payment that it made all the same. One node tells the
// shop that the order is over, and the shop takes its time to answer; meanwhile the
// other node learns that the order was paid.
func TestAPaymentIsToldThatAnotherNodeLearnsOfWhileTheShopIsToldThatItIsOver(t *testing.T) {
	t.Parallel()
	c := openCluster(t, withNotifications)
	c.front.notify(c.two)
	p := c.payer()
	callback, order := p.start(t, c.one)
	answer := c.program.hold(t, closedEvent(order))
	c.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.RespcdAfter, Respcd: "1103"})
	p.get(c.one, callback)
	answer.reached(t)
	require.NoError(t, c.gateway.Pay(order))
	eventually(t, "the other node is notified", func() bool { return len(c.gateway.Notifications()) > 0 })
	require.True(t, c.gateway.Notifications()[0].Accepted)
	answer.open()
	eventually(t, "the shop is told of the payment", func() bool { return c.program.events()[paidEvent(order)] > 0 })
	require.Equal(t, "paid", p.status(c.one, order))
}

package cluster

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		all.Go(func() { replies[i][0] = p.get(c.one, callback) })
		all.Go(func() { replies[i][1] = p.get(c.two, callback) })
	}
	all.Wait()
	for _, pair := range replies {
		requirePayPage(t, pair[0])
		assert.Equal(t, pair[0].location, pair[1].location)
	}
	assert.Equal(t, payers, c.requests(openidCall))
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

func TestANodeIsKilledWhileItsPaymentCallWaits(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	for _, when := range []moment{beforeTheGateway, afterTheGateway} {
		t.Run(string(when), func(t *testing.T) {
			p := c.payer()
			callback, order := p.start(t, c.two)
			call := c.one.line.hold(t, paymentCall, when)
			go p.get(c.one, callback)
			call.reached(t)
			c.one.kill()
			requireChecking(t, p.get(c.two, callback), order)
			call.open()
			eventually(t, "the gateway has the trade", func() bool { _, found := c.gateway.Trade(order); return found })
			requireChecking(t, p.get(c.two, callback), order)
			require.Equal(t, 1, c.paymentsOf(order))
			require.Equal(t, "pending", p.status(c.two, order))

			require.NoError(t, c.gateway.Pay(order))
			c.one.start()
			c.requireSettledAsPaid(t, order)
			returned := p.get(c.one, callback)
			assert.Equal(t, "/pay/return/"+order, returned.location)
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
	eventually(t, "the order is entered", func() bool { return p.status(c.two, order) == "pending" })
	c.one.kill()
	requireChecking(t, p.get(c.two, callback), order) // for the other node may have asked for the payment, too
	back, again := p.startAgain(t, c.two, order)
	requirePayPage(t, p.get(c.two, back))
	assert.Zero(t, c.paymentsOf(order))
	assert.Equal(t, 1, c.paymentsOf(again))
}

func TestTheOtherNodeTakesOverWhatADeadOneLookedAfter(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	order := c.payer().prepare(t, c.one)
	clerk := c.clerk(t)
	clerk.kill()
	killed := time.Now()
	require.NoError(t, c.gateway.Pay(order))
	c.requireSettledAsPaid(t, order)
	told, _ := c.program.toldAt(paidEvent(order))
	t.Logf("node %s was killed; the other took over, asked and told the shop after %s", clerk.name, told.Sub(killed).Round(time.Millisecond))
}

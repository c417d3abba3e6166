package cluster

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestPostgreSQLIsSilentWhenAPayerComesBackFromWeChat(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	p := c.payer()
	callback, order := p.start(t, c.one)
	c.cable.freeze()
	refused := p.get(c.one, callback)
	require.Equal(t, http.StatusServiceUnavailable, refused.status, refused.body)
	assert.NotEmpty(t, refused.header.Get("Retry-After"))
	assert.Zero(t, c.requests(openidCall))
	c.cable.thaw()
	requirePayPage(t, p.get(c.two, callback))
	assert.Equal(t, 1, c.requests(openidCall))
	assert.Equal(t, 1, c.paymentsOf(order))
}

func TestPostgreSQLFallsSilentInMidPayment(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	p := c.payer()
	callback, order := p.start(t, c.one)
	call := c.one.line.hold(t, paymentCall, afterTheGateway)
	answer := make(chan reply)
	go func() { answer <- p.get(c.one, callback) }()
	call.reached(t)
	c.cable.freeze()
	call.open()
	requireChecking(t, <-answer, order)
	c.cable.thaw()
	requireNotPayable(t, p.get(c.two, callback), order)
	assert.Equal(t, 1, c.paymentsOf(order))

	callback, again := p.startAgain(t, c.two, order)
	requirePayPage(t, p.get(c.one, callback))
	require.NoError(t, c.gateway.Pay(again))
	c.requireSettledAsPaid(t, again)
	eventually(t, "the order that nobody can pay is over", func() bool { return p.status(c.one, order) == "closed" })
}

func TestANotificationIsRepeatedUntilPostgreSQLHasIt(t *testing.T) {
	t.Parallel()
	c := openCluster(t, withNotifications, withHaste, withPatience)
	order := c.payer().prepare(t, c.one)
	c.cable.freeze()
	require.NoError(t, c.gateway.Pay(order))
	eventually(t, "the gateway is told to try again", func() bool { return len(c.gateway.Notifications()) > 0 })
	assert.Equal(t, http.StatusServiceUnavailable, c.gateway.Notifications()[0].Status)
	c.cable.thaw()
	eventually(t, "a notification is accepted", func() bool { return lastOf(c.gateway.Notifications()).Accepted })
	require.Equal(t, "paid", c.payer().status(c.two, order))
	c.requireSettledAsPaid(t, order)
}

func TestAnOrderIsNotForgottenWhilePostgreSQLIsSilent(t *testing.T) {
	t.Parallel()
	c := openCluster(t)
	p := c.payer()
	order := p.prepare(t, c.one)
	c.cable.freeze()
	for _, n := range c.front.nodes {
		answer := p.get(n, "/pay/status/"+order)
		assert.Equal(t, http.StatusServiceUnavailable, answer.status, answer.body)
	}
	c.cable.thaw()
	require.NoError(t, c.gateway.Pay(order))
	c.requireSettledAsPaid(t, order)
}

func lastOf(notifications []qfpaytest.Delivery) qfpaytest.Delivery {
	return notifications[len(notifications)-1]
}

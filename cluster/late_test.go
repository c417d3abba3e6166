package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// The gateway says no to a payment that it made all the same. One node tells
// the shop that the order is over, and the shop takes its time to answer;
// meanwhile the other node learns that the order was paid.
func TestAPaymentIsToldThatAnotherNodeLearnsOfWhileTheShopIsToldThatItIsOver(t *testing.T) {
	t.Parallel()
	c := openCluster(t, withNotifications)
	c.payer().prepare(t, c.one)
	clerk := c.clerk(t)
	c.front.notify(c.other(clerk))

	p := c.payer()
	callback, order := p.start(t, clerk)
	answer := c.program.hold(t, closedEvent(order))
	c.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.RespcdAfter, Respcd: "1103"})
	p.get(clerk, callback)
	answer.reached(t)
	require.NoError(t, c.gateway.Pay(order))
	eventually(t, "the other node is notified", func() bool { return len(c.gateway.Notifications()) > 0 })
	require.True(t, c.gateway.Notifications()[0].Accepted)
	answer.open()
	eventually(t, "the shop is told of the payment", func() bool { return c.program.events()[paidEvent(order)] > 0 })
}

package qfpayjsapi

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// payAnotherAmount has a payer pay less than the ledger asks for, which the gateway
// calls paid and therefore does not close.
func (c *testShop) payAnotherAmount(t *testing.T) (order string) {
	t.Helper()
	order = orderIn(c.dieAtCallback(t, false))
	openID, err := c.orders.OpenID(t.Context(), c.simulator.Code())
	require.NoError(t, err)
	answer, err := c.orders.Pay(t.Context(), qfpay.Payment{OutTradeNo: order, Amount: 12700, Currency: "HKD", OpenID: openID, Time: c.now()})
	require.NoError(t, err)
	_, err = c.orders.Prepare(t.Context(), order, orders.Prepared{Syssn: answer.Syssn, PayURL: gatewayAddress + "/q/direct?"})
	require.NoError(t, err)
	require.NoError(t, c.simulator.Pay(order))
	c.simulator.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1260", Times: -1})
	return order
}

func TestADisputeIsToldAtOnceAndTheOrderComesToItsEnd(t *testing.T) {
	program := startShopProgram(t, http.StatusInternalServerError)
	c := openTestShop(t, withWebhook(program))
	order := c.payAnotherAmount(t)
	c.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPending, c.status(t, order), "the right report may still come")
	assert.Equal(t, []string{"payment.disputed", "payment.disputed"}, program.types(), "and repeated, as any other")
	c.work(t, 23*time.Hour)
	assert.Equal(t, ledger.StatusPending, c.status(t, order))
	c.work(t, 5*time.Hour)
	assert.Equal(t, ledger.StatusClosed, c.status(t, order))
	assert.Equal(t, []string{"payment.disputed", "payment.disputed", "order.closed"}, program.types())
	assert.Less(t, c.simulator.Calls("query"), 100)
	assert.True(t, c.isSettled(t))
}

func TestADisputeIsToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := testShopInFakeTime(t, nil, quick)
		defer stop()
		c.payAnotherAmount(t)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		assert.Equal(t, []string{orders.EventDisputed}, c.heard.names())
		assert.EqualValues(t, 12700, c.heard.events[0].Data["gateway"].(map[string]any)["amount"], "what others are told")
		assert.Less(t, c.simulator.Calls("query"), 30, "it is asked about no more often than others")
		assert.Less(t, c.simulator.Calls("close"), 30)
	})
}

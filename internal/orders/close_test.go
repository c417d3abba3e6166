package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// prepareInAlipay begins an order that a payer can pay in AlipayHK.
func (a *account) prepareInAlipay(s *orders.Service) ledger.Order {
	a.t.Helper()
	o, claimed, err := s.Claim(a.t.Context(), ledger.Order{
		ID: a.newID(), Method: string(qfpay.MethodAlipayHK), Intent: a.intent(), Expires: a.clock().Add(15 * time.Minute),
	})
	require.NoError(a.t, err)
	require.True(a.t, claimed)
	answer, err := s.Pay(a.t.Context(), qfpay.Payment{
		Method: qfpay.MethodAlipayHK, OutTradeNo: o.ID, Amount: o.Intent.Amount, Currency: o.Intent.Currency, Time: a.clock(),
	})
	require.NoError(a.t, err)
	prepared, err := s.Prepare(a.t.Context(), o.ID, orders.Prepared{Syssn: answer.Syssn, PayURL: answer.PayURL})
	require.NoError(a.t, err)
	return *prepared
}

func TestAWalletsOrderIsAskedAboutForADayAndNeverClosedAtTheGateway(t *testing.T) {
	a := openAccount(t)
	a.replaceGateway(func(c *qfpaytest.Config) { c.Wallets = []string{"alipayhk"} })
	s := a.openShop("peaks")
	unpaid, paid := a.prepareInAlipay(s), a.prepareInAlipay(s)
	a.reconcile(16 * time.Minute)
	assert.Equal(t, ledger.StatusPending, a.find(s, unpaid.ID).Status, "it can be paid yet")
	require.NoError(t, a.gateway.Pay(paid.ID))
	a.reconcile(23 * time.Hour)
	assert.Equal(t, ledger.StatusPaid, a.find(s, paid.ID).Status)
	assert.False(t, a.find(s, paid.ID).Late)
	assert.Equal(t, ledger.StatusPending, a.find(s, unpaid.ID).Status)
	a.reconcile(5 * time.Hour)
	assert.Equal(t, ledger.StatusClosed, a.find(s, unpaid.ID).Status)
	assert.Zero(t, a.gateway.Calls("close"), "it might revoke a payment")
	assert.Zero(t, a.log.Filter(func(line observer.LoggedEntry) bool { return line.Level > zap.InfoLevel }).Len(), "nothing is wrong")
	for _, event := range []map[string]any{a.told(paid.ID, "order.paid"), a.told(unpaid.ID, "order.closed")} {
		assert.Equal(t, "alipayhk", event["method"])
		assert.NotContains(t, event, "payer")
	}
}

func TestAnOrderThatTheGatewayDoesNotCloseStaysOpenForADay(t *testing.T) {
	a := openAccount(t)
	a.gateway.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1297", Times: 1 << 20})
	s := a.openShop("peaks")
	o := a.prepare(s)
	a.reconcile(23 * time.Hour)
	assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status)
	a.reconcile(5 * time.Hour)
	assert.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
	assert.Less(t, a.gateway.Calls("close"), 60, "at growing intervals")
}

func TestTheOwnerIsToldThatATradeCannotBeClosed(t *testing.T) {
	a := openAccount(t)
	a.replaceGateway(func(c *qfpaytest.Config) { c.Wallets = []string{"alipayhk"} })
	s := a.openShop("peaks")
	o := a.prepareInAlipay(s)
	_, err := s.Close(t.Context(), o.ID)
	require.ErrorContains(t, err, "cannot close the payment of a wallet")
	assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status)
}

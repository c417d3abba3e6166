package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestAnOrderIsSettledInTheMonthAfterItsOwn(t *testing.T) {
	a := openAccount(t)
	a.until(30, 23, 55)
	s := a.openShop("peaks")
	known := a.prepare(s)
	unconfirmed := a.unconfirmed(s)
	a.pass(10 * time.Minute)
	for _, o := range []ledger.Order{known, unconfirmed} {
		require.NoError(t, a.gateway.Pay(o.ID))
		looked, err := s.LookUp(t.Context(), o.ID)
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusPaid, looked.Status)
	}
}

func TestAnOrderOfLastMonthThatTheGatewayDoesNotFindStaysOpen(t *testing.T) {
	for name, begin := range map[string]func(*account, *orders.Service) ledger.Order{
		"prepared":    (*account).prepare,
		"unconfirmed": (*account).unconfirmed,
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			a.until(30, 23, 55)
			s := a.openShop("peaks")
			o := begin(a, s)
			require.NoError(t, a.gateway.SetListed(o.ID, false))
			a.gateway.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1136", Times: 1 << 20})
			a.pass(10 * time.Minute)
			a.reconcile(23 * time.Hour)
			assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status, "the gateway may have looked in December only")
			assert.Less(t, a.gateway.Calls("close"), 60, "at growing intervals")
			a.reconcile(4 * time.Hour)
			assert.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
			assert.Equal(t, 1, a.log.FilterMessageSnippet("never reported the outcome of an order").Len())
		})
	}
}

// unconfirmed begins an order that the gateway has, although its reply was lost.
func (a *account) unconfirmed(s *orders.Service) ledger.Order {
	a.t.Helper()
	o := a.claim(s)
	_, err := a.ask(s, o)
	require.NoError(a.t, err)
	require.NoError(a.t, s.Unconfirmed(a.t.Context(), o.ID, assert.AnError))
	return o
}

func TestAnOrderOfThisMonthThatTheGatewayDoesNotFindIsClosed(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.SetListed(o.ID, false))
	a.gateway.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1136"})
	a.reconcile(16 * time.Minute)
	assert.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
}

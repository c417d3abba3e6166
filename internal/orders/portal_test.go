package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// refundInPortal gives money back as the owner does in the merchant's portal, of
// which no notification tells.
func (a *account) refundInPortal(s *orders.Service, o ledger.Order, number string, amount int64) {
	a.t.Helper()
	_, err := s.Client.Refund(a.t.Context(), qfpay.Refund{Syssn: o.Syssn, OutTradeNo: number, Amount: amount, Time: a.clock()})
	require.NoError(a.t, err)
}

func TestRefundsMadeInThePortalAreToldWhenAnEnquiryShowsThem(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.refundInPortal(s, o, "PORTAL1", 800)
	a.pass(time.Minute)
	o, err := s.LookUp(t.Context(), o.ID)
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPartiallyRefunded, o.Status)
	a.refundInPortal(s, o, "PORTAL2", 12000)
	a.pass(time.Minute)
	o, err = s.LookUp(t.Context(), o.ID)
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusRefunded, o.Status)
	assert.EqualValues(t, 12800, o.Refunded)
	told := []string{"order.paid hook-of-peaks", "order.refunded hook-of-peaks", "order.refunded hook-of-peaks"}
	assert.Equal(t, told, a.outbox(o.ID), "webhooks are told what event handlers are")
	assert.Equal(t, []string{"order.paid peaks", "order.refunded peaks", "order.refunded peaks"}, a.heard())
}

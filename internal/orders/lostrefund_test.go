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

// refundInVain asks for a refund, of which no reply comes.
func (a *account) refundInVain(s *orders.Service, order string, amount int64, fault qfpaytest.FaultKind) ledger.Refund {
	a.t.Helper()
	a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: fault})
	refund := a.refund(s, order, "lost", amount)
	require.Equal(a.t, ledger.RefundSent, refund.Status)
	return refund
}

func TestARefundThatThePaymentsRowShowsNeverCountsAsLost(t *testing.T) {
	for name, test := range map[string]struct {
		amount int64
		day    int
	}{
		"in a month":         {2800, 24},
		"over a month's end": {2800, 30},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			a.until(test.day, 23, 30)
			s := a.openShop("peaks")
			o := a.pay(s)
			refund := a.refundInVain(s, o.ID, test.amount, qfpaytest.DropAfter)
			require.NoError(t, a.gateway.SetListed(refund.Number, false))
			a.reconcile(30 * time.Hour)
			assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status)
			_, err := s.Refund(t.Context(), o.ID, "another", 12800)
			require.Error(t, err, "or the money would go back twice")
			require.NoError(t, a.gateway.SetListed(refund.Number, true))
			a.reconcile(3 * time.Hour)
			assert.Equal(t, ledger.RefundDone, a.known(o.ID, "lost").Status)
			assert.Equal(t, test.amount, a.givenBack(o.ID))
			assert.Equal(t, 1, a.gateway.Calls("refund"))
		})
	}
}

func TestARefundThatIsNotFoundIsOverWhenAllOfThePaymentWentBack(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	refund := a.refundInVain(s, o.ID, 5000, qfpaytest.DropBefore)
	_, err := a.gateway.RefundElsewhere(o.ID, 12800)
	require.NoError(t, err)
	a.reconcile(23 * time.Hour)
	assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status)
	a.reconcile(3 * time.Hour)
	assert.Equal(t, ledger.RefundRefused, a.known(o.ID, "lost").Status)
	assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status, "as the row says")
	assert.EqualValues(t, 12800, a.find(s, o.ID).Refunded)
	assert.Equal(t, 1, a.gateway.Calls("refund"), refund.Number)
}

// The row of a payment that went back as a whole does not say by which refunds.
func TestARefundThatSeemedToBeMadeIsNotWhenOthersTurnOutToHaveGivenAllBack(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.refundInVain(s, o.ID, 0, qfpaytest.DropBefore)
	for _, part := range []int64{800, 12000} {
		_, err := a.gateway.RefundElsewhere(o.ID, part)
		require.NoError(t, err)
	}
	a.reconcile(26 * time.Hour)
	assert.Equal(t, ledger.RefundDone, a.known(o.ID, "lost").Status, "as the row says")
	a.compare(noon, noon) // which finds those of the portal
	assert.Equal(t, ledger.RefundRefused, a.known(o.ID, "lost").Status)
	assert.EqualValues(t, 12800, a.givenBack(o.ID))
	assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
	assert.EqualValues(t, 12800, a.find(s, o.ID).Refunded)
}

func TestARefundIsNotLostWhileThePaymentIsNotFound(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.refundInVain(s, o.ID, 0, qfpaytest.DropBefore)
	require.NoError(t, a.gateway.SetListed(o.ID, false))
	a.reconcile(30 * time.Hour)
	assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status)
	require.NoError(t, a.gateway.SetListed(o.ID, true))
	a.reconcile(3 * time.Hour)
	assert.Equal(t, ledger.RefundRefused, a.known(o.ID, "lost").Status)
	assert.Contains(t, a.known(o.ID, "lost").Message, "never reached the gateway")
}

func TestALostRefundIsToldFromTheOthersOfItsPayment(t *testing.T) {
	for name, test := range map[string]struct {
		amount int64
		over   time.Duration
	}{
		"with it, all would have gone back": {10000, time.Hour},
		"the row would be the same with it": {5000, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.pay(s)
			require.Equal(t, ledger.RefundDone, a.refund(s, o.ID, "before", 2800).Status)
			a.refundInVain(s, o.ID, test.amount, qfpaytest.DropBefore)
			a.reconcile(test.over - time.Minute)
			assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status)
			a.reconcile(3 * time.Hour)
			assert.Equal(t, ledger.RefundRefused, a.known(o.ID, "lost").Status)
			assert.EqualValues(t, 2800, a.find(s, o.ID).Refunded)
		})
	}
}

func TestARefundIsNotLostWhileAnotherExplainsThePaymentsRowButIsNotKnown(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.refundInVain(s, o.ID, 5000, qfpaytest.DropBefore)
	_, err := a.gateway.RefundElsewhere(o.ID, 800)
	require.NoError(t, err)
	a.reconcile(30 * time.Hour)
	assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status)
	a.compare(noon, noon) // which finds that refund
	a.reconcile(3 * time.Hour)
	assert.Equal(t, ledger.RefundRefused, a.known(o.ID, "lost").Status)
	assert.EqualValues(t, 800, a.find(s, o.ID).Refunded)
}

func TestALostRefundIsOverLaterAcrossAMonthsEnd(t *testing.T) {
	a := openAccount(t)
	a.until(30, 23, 30)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.refundInVain(s, o.ID, 0, qfpaytest.DropBefore)
	a.reconcile(23 * time.Hour)
	assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status)
	a.reconcile(4 * time.Hour)
	assert.Equal(t, ledger.RefundRefused, a.known(o.ID, "lost").Status)
}

func TestALostRefundOfAPaymentOfLastMonthIsOverAfterAnHour(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.pass(10 * 24 * time.Hour)
	a.refundInVain(s, o.ID, 0, qfpaytest.DropBefore)
	a.reconcile(59 * time.Minute)
	assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status)
	a.reconcile(10 * time.Minute)
	assert.Equal(t, ledger.RefundRefused, a.known(o.ID, "lost").Status)
}

func TestARefundIsFoundOverAMonthsEnd(t *testing.T) {
	a := openAccount(t)
	a.until(30, 23, 59)
	a.pass(50 * time.Second)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.refundInVain(s, o.ID, 0, qfpaytest.DropAfter) // in November; it is asked about in December
	a.reconcile(time.Minute)
	assert.Equal(t, ledger.RefundDone, a.known(o.ID, "lost").Status)
	assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
}

func TestARefundBesideAnotherIsNotLostAcrossAMonthsEnd(t *testing.T) {
	a := openAccount(t)
	a.until(30, 23, 30)
	s := a.openShop("peaks")
	o := a.pay(s)
	require.Equal(t, ledger.RefundDone, a.refund(s, o.ID, "before", 2800).Status)
	a.pass(time.Minute)
	refund := a.refundInVain(s, o.ID, 5000, qfpaytest.DropAfter)
	require.NoError(t, a.gateway.SetListed(refund.Number, false)) // the gateway does not look into other months
	a.reconcile(30 * time.Hour)
	assert.Equal(t, ledger.RefundSent, a.known(o.ID, "lost").Status, "the payment's row is the same with and without it")
	_, err := s.Refund(t.Context(), o.ID, "another", 10000)
	require.Error(t, err, "or too much would go back")
}

func TestARefundThatIsNotFoundIsMadeWhenThePaymentsRowSaysSo(t *testing.T) {
	a := openAccount(t)
	a.until(30, 23, 30)
	s := a.openShop("peaks")
	o := a.pay(s)
	refund := a.refundInVain(s, o.ID, 12800, qfpaytest.DropAfter)
	require.NoError(t, a.gateway.SetListed(refund.Number, false))
	a.reconcile(30 * time.Hour)
	assert.Equal(t, ledger.RefundDone, a.known(o.ID, "lost").Status)
	assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
	require.NoError(t, a.gateway.SetListed(refund.Number, true))
	a.compare(noon, a.clock())
	assert.Len(t, a.refunds(o.ID), 1, "the list tells of no other")
}

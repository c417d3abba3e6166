package orders_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// forget has the gateway lose all trades, as a simulator does that is started again.
// At the same times of the day, and in the same order, it gives the same numbers.
func (a *account) forget() *orders.Service {
	a.t.Helper()
	a.replaceGateway(func(*qfpaytest.Config) {})
	a.shops = orders.NewShops()
	return a.openShop("peaks")
}

// prepaid is an order that a notification says is paid, without time passing.
func (a *account) prepaid(s *orders.Service) ledger.Order {
	a.t.Helper()
	o := a.prepare(s)
	require.NoError(a.t, a.gateway.Pay(o.ID))
	_, err := s.Receive(a.t.Context(), notification(o, nil))
	require.NoError(a.t, err)
	o = a.find(s, o.ID)
	require.Equal(a.t, ledger.StatusPaid, o.Status)
	return o
}

func TestAPaymentNeverHasTheNumberOfARefund(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	first := a.pay(s)
	refund := a.refund(s, first.ID, "bag", 800)
	second, third := a.prepare(s), a.claim(s)
	_, err := s.Receive(t.Context(), notification(second, func(n *qfpay.Notification) { n.Syssn = refund.Syssn }))
	require.NoError(t, err)
	second = a.find(s, second.ID)
	assert.Equal(t, ledger.StatusPending, second.Status)
	assert.True(t, second.Disputed)
	prepared, err := s.Prepare(t.Context(), third.ID, orders.Prepared{Syssn: refund.Syssn, PayURL: "https://pay.example/"})
	require.NoError(t, err)
	assert.Empty(t, prepared.Syssn, "it is followed by our number alone")
	assert.True(t, prepared.Disputed)
}

func TestAGatewayThatGivesThePaymentOfAnotherOrderAgainPaysNothing(t *testing.T) {
	a := openAccount(t)
	first := a.prepaid(a.openShop("peaks"))
	s := a.forget()
	second := a.prepare(s)
	require.NoError(t, a.gateway.Pay(second.ID))
	trade, known := a.gateway.Trade(second.ID)
	require.True(t, known)
	require.Equal(t, first.Syssn, trade.Syssn, "as the test wants it")

	a.pass(5 * time.Second)
	second, err := s.LookUp(t.Context(), second.ID)
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPending, second.Status, "by an enquiry")
	assert.True(t, second.Disputed)
	_, err = s.Receive(t.Context(), notification(second, func(n *qfpay.Notification) { n.Syssn = trade.Syssn }))
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPending, a.find(s, second.ID).Status, "by a notification")
	made := a.compareToday()
	assert.Equal(t, ledger.StatusPending, a.find(s, second.ID).Status, "by a comparison")
	assert.Equal(t, []string{
		difference(orders.AmountDiffers, second.ID, 12800, 12800),
		difference(orders.PaidHere, first.ID, 0, 12800),
	}, differences(made), "which points at both")
	assert.Contains(t, made.Findings[0].Text, "belongs to another order")

	_, err = s.Refund(t.Context(), first.ID, "bag", 800)
	require.NoError(t, err)
	assert.Len(t, a.refunds(first.ID), 1)
	a.pass(5 * time.Second)
	second, err = s.LookUp(t.Context(), second.ID)
	require.NoError(t, err)
	assert.Zero(t, second.Refunded, "the refund of one shows on no other")
	assert.Empty(t, a.refunds(second.ID))
	assert.Equal(t, []string{"order.paid peaks", "payment.disputed peaks", "order.refunded peaks"}, a.heard())
}

func TestAGatewayThatGivesTheRefundOfAnotherOrderAgainRefundsNothing(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	first := a.prepaid(s)
	a.pass(5 * time.Second)
	before := a.refund(s, first.ID, "bag", 800)
	require.Equal(t, ledger.RefundDone, before.Status)

	s = a.forget()
	a.pass(-time.Second)
	second := a.prepaid(s)
	a.pass(time.Second)
	refund := a.refund(s, second.ID, "bag", 900)
	assert.Equal(t, ledger.RefundSent, refund.Status, "by the reply")
	assert.EqualValues(t, 900, refund.Amount)
	a.pass(5 * time.Second)
	_, err := s.LookUp(t.Context(), second.ID)
	require.NoError(t, err)
	assert.Equal(t, ledger.RefundSent, a.known(second.ID, "bag").Status, "by an enquiry")
	_, err = s.Receive(t.Context(), qfpay.Notification{
		NotifyType: "refund", OutTradeNo: refund.Number, Syssn: before.Syssn, OrigSyssn: second.Syssn, Amount: 900, Currency: "HKD",
	})
	require.NoError(t, err)
	assert.Equal(t, ledger.RefundSent, a.known(second.ID, "bag").Status, "by a notification")
	made := a.compareToday()
	assert.Equal(t, ledger.RefundSent, a.known(second.ID, "bag").Status, "by a comparison")
	assert.Equal(t, []string{
		difference(orders.AmountDiffers, second.ID, 900, 0),
		difference(orders.PaidHere, first.ID, 0, 12800),
		difference(orders.RefundHere, first.ID, 0, 800),
	}, differences(made), "which points at them")

	known := a.find(s, second.ID)
	assert.Zero(t, known.Refunded)
	assert.True(t, known.Disputed)
	assert.EqualValues(t, 800, a.find(s, first.ID).Refunded, "that of the other order stays")
	assert.Equal(t, []string{"order.paid peaks", "order.refunded peaks", "order.paid peaks", "payment.disputed peaks"}, a.heard(), "and it is told once")
}

func TestARefundWhoseNumbersNameTwoThingsIsADispute(t *testing.T) {
	for name, report := range map[string]func(first, second ledger.Order) qfpay.Notification{
		"our number, and another order's payment": func(first, second ledger.Order) qfpay.Notification {
			return qfpay.Notification{OutTradeNo: orders.RefundNumber(second.ID, "bag"), OrigSyssn: first.Syssn, Syssn: "R9"}
		},
		"the number of another order's refund": func(first, second ledger.Order) qfpay.Notification {
			return qfpay.Notification{OutTradeNo: orders.RefundNumber(first.ID, "bag"), OrigOutTradeNo: second.ID, Syssn: "R9"}
		},
		"the number of another order's refund in the portal": func(_, second ledger.Order) qfpay.Notification {
			return qfpay.Notification{OutTradeNo: "portal", OrigSyssn: second.Syssn, Syssn: "R9"}
		},
		"the gateway's number of another order's refund": func(_, second ledger.Order) qfpay.Notification {
			return qfpay.Notification{OutTradeNo: "portal-2", OrigSyssn: second.Syssn, Syssn: "R1"}
		},
		"the gateway's number of another order's payment": func(first, second ledger.Order) qfpay.Notification {
			return qfpay.Notification{OutTradeNo: "portal-2", OrigSyssn: second.Syssn, Syssn: first.Syssn}
		},
		"our number, and the gateway's number of another refund of the order": func(_, second ledger.Order) qfpay.Notification {
			return qfpay.Notification{OutTradeNo: orders.RefundNumber(second.ID, "bag"), OrigSyssn: second.Syssn, Syssn: "R2"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			first, second := a.pay(s), a.pay(s)
			receive := func(n qfpay.Notification) {
				t.Helper()
				n.NotifyType, n.Amount, n.Currency = "refund", 500, "HKD"
				_, err := s.Receive(t.Context(), n)
				require.NoError(t, err)
			}
			receive(qfpay.Notification{OutTradeNo: "portal", OrigSyssn: first.Syssn, Syssn: "R1"})
			receive(qfpay.Notification{OutTradeNo: "portal-1", OrigSyssn: second.Syssn, Syssn: "R2"})
			a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropBefore, Times: 2})
			for _, o := range []ledger.Order{first, second} {
				require.Equal(t, ledger.RefundSent, a.refund(s, o.ID, "bag", 500).Status)
			}
			before := a.refunds(second.ID)
			for range 2 {
				receive(report(first, second))
			}
			assert.Equal(t, before, a.refunds(second.ID))
			known := a.find(s, second.ID)
			assert.EqualValues(t, 500, known.Refunded)
			assert.True(t, known.Disputed)
			assert.EqualValues(t, 500, a.find(s, first.ID).Refunded)
			assert.False(t, a.find(s, first.ID).Disputed)
		})
	}
}

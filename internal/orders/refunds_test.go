package orders_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func (a *account) refund(s *orders.Service, order, id string, amount int64) ledger.Refund {
	a.t.Helper()
	refund, err := s.Refund(a.t.Context(), order, id, amount)
	require.NoError(a.t, err)
	return refund
}

// known is a refund as the ledger has it.
func (a *account) known(order, id string) ledger.Refund {
	a.t.Helper()
	refund, ok := a.refunds(order).Of(id)
	require.True(a.t, ok)
	return refund
}

// givenBack is what the gateway has given back of an order.
func (a *account) givenBack(order string) int64 {
	a.t.Helper()
	trade, found := a.gateway.Trade(order)
	require.True(a.t, found)
	return trade.Refunded
}

func TestTheSameRefundIsMadeOnce(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	first := a.refund(s, o.ID, "r1", 2800)
	assert.Equal(t, first.Status, ledger.RefundDone)
	assert.Equal(t, a.known(o.ID, "r1"), a.refund(s, o.ID, "r1", 2800))
	assert.Equal(t, a.known(o.ID, "r1"), a.refund(s, o.ID, "r1", 0))
	assert.Equal(t, 1, a.gateway.Calls("refund"))
	_, err := s.Refund(t.Context(), o.ID, "r1", 2801)
	assert.EqualError(t, err, "the refund r1 already exists, over HKD 28.00: choose another refund_id for another refund")
	assert.EqualValues(t, 2800, a.givenBack(o.ID))
}

func TestWhatCannotBeRefundedIsSaid(t *testing.T) {
	a := openAccount(t)
	s, other := a.openShop("peaks"), a.openShop("shores")
	unpaid, o := a.prepare(s), a.pay(s)
	a.refund(s, o.ID, "r1", 2800)
	for _, test := range []struct {
		shop      *orders.Service
		order, id string
		amount    int64
		want      string
	}{
		{s, o.ID, "", 1, "refund_id is required: 1 to 64 of"},
		{s, o.ID, "a b", 1, "refund_id is required: 1 to 64 of"},
		{s, o.ID, strings.Repeat("x", 65), 1, "refund_id is required: 1 to 64 of"},
		{s, o.ID, "r2", -1, "the amount of a refund is positive"},
		{s, o.ID, "r2", 10001, "at most HKD 100.00 is left to refund of this order"},
		{s, unpaid.ID, "r2", 1, "the order is pending: only a paid one can be refunded"},
		{s, a.newID(), "r2", 1, "unknown order"},
		{other, o.ID, "r2", 1, "unknown order"},
	} {
		_, err := test.shop.Refund(t.Context(), test.order, test.id, test.amount)
		assert.ErrorContains(t, err, test.want)
	}
	a.refund(s, o.ID, "r2", 0)
	_, err := s.Refund(t.Context(), o.ID, "r3", 0)
	assert.EqualError(t, err, "nothing is left to refund of this order")
	assert.Equal(t, 2, a.gateway.Calls("refund"))
}

func TestARefundThatTheGatewayRefusesLeavesTheMoneyToAnother(t *testing.T) {
	for _, test := range []struct{ respcd, respmsg, words string }{
		{"1269", "餘額不足", "not today, there is too little money to take it from: try again tomorrow under a new id"},
		{"1265", "23:30-00:30不允許退款", "not today, or not from 23:30 to 00:30 in Hong Kong: try again tomorrow under a new id"},
		{"1265", "已超過可退款時限", "the time is over in which this payment could be refunded"},
		{"1124", "", "a card payment of today can only be refunded as a whole"},
		{"1261", "", "the payment was not paid"},
		{"1264", "wrong cancel", "the payment was refunded or reversed already"},
		{"1125", "", "the payment was refunded already"},
		{"1266", "", "the amount is wrong"},
		{"1267", "", "the refund does not match the payment"},
		{"1155", "", "this payment cannot be refunded"},
		{"1270", "", "payments of this currency cannot be refunded in part"},
		{"1271", "", "this payment cannot be refunded in part"},
		{"1272", "", "this is more than is left of the payment"},
		{"1108", "", "bad signature or key"},
	} {
		t.Run(test.respcd+test.respmsg, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.pay(s)
			a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.Respcd, Respcd: test.respcd, Respmsg: test.respmsg})
			no := a.refund(s, o.ID, "r1", 0)
			require.Equal(t, ledger.RefundRefused, no.Status)
			assert.Equal(t, test.respcd, no.Respcd)
			assert.Contains(t, no.Message, test.words)
			assert.Equal(t, a.known(o.ID, "r1"), a.refund(s, o.ID, "r1", 0), "asked again, it is not sent again")
			assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status)
			assert.Equal(t, ledger.RefundDone, a.refund(s, o.ID, "r2", 0).Status)
			assert.EqualValues(t, 12800, a.givenBack(o.ID))
		})
	}
}

func TestARefundOfUnknownOutcomeIsAskedAboutAndNeverSentAgain(t *testing.T) {
	for name, fault := range map[string]qfpaytest.Fault{
		"the reply is lost":    {Kind: qfpaytest.DropAfter},
		"half a reply":         {Kind: qfpaytest.Truncated},
		"still processing":     {Kind: qfpaytest.RespcdAfter, Respcd: "1145"},
		"not found in the old": {Kind: qfpaytest.RespcdAfter, Respcd: "1143"},
		"the channel is busy":  {Kind: qfpaytest.RespcdAfter, Respcd: "2999"},
		"a duplicate, it says": {Kind: qfpaytest.RespcdAfter, Respcd: "1251"},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.pay(s)
			fault.Call = "refund"
			a.gateway.Inject(fault)
			assert.True(t, a.refund(s, o.ID, "r1", 2800).Open())
			_, err := s.Refund(t.Context(), o.ID, "r2", 10001)
			assert.EqualError(t, err, "at most HKD 100.00 is left to refund of this order; refunds pending: 1")
			a.reconcile(5 * time.Second)
			assert.Equal(t, ledger.RefundDone, a.known(o.ID, "r1").Status)
			assert.Equal(t, ledger.StatusPartiallyRefunded, a.find(s, o.ID).Status)
			assert.Equal(t, 1, a.gateway.Calls("refund"))
			assert.EqualValues(t, 2800, a.givenBack(o.ID))
		})
	}
}

func TestANotificationThatLeavesTheAmountOutTakesNothingBack(t *testing.T) {
	for name, fault := range map[string]qfpaytest.Fault{
		"after the reply":         {Kind: qfpaytest.Delay},
		"while the reply is lost": {Kind: qfpaytest.DropAfter},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.pay(s)
			fault.Call = "refund"
			a.gateway.Inject(fault)
			number := a.refund(s, o.ID, "r1", 2800).Number
			trade, _ := a.gateway.Trade(number)
			for _, amount := range []int64{0, -2800} {
				_, err := s.Receive(t.Context(), qfpay.Notification{
					NotifyType: "refund", Syssn: trade.Syssn, OutTradeNo: number, OrigOutTradeNo: o.ID, Amount: amount,
				})
				require.NoError(t, err)
				assert.EqualValues(t, 2800, a.refunds(o.ID).Done())
				assert.EqualValues(t, 2800, a.find(s, o.ID).Refunded)
				_, err = s.Refund(t.Context(), o.ID, "r2", 10001)
				assert.EqualError(t, err, "at most HKD 100.00 is left to refund of this order")
			}
		})
	}
}

// hangingUp is a ledger whose next writer's caller hangs up.
type hangingUp struct {
	ledger.Ledger
	hangUp func()
}

func (l hangingUp) Update(ctx context.Context, step func(*ledger.Tx) error) error {
	l.hangUp()
	return l.Ledger.Update(ctx, step)
}

func TestARefundWhoseOwnerHangsUpIsMade(t *testing.T) {
	a := openAccount(t)
	o := a.pay(a.openShop("peaks"))
	ctx, hangUp := context.WithCancel(t.Context())
	a.ledger = hangingUp{a.ledger, hangUp}
	s := a.openShop("peaks")
	refund, err := s.Refund(ctx, o.ID, "r1", 0)
	require.NoError(t, err)
	require.Error(t, ctx.Err())
	assert.Equal(t, ledger.RefundDone, refund.Status)
	assert.EqualValues(t, 12800, a.givenBack(o.ID))
}

func TestTheShopIsToldThatAllWentBackAlthoughARefundIsNotKnown(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	a.refundInPortal(s, o, "PORTAL1", 12800) // before we heard of the payment
	a.reconcile(time.Minute)
	o = a.find(s, o.ID)
	assert.Equal(t, ledger.StatusRefunded, o.Status)
	assert.EqualValues(t, 12800, o.Refunded)
	assert.Equal(t, []string{"order.paid hook-of-peaks", "order.refunded hook-of-peaks"}, a.outbox(o.ID))
	assert.NotContains(t, a.changes[len(a.changes)-1].Data, "refund")
}

func TestARefundThatTakesItsTimeIsFollowedToItsEnd(t *testing.T) {
	for name, end := range map[string]struct {
		press func(*account, string) error
		want  ledger.Status
	}{
		"done":    {func(a *account, number string) error { return a.gateway.Pay(number) }, ledger.StatusRefunded},
		"refused": {func(a *account, number string) error { return a.gateway.Fail(number) }, ledger.StatusPaid},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.pay(s)
			a.gateway.SetSlowRefunds(true)
			asked := a.refund(s, o.ID, "r1", 0)
			a.pass(2 * time.Second)
			looked, err := s.LookUp(t.Context(), o.ID)
			require.NoError(t, err)
			assert.Equal(t, ledger.StatusPaid, looked.Status, "though the gateway counts it among those that went back")
			a.reconcile(26 * time.Hour)
			assert.True(t, a.known(o.ID, "r1").Open(), "known to the gateway, it is asked about for as long as it takes")
			assert.Less(t, a.gateway.Calls("query"), 40)
			require.NoError(t, end.press(a, asked.Number))
			a.reconcile(3 * time.Hour)
			assert.False(t, a.known(o.ID, "r1").Open())
			assert.Equal(t, end.want, a.find(s, o.ID).Status)
			assert.Zero(t, a.find(s, o.ID).CheckAt)
		})
	}
}

func TestANotificationOfOurRefundNamesTheOrderByTheNumberAlone(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.gateway.SetSlowRefunds(true)
	number := a.refund(s, o.ID, "r1", 0).Number
	assert.Len(t, number, 32)
	a.reconcile(time.Second)
	require.NoError(t, a.gateway.Pay(number))
	trade, _ := a.gateway.Trade(number)
	_, err := s.Receive(t.Context(), qfpay.Notification{
		NotifyType: "refund", Status: "1", Syssn: trade.Syssn, OutTradeNo: number, Amount: 12800, Currency: "HKD",
	})
	require.NoError(t, err)
	assert.Equal(t, "notification", a.known(o.ID, "r1").Source)
	assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
}

// A refund may be reported before its payment.
func TestAnOrderIsRefundedWhoseRefundWasKnownFirst(t *testing.T) {
	for amount, want := range map[int64]ledger.Status{800: ledger.StatusPartiallyRefunded, 12800: ledger.StatusRefunded} {
		a := openAccount(t)
		s := a.openShop("peaks")
		o := a.prepare(s)
		_, err := s.Receive(t.Context(), qfpay.Notification{
			NotifyType: "refund", OutTradeNo: "PORTAL1", OrigOutTradeNo: o.ID, Syssn: "S1", Amount: amount, Currency: "HKD",
		})
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status)
		_, err = s.Receive(t.Context(), notification(o, nil))
		require.NoError(t, err)
		o = a.find(s, o.ID)
		assert.Equal(t, want, o.Status)
		assert.Equal(t, amount, o.Refunded)
		assert.Equal(t, 12800-amount, a.refunds(o.ID).Left(o))
		assert.Equal(t, []string{"order.refunded peaks", "order.paid peaks"}, a.heard())
	}
}

// Bodies in the shape of those that were recorded in 2025 and in 2019.
func TestARefundIsThatOfTheOrderWhosePaymentItNamesEitherWay(t *testing.T) {
	for name, body := range map[string]string{
		"by the gateway's number": `{"notify_type": "cancel", "syssn": "20261123000300020000000077", "orig_syssn": "%[1]s", "out_trade_no": "PORTAL1", "txamt": "800", ` +
			`"txcurrcd": "HKD", "txdtm": "2026-11-23 12:00:00", "sysdtm": "2026-11-23 12:00:01", "respcd": "0000", "status": "1", "mchid": "M1"}`,
		"by both": `{"notify_type": "refund", "syssn": "20261123000300020000000077", "orig_syssn": "%[1]s", "orig_out_trade_no": "%[2]s", "out_trade_no": "PORTAL1", ` +
			`"txamt": "800", "txcurrcd": "HKD", "txdtm": "2026-11-23 12:00:00", "sysdtm": "2026-11-23 12:00:01", "respcd": "0000", "pay_type": "800207", "cancel": "0"}`,
		"by ours, without a currency": `{"notify_type": "refund", "syssn": "20261123000300020000000077", "orig_out_trade_no": "%[2]s", "out_trade_no": "PORTAL1", ` +
			`"txamt": "800", "txcurrcd": "", "respcd": "0000"}%.0[1]s`,
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.pay(s)
			n, err := qfpay.ParseNotification(fmt.Appendf(nil, body, o.Syssn, o.ID))
			require.NoError(t, err)
			_, err = s.Receive(t.Context(), *n)
			require.NoError(t, err)
			assert.Equal(t, ledger.StatusPartiallyRefunded, a.find(s, o.ID).Status)
			assert.EqualValues(t, 800, a.find(s, o.ID).Refunded)
			assert.False(t, a.find(s, o.ID).Disputed)
		})
	}
}

func TestARefundOfAPaymentThatIsNoOrderKeepsBothItsNumbers(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	_, err := s.Receive(t.Context(), qfpay.Notification{
		NotifyType: "cancel", OutTradeNo: "R1", Syssn: "20261123000300020000000077",
		OrigSyssn: "20261123000300020000000011", OrigOutTradeNo: "TILL-1", Amount: 800, Currency: "HKD",
	})
	require.NoError(t, err)
	orphans, err := ledger.View(t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Orphan, error) { return tx.Orphans([]string{"peaks"}, 10) })
	require.NoError(t, err)
	require.Len(t, orphans, 1)
	assert.Equal(t, "20261123000300020000000011", orphans[0].OrigSyssn)
	assert.Equal(t, "TILL-1", orphans[0].OrigOutTradeNo)
	told := a.told("orphan_20261123000300020000000077", "payment.orphaned")
	assert.Equal(t, "20261123000300020000000011", told["orig_syssn"])
	assert.Equal(t, "TILL-1", told["orig_out_trade_no"])
}

func TestTheNextRefundOfAPaymentIsNotSentTooSoon(t *testing.T) {
	a := openAccount(t)
	a.replaceGateway(func(c *qfpaytest.Config) { c.RefundGap = time.Second })
	s := a.openShop("peaks")
	o := a.pay(s)
	assert.Equal(t, ledger.RefundDone, a.refund(s, o.ID, "r1", 800).Status)
	assert.Equal(t, ledger.RefundDone, a.refund(s, o.ID, "r2", 800).Status)
	a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropAfter})
	assert.Equal(t, ledger.RefundSent, a.refund(s, o.ID, "r3", 800).Status)
	assert.Equal(t, ledger.RefundWaiting, a.refund(s, o.ID, "r4", 800).Status)
	a.reconcile(time.Minute)
	assert.Equal(t, ledger.RefundDone, a.known(o.ID, "r3").Status)
	assert.Equal(t, ledger.RefundDone, a.known(o.ID, "r4").Status)
	begun := a.clock()
	other := a.pay(s)
	assert.Equal(t, ledger.RefundDone, a.refund(s, other.ID, "r1", 800).Status)
	assert.Equal(t, 5*time.Second, a.clock().Sub(begun), "that of another payment does not wait")
}

package orders_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func TestAPaymentIsSettledByAnEnquiry(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	assert.NotEmpty(t, o.Syssn)
	assert.False(t, o.Late)
	assert.Zero(t, o.CheckAt, "nothing is left to do")
	assert.Equal(t, "claimed prepared paid", a.history(o.ID))
	assert.Equal(t, []string{"order.paid hook-of-peaks"}, a.outbox(o.ID))
	assert.Equal(t, []string{"order.paid peaks"}, a.heard())
}

func TestTheSameReportManyTimesIsOneEvent(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	var together sync.WaitGroup
	for range 20 {
		together.Go(func() {
			_, err := s.Receive(t.Context(), notification(o, nil))
			assert.NoError(t, err)
		})
	}
	together.Wait()
	assert.Equal(t, []string{"order.paid peaks"}, a.heard())
	assert.Len(t, a.outbox(o.ID), 1)
}

// notification is what the gateway posts of the payment of an order.
func notification(o ledger.Order, change func(*qfpay.Notification)) qfpay.Notification {
	n := qfpay.Notification{
		NotifyType: "payment", Status: "1", OutTradeNo: o.ID, Syssn: o.Syssn, Amount: o.Intent.Amount, Currency: o.Intent.Currency, Respcd: "0000",
	}
	if change != nil {
		change(&n)
	}
	return n
}

func TestAReportOfAnotherAmountOrCurrencyIsADispute(t *testing.T) {
	for what, change := range map[string]func(*qfpay.Notification){
		"amount":   func(n *qfpay.Notification) { n.Amount = 1 },
		"currency": func(n *qfpay.Notification) { n.Currency = "JPY" },
	} {
		t.Run(what, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.prepare(s)
			for range 2 {
				_, err := s.Receive(t.Context(), notification(o, change))
				require.NoError(t, err)
			}
			o = a.find(s, o.ID)
			assert.Equal(t, ledger.StatusPending, o.Status)
			assert.True(t, o.Disputed)
			assert.Equal(t, []string{"payment.disputed peaks"}, a.heard())
		})
	}
}

func TestAnEmptyCurrencyContradictsNothing(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	_, err := s.Receive(t.Context(), notification(o, func(n *qfpay.Notification) { n.Currency = "" }))
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status)
}

func TestOneOfManyClaimsAnOrder(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	id := a.newID()
	claims := make(chan bool, 32)
	var together sync.WaitGroup
	for range cap(claims) {
		together.Go(func() {
			_, claimed, err := s.Claim(t.Context(), ledger.Order{ID: id, Intent: a.intent(), Expires: noon.Add(time.Hour)})
			assert.NoError(t, err)
			claims <- claimed
		})
	}
	together.Wait()
	close(claims)
	won := 0
	for claimed := range claims {
		if claimed {
			won++
		}
	}
	assert.Equal(t, 1, won)
}

func TestAnOrderWhoseNumberIsTakenAtTheGatewayIsNeverPaidByIt(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.claim(s)
	_, err := a.ask(s, o) // as another shop with this account may have done
	require.NoError(t, err)
	_, err = a.ask(s, o)
	failure, ok := errors.AsType[*qfpay.Error](err)
	require.True(t, ok)
	require.True(t, failure.Duplicate())
	require.NoError(t, s.Refused(t.Context(), o.ID, failure))
	require.NoError(t, a.gateway.Pay(o.ID))
	a.pass(time.Minute)
	looked, err := s.LookUp(t.Context(), o.ID)
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusFailed, looked.Status)
	_, err = s.Receive(t.Context(), notification(o, nil))
	require.NoError(t, err)
	looked = a.find(s, o.ID)
	assert.Equal(t, ledger.StatusFailed, looked.Status)
	assert.True(t, looked.Disputed, "the shop is told that somebody paid under its number")
	assert.Equal(t, []string{"order.closed peaks", "payment.disputed peaks"}, a.heard())
}

func TestShopsOfOneAccountHearOfTheirOwnOrdersOnly(t *testing.T) {
	a := openAccount(t)
	peaks, shores := a.openShop("peaks"), a.openShop("shores")
	o := a.prepare(peaks)
	_, err := shores.Find(t.Context(), o.ID)
	assert.ErrorIs(t, err, ledger.ErrUnknown)
	_, err = shores.Receive(t.Context(), notification(o, nil)) // the account's one notification address
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPaid, a.find(peaks, o.ID).Status)
	assert.Equal(t, []string{"order.paid hook-of-peaks"}, a.outbox(o.ID))
	assert.Equal(t, []string{"order.paid peaks"}, a.heard())
}

func TestAPaymentOfNoOrderIsKeptOnce(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	for range 2 {
		_, err := s.Receive(t.Context(), qfpay.Notification{NotifyType: "payment", Status: "1", OutTradeNo: "X1", Syssn: "2026112300000001", Amount: 1, Currency: "HKD"})
		require.NoError(t, err)
	}
	orphans, err := ledger.View(t.Context(), a.ledger, func(tx *ledger.Tx) ([]ledger.Orphan, error) { return tx.Orphans([]string{"peaks"}, 10) })
	require.NoError(t, err)
	require.Len(t, orphans, 1)
	assert.Equal(t, []string{"payment.orphaned peaks"}, a.heard())
	assert.Equal(t, []string{"payment.orphaned hook-of-peaks"}, a.outbox("orphan_2026112300000001"))
}

func TestTwoOrdersNeverShareOnePayment(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	first := a.pay(s)
	second := a.prepare(s)
	_, err := s.Receive(t.Context(), notification(second, func(n *qfpay.Notification) { n.Syssn = first.Syssn }))
	require.NoError(t, err)
	second = a.find(s, second.ID)
	assert.Equal(t, ledger.StatusPending, second.Status)
	assert.True(t, second.Disputed)
}

func TestASecondPaymentOfAPaidOrderIsADispute(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	_, err := s.Receive(t.Context(), notification(o, func(n *qfpay.Notification) { n.Syssn = "2026112399999999" }))
	require.NoError(t, err)
	assert.True(t, a.find(s, o.ID).Disputed)
}

func TestAGatewayThatRepeatsItsNumbersDoesNotMixOrdersUp(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	first := a.pay(s)
	second := a.claim(s)
	prepared, err := s.Prepare(t.Context(), second.ID, orders.Prepared{Syssn: first.Syssn, PayURL: "https://pay.example/"})
	require.NoError(t, err)
	assert.True(t, prepared.IsPrepared())
	assert.Empty(t, prepared.Syssn, "it is followed by our number alone")
	assert.True(t, prepared.Disputed)
	_, err = s.Receive(t.Context(), qfpay.Notification{NotifyType: "refund", OutTradeNo: "R1", OrigOutTradeNo: first.ID, Syssn: "R77", Amount: 800, Currency: "HKD"})
	require.NoError(t, err)
	_, err = s.Receive(t.Context(), qfpay.Notification{NotifyType: "refund", OutTradeNo: "R2", OrigOutTradeNo: second.ID, Syssn: "R77", Amount: 800, Currency: "HKD"})
	require.NoError(t, err)
	assert.Len(t, a.refunds(first.ID), 1)
	assert.Empty(t, a.refunds(second.ID), "one refund is one order's")
}

func TestAnOrderThatNobodyPaysIsClosed(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	a.reconcile(14 * time.Minute)
	assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status)
	assert.Equal(t, 7, a.gateway.Calls("query"), "after 5 s, 15 s, 30 s, 1 min, 2 min, and then every 5 min")
	a.reconcile(2 * time.Minute)
	assert.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
	assert.Equal(t, []string{"order.closed peaks"}, a.heard())
}

func TestAClaimedOrderWhoseNodeDiedIsClosedWhenItsCallMustHaveEnded(t *testing.T) {
	for name, known := range map[string]bool{"unknown to the gateway": false, "known to it": true} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			o := a.claim(s)
			if known {
				_, err := a.ask(s, o)
				require.NoError(t, err)
			}
			a.reconcile(11 * time.Second)
			assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status, "the call may be under way")
			assert.Zero(t, a.gateway.Calls("query"))
			a.reconcile(2 * time.Second)
			assert.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
		})
	}
}

func TestAPaymentThatComesAfterTheEndIsLate(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	a.reconcile(20 * time.Minute)
	require.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
	_, err := s.Receive(t.Context(), notification(o, nil))
	require.NoError(t, err)
	o = a.find(s, o.ID)
	assert.Equal(t, ledger.StatusPaid, o.Status)
	assert.True(t, o.Late)
	assert.Equal(t, []string{"order.closed peaks", "order.paid peaks"}, a.heard())
}

func TestTheShopIsToldWhetherAPaymentWasLate(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	inTime := a.pay(s)
	assert.Equal(t, false, a.told(inTime.ID, "order.paid")["late"])

	late := a.prepare(s)
	a.reconcile(20 * time.Minute)
	_, err := s.Receive(t.Context(), notification(late, nil))
	require.NoError(t, err)
	assert.Equal(t, true, a.told(late.ID, "order.paid")["late"])
	assert.NotContains(t, a.told(late.ID, "order.closed"), "late", "it was not paid then")
}

func TestAGatewayThatWillNotCloseIsAskedForADay(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	a.gateway.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1145", Times: 1 << 20})
	a.reconcile(24 * time.Hour)
	assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status)
	a.reconcile(3 * time.Hour)
	assert.Equal(t, ledger.StatusClosed, a.find(s, o.ID).Status)
	assert.Less(t, a.gateway.Calls("close"), 60, "at growing intervals")
}

func TestACloseIsNeverAskedForBeforeAnEnquiry(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	_, err := s.Close(t.Context(), o.ID)
	refusal, ok := errors.AsType[*orders.Refusal](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, orders.Conflict, refusal.Kind)
	assert.Zero(t, a.gateway.Calls("close"), "it might revoke the payment")
	assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status)
}

func TestTheGatewayIsAskedAtMostEveryTwoSeconds(t *testing.T) {
	a := openAccount(t)
	peaks := a.openShop("peaks")
	o := a.prepare(peaks)
	again := orders.NewShops() // another node
	here := a.shops
	a.shops = again
	other := a.openShop("peaks")
	a.shops = here
	for range 10 {
		for _, s := range []*orders.Service{peaks, other} {
			s.Refresh(t.Context(), a.find(s, o.ID))
			_, err := s.LookUp(t.Context(), o.ID)
			require.NoError(t, err)
		}
	}
	assert.Equal(t, 1, a.gateway.Calls("query"))
	a.pass(2 * time.Second)
	peaks.Refresh(t.Context(), a.find(peaks, o.ID))
	assert.Equal(t, 2, a.gateway.Calls("query"))
}

func TestAClockThatWasWrongDelaysNobodyForLong(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.pass(100 * time.Hour)
	o := a.prepare(s)
	s.Refresh(t.Context(), a.find(s, o.ID))
	a.pass(-100 * time.Hour)
	require.NoError(t, a.gateway.Pay(o.ID))
	a.reconcile(time.Second)
	assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status)
}

func TestAnInvoiceIsPaidAsOftenAsItSays(t *testing.T) {
	a := openAccount(t)
	peaks, shores := a.openShop("peaks"), a.openShop("shores")
	claim := func(s *orders.Service) (ledger.Order, error) {
		intent := a.intent()
		intent.Invoice = &ledger.Invoice{ID: "1001", Uses: 2, Token: "t"}
		o, _, err := s.Claim(t.Context(), ledger.Order{ID: a.newID(), Intent: intent, Expires: noon.Add(time.Hour)})
		return o, err
	}
	var mu sync.Mutex
	claimed, refused := 0, 0
	var together sync.WaitGroup
	for range 16 {
		together.Go(func() {
			_, err := claim(peaks)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				claimed++
			case assert.ErrorIs(t, err, orders.ErrInvoiceTaken):
				refused++
			}
		})
	}
	together.Wait()
	assert.Equal(t, 2, claimed)
	assert.Equal(t, 14, refused)
	_, err := claim(shores)
	assert.NoError(t, err, "another shop's invoice of the same name is another invoice")
}

func TestARefundIsMadeOnceAndTold(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	var together sync.WaitGroup
	for range 8 {
		together.Go(func() {
			_, err := s.Refund(t.Context(), o.ID, "r1", 2800)
			assert.NoError(t, err)
		})
	}
	together.Wait()
	assert.Equal(t, 1, a.gateway.Calls("refund"))
	o = a.find(s, o.ID)
	assert.Equal(t, ledger.StatusPartiallyRefunded, o.Status)
	assert.EqualValues(t, 2800, o.Refunded)
	rest, err := s.Refund(t.Context(), o.ID, "r2", 0)
	require.NoError(t, err)
	assert.EqualValues(t, 10000, rest.Amount)
	o = a.find(s, o.ID)
	assert.Equal(t, ledger.StatusRefunded, o.Status)
	assert.Equal(t, []string{"order.paid peaks", "order.refunded peaks", "order.refunded peaks"}, a.heard())
	assert.Zero(t, o.CheckAt)
}

func TestRefundsAreAtTheGatewayOneAtATimeAndNeverMoreThanWasPaid(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropAfter, Times: 1})
	first, err := s.Refund(t.Context(), o.ID, "r1", 5000)
	require.NoError(t, err)
	assert.Equal(t, ledger.RefundSent, first.Status, "nobody knows")
	second, err := s.Refund(t.Context(), o.ID, "r2", 5000)
	require.NoError(t, err)
	assert.Equal(t, ledger.RefundWaiting, second.Status)
	_, err = s.Refund(t.Context(), o.ID, "r3", 5000)
	assert.ErrorContains(t, err, "at most HKD 28.00 is left")
	assert.Equal(t, 1, a.gateway.Calls("refund"))
	a.reconcile(time.Minute)
	assert.Equal(t, 2, a.gateway.Calls("refund"))
	refunds := a.refunds(o.ID)
	assert.EqualValues(t, 10000, refunds.Done())
	assert.Empty(t, refunds.Open())
}

func TestManyRefundsAtOnceNeverExceedWhatWasPaid(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	var together sync.WaitGroup
	for i := range 50 {
		together.Go(func() { _, _ = s.Refund(context.Background(), o.ID, fmt.Sprint("r", i), 1000) })
	}
	together.Wait()
	a.reconcile(time.Hour)
	trade, _ := a.gateway.Trade(o.ID)
	assert.EqualValues(t, 12000, trade.Refunded)
	assert.EqualValues(t, 12000, a.find(s, o.ID).Refunded)
}

func TestARefusedRefundFreesItsAmount(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.Respcd, Respcd: "1269", Times: 1})
	refused, err := s.Refund(t.Context(), o.ID, "r1", 0)
	require.NoError(t, err)
	assert.Equal(t, ledger.RefundRefused, refused.Status)
	assert.EqualValues(t, 12800, a.refunds(o.ID).Left(a.find(s, o.ID)))
	assert.Zero(t, a.find(s, o.ID).CheckAt)
}

func TestARefundThatNeverReachedTheGatewayIsOverAfterAnHour(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropBefore, Times: 1})
	_, err := s.Refund(t.Context(), o.ID, "r1", 0)
	require.NoError(t, err)
	a.reconcile(59 * time.Minute)
	assert.Len(t, a.refunds(o.ID).Open(), 1)
	a.reconcile(10 * time.Minute)
	assert.Empty(t, a.refunds(o.ID).Open())
	assert.Equal(t, 1, a.gateway.Calls("refund"), "never sent again")
}

func TestWhatAnEnquirySaysOfRefundsIsToldLikeARefund(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	_, err := s.Receive(t.Context(), qfpay.Notification{NotifyType: "refund", OutTradeNo: "PORTAL1", OrigOutTradeNo: o.ID, Syssn: "S1", Amount: 800, Currency: "HKD"})
	require.NoError(t, err)
	for range 2 { // by another syssn, as an enquiry may have it
		_, err = s.Receive(t.Context(), qfpay.Notification{NotifyType: "cancel", OutTradeNo: "PORTAL1", OrigSyssn: o.Syssn, Syssn: "S1", Amount: 800, Currency: "HKD"})
		require.NoError(t, err)
	}
	assert.EqualValues(t, 800, a.find(s, o.ID).Refunded, "one refund, however often it is reported")
	assert.Equal(t, []string{"order.paid hook-of-peaks", "order.refunded hook-of-peaks"}, a.outbox(o.ID))
}

func TestTheReconcilerLeavesOrdersOfUnknownShopsAlone(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	a.shops = orders.NewShops()
	kept := a.openShop("shores")
	other := a.prepare(kept)
	a.strange = []string{"peaks"}
	a.reconcile(20 * time.Minute)
	assert.Equal(t, ledger.StatusClosed, a.find(kept, other.ID).Status)
	assert.Equal(t, ledger.StatusPending, a.find(s, o.ID).Status)
	assert.NotZero(t, a.log.FilterMessageSnippet("that no block of this configuration names").Len())
}

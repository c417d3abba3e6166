package qfpayjsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// sold is an order of HKD 128.00 that is paid, and known to be.
func (o *office) sold(t *testing.T) (order string) {
	t.Helper()
	order = o.prepare(t, "/pay/cat-food")
	require.NoError(t, o.simulator.Pay(order))
	o.work(t, 5*time.Second)
	require.Equal(t, ledger.StatusPaid, o.status(t, order))
	return order
}

// refunded is what the gateway has given back of an order.
func (o *office) refunded(t *testing.T, order string) int64 {
	t.Helper()
	trade, found := o.simulator.Trade(order)
	require.True(t, found)
	return trade.Refunded
}

func (o *office) refund(t *testing.T, order, id string, amount int64) ledger.Refunding {
	t.Helper()
	refunding, err := o.giveBack(t.Context(), order, id, amount)
	require.NoError(t, err)
	return refunding
}

func (o *office) refunding(t *testing.T, order, id string) ledger.Refunding {
	t.Helper()
	refunds, err := o.refunds(t.Context(), order)
	require.NoError(t, err)
	refunding, ok := refunds.Of(id)
	require.True(t, ok)
	return refunding
}

func TestAnOrderIsRefundedInTwoPartsAndTheShopIsTold(t *testing.T) {
	program := startShopProgram(t)
	o := openOffice(t, withWebhook(program))
	order := o.sold(t)

	first := o.refund(t, order, "broken-bag", 2800)
	require.NotNil(t, first.Done)
	assert.Equal(t, ledger.StatusPartiallyRefunded, o.status(t, order))
	rest := o.refund(t, order, "all-of-it", 0)
	require.NotNil(t, rest.Done)
	assert.EqualValues(t, 10000, rest.Asked.Amount, "without an amount, all that is left")
	assert.Equal(t, ledger.StatusRefunded, o.status(t, order))
	assert.EqualValues(t, 12800, o.refunded(t, order))

	o.work(t, time.Minute)
	assert.Equal(t, []string{"order.paid", "order.refunded", "order.refunded"}, program.types())
	told := map[any]any{}
	for _, message := range program.received[1:] {
		refund := message["data"].(map[string]any)["refund"].(map[string]any)
		told[refund["refund_id"]] = refund["amount"]
	}
	assert.Equal(t, map[any]any{"broken-bag": 2800.0, "all-of-it": 10000.0}, told)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestTheSameRefundIsMadeOnce(t *testing.T) {
	o := openOffice(t, nil)
	order := o.sold(t)
	first := o.refund(t, order, "r1", 2800)
	assert.Equal(t, first, o.refund(t, order, "r1", 2800))
	assert.Equal(t, first, o.refund(t, order, "r1", 0))
	assert.Equal(t, 1, o.simulator.Calls("refund"))
	_, err := o.giveBack(t.Context(), order, "r1", 2801)
	assert.EqualError(t, err, "the refund r1 exists already, over HKD 28.00: choose another refund_id for another refund")
	assert.EqualValues(t, 2800, o.refunded(t, order))
}

func TestWhatCannotBeRefundedIsSaid(t *testing.T) {
	o := openOffice(t, nil)
	unpaid := o.prepare(t, "/pay/cat-food?ref=unpaid")
	order := o.sold(t)
	o.refund(t, order, "r1", 2800)
	for _, test := range []struct {
		order, id string
		amount    int64
		want      string
	}{
		{order, "", 1, "refund_id is required: 1 to 64 of"},
		{order, "a b", 1, "refund_id is required: 1 to 64 of"},
		{order, strings.Repeat("x", 65), 1, "refund_id is required: 1 to 64 of"},
		{order, "r2", -1, "the amount of a refund is positive"},
		{order, "r2", 10001, "at most HKD 100.00 is left to refund of this order"},
		{unpaid, "r2", 1, "the order is pending and not paid: there is nothing to refund"},
		{checkout.NewOrder(o.now()), "r2", 1, "unknown order"},
	} {
		_, err := o.giveBack(t.Context(), test.order, test.id, test.amount)
		assert.ErrorContains(t, err, test.want)
	}
	o.refund(t, order, "r2", 0)
	_, err := o.giveBack(t.Context(), order, "r3", 0)
	assert.EqualError(t, err, "nothing is left to refund of this order")
	assert.Equal(t, 2, o.simulator.Calls("refund"))
}

func TestARefundThatTheGatewayRefusesLeavesTheMoneyToAnother(t *testing.T) {
	for respcd, words := range map[string]string{"1265": "refund refused", "1269": "refund refused", "1108": "bad signature or key"} {
		o := openOffice(t, nil)
		order := o.sold(t)
		o.simulator.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.Respcd, Respcd: respcd})
		no := o.refund(t, order, "r1", 0)
		require.NotNil(t, no.Refused)
		assert.Equal(t, respcd, no.Refused.Respcd)
		assert.Contains(t, no.Refused.Message, words)
		assert.Equal(t, no, o.refund(t, order, "r1", 0), "asked again, it is not sent again")
		assert.Equal(t, ledger.StatusPaid, o.status(t, order))
		assert.NotNil(t, o.refund(t, order, "r2", 0).Done)
		assert.EqualValues(t, 12800, o.refunded(t, order))
	}
}

func TestARefundOfUnknownOutcomeIsAskedAboutAndNeverSentAgain(t *testing.T) {
	for name, fault := range map[string]qfpaytest.Fault{
		"the reply is lost":    {Kind: qfpaytest.DropAfter},
		"half a reply":         {Kind: qfpaytest.Truncated},
		"still processing":     {Kind: qfpaytest.RespcdAfter, Respcd: "1145"},
		"not found in the old": {Kind: qfpaytest.RespcdAfter, Respcd: "1143"},
		"a duplicate, it says": {Kind: qfpaytest.RespcdAfter, Respcd: "1251"},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, nil)
			order := o.sold(t)
			fault.Call = "refund"
			o.simulator.Inject(fault)
			assert.True(t, o.refund(t, order, "r1", 2800).Open())
			_, err := o.giveBack(t.Context(), order, "r2", 10001)
			assert.EqualError(t, err, "at most HKD 100.00 is left to refund of this order; 1 more refunds are on their way")
			o.work(t, 5*time.Second)
			assert.NotNil(t, o.refunding(t, order, "r1").Done)
			assert.Equal(t, ledger.StatusPartiallyRefunded, o.status(t, order))
			assert.Equal(t, 1, o.simulator.Calls("refund"))
			assert.EqualValues(t, 2800, o.refunded(t, order))
		})
	}
}

func TestANotificationThatLeavesTheAmountOutTakesNothingBack(t *testing.T) {
	for name, fault := range map[string]qfpaytest.Fault{
		"after the reply":         {Kind: qfpaytest.Delay},
		"while the reply is lost": {Kind: qfpaytest.DropAfter},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, nil)
			order := o.sold(t)
			fault.Call = "refund"
			o.simulator.Inject(fault)
			number := o.refund(t, order, "r1", 2800).Asked.Number
			trade, _ := o.simulator.Trade(number)
			for _, amount := range []int64{0, -2800} {
				require.NoError(t, o.books.receive(t.Context(), qfpay.Notification{
					NotifyType: "refund", Syssn: trade.Syssn, OutTradeNo: number, OrigOutTradeNo: order, Amount: amount,
				}))
				refunds, err := o.refunds(t.Context(), order)
				require.NoError(t, err)
				assert.EqualValues(t, 2800, refunds.Given())
				_, err = o.giveBack(t.Context(), order, "r2", 10001)
				assert.EqualError(t, err, "at most HKD 100.00 is left to refund of this order")
			}
		})
	}
}

func TestARefundWhoseOwnerHangsUpIsMade(t *testing.T) {
	o, trouble := troubledOffice(t, nil)
	order := o.sold(t)
	ctx, hangUp := context.WithCancel(t.Context())
	trouble.with(func(_ context.Context, operation, key string) error {
		if operation == "Store" && strings.Contains(key, "/refunding-") {
			hangUp()
		}
		return nil
	})
	_, err := o.giveBack(ctx, order, "r1", 0)
	require.NoError(t, err)
	require.Error(t, ctx.Err())
	assert.NotNil(t, o.refund(t, order, "r1", 0).Done, "asked again, it is done")
	assert.EqualValues(t, 12800, o.refunded(t, order))
}

func TestTheShopIsToldThatAllWentBackAlthoughARefundIsNotKnown(t *testing.T) {
	program := startShopProgram(t)
	o := openOffice(t, withWebhook(program))
	order := o.sold(t)
	o.refund(t, order, "r1", 800)
	found, err := o.ledger.Find(t.Context(), order)
	require.NoError(t, err)
	_, err = o.settle(t.Context(), found, newsOfTrade(qfpay.Trade{ // the rest, in the merchant's portal
		Syssn: found.Paid.Syssn, OutTradeNo: order, OrderType: "payment", Respcd: "0000", Cancel: "3", Amount: 12800, Currency: "HKD",
	}))
	require.NoError(t, err)
	o.work(t, time.Minute)
	assert.Equal(t, ledger.StatusRefunded, o.status(t, order))
	assert.Equal(t, []string{"order.paid", "order.refunded", "order.refunded"}, program.types())
	assert.NotContains(t, program.received[2]["data"], "refund")
}

func TestARefundThatNeverReachedTheGatewayIsOverAfterAnHour(t *testing.T) {
	o := openOffice(t, nil)
	order := o.sold(t)
	o.simulator.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropBefore})
	assert.True(t, o.refund(t, order, "r1", 0).Open())
	o.work(t, 59*time.Minute)
	assert.True(t, o.refunding(t, order, "r1").Open())
	_, err := o.giveBack(t.Context(), order, "r2", 0)
	assert.ErrorContains(t, err, "nothing is left to refund of this order; 1 more refunds are on their way")
	o.work(t, 10*time.Minute)
	assert.Equal(t, "it never reached the gateway", o.refunding(t, order, "r1").Refused.Message)
	assert.Equal(t, 1, o.simulator.Calls("refund"))
	assert.NotNil(t, o.refund(t, order, "r2", 0).Done)
}

func TestARefundThatTakesItsTimeIsFollowedToItsEnd(t *testing.T) {
	for name, end := range map[string]struct {
		press func(*office, string) error
		want  ledger.Status
	}{
		"done":    {func(o *office, number string) error { return o.simulator.Pay(number) }, ledger.StatusRefunded},
		"refused": {func(o *office, number string) error { return o.simulator.Fail(number) }, ledger.StatusPaid},
	} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, nil)
			order := o.sold(t)
			o.simulator.SetSlowRefunds(true)
			asked := o.refund(t, order, "r1", 0)
			known, err := o.ledger.Find(t.Context(), order)
			require.NoError(t, err)
			_, err = o.ask(t.Context(), known)
			require.NoError(t, err)
			assert.Equal(t, ledger.StatusPaid, o.status(t, order), "though the gateway counts it among those that went back")
			o.work(t, 26*time.Hour)
			assert.True(t, o.refunding(t, order, "r1").Open(), "known to the gateway, it is asked about for as long as it takes")
			assert.Less(t, o.simulator.Calls("query"), 40)
			require.NoError(t, end.press(o, asked.Asked.Number))
			o.work(t, 3*time.Hour)
			assert.False(t, o.refunding(t, order, "r1").Open())
			assert.Equal(t, end.want, o.status(t, order))
			open, err := o.ledger.Open(t.Context())
			require.NoError(t, err)
			assert.Empty(t, open)
		})
	}
}

func TestANotificationOfOurRefundNamesTheOrderByTheNumberAlone(t *testing.T) {
	o := openOffice(t, nil)
	order := o.sold(t)
	o.simulator.SetSlowRefunds(true)
	number := o.refund(t, order, "r1", 0).Asked.Number
	assert.Len(t, number, 32)
	assert.Equal(t, order, refundedOrder(number))
	o.work(t, time.Second)
	require.NoError(t, o.simulator.Pay(number))
	trade, _ := o.simulator.Trade(number)
	require.NoError(t, o.books.receive(t.Context(), qfpay.Notification{
		NotifyType: "refund", Status: "1", Syssn: trade.Syssn, OutTradeNo: number, Amount: 12800, Currency: "HKD",
	}))
	assert.Equal(t, "notification", o.refunding(t, order, "r1").Done.Source)
	assert.Equal(t, ledger.StatusRefunded, o.status(t, order))
}

func TestARefundAskedForByANodeThatDiedIsFollowedByAnother(t *testing.T) {
	o := openOffice(t, nil)
	order := o.sold(t)
	o.simulator.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropAfter})
	o.refund(t, order, "r1", 2800)
	o.due = newAgenda()
	o.clerk = &clerk{books: o.books, logger: o.logger}
	o.work(t, time.Minute)
	assert.NotNil(t, o.refunding(t, order, "r1").Done)
}

// The node came to the first of two writes, of an order that had long left the
// index.
func TestARefundOfANodeThatDiedWhileReservingItIsFollowed(t *testing.T) {
	o := openOffice(t, nil)
	order := o.sold(t)
	asked := ledger.RefundAsked{At: o.now(), RefundID: "r1", Number: refundNumber(order, "r1"), Amount: 2800}
	require.NoError(t, o.ledger.Announce(t.Context(), order, asked))
	o.work(t, time.Minute)
	require.True(t, o.refunding(t, order, "r1").Open(), "it may have been sent")
	o.work(t, 2*time.Hour)
	assert.NotNil(t, o.refunding(t, order, "r1").Refused, "it never reached the gateway")
	assert.Zero(t, o.refunded(t, order))
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestARefundWhoseNodeDiedAfterStoringItShowsInTheOrdersStatus(t *testing.T) {
	for amount, want := range map[int64]ledger.Status{800: ledger.StatusPartiallyRefunded, 12800: ledger.StatusRefunded} {
		o := openOffice(t, nil)
		order := o.sold(t)
		require.NoError(t, o.ledger.Reopen(t.Context(), order))
		require.NoError(t, o.ledger.Record(t.Context(), order, ledger.Refund{At: o.now(), Syssn: "r1", Number: "n1", Amount: amount}))
		require.Equal(t, ledger.StatusPaid, o.status(t, order))
		o.work(t, time.Minute)
		assert.Equal(t, want, o.status(t, order))
		open, err := o.ledger.Open(t.Context())
		require.NoError(t, err)
		assert.Empty(t, open)
	}
}

// unlocked is storage whose locks keep nobody out, as when they slip.
type unlocked struct{ certmagic.Storage }

func (unlocked) Lock(context.Context, string) error   { return nil }
func (unlocked) Unlock(context.Context, string) error { return nil }

func TestTwoHundredRefundsAtOnceOverTwoNodesNeverExceedWhatWasPaid(t *testing.T) {
	for name, locks := range map[string]bool{"with locks": true, "with locks that slip": false} {
		t.Run(name, func(t *testing.T) {
			one, two := twoNodes(t)
			if !locks {
				slipping := ledger.New(unlocked{&certmagic.FileStorage{Path: t.TempDir()}}, "slipping")
				one.books.ledger, two.books.ledger = slipping, slipping
			}
			callback := one.authorize(t, "/pay/cat-food")
			require.Equal(t, http.StatusFound, one.visit(t, callback).StatusCode)
			order := orderIn(callback)
			require.NoError(t, one.simulator.Pay(order))
			paid, err := one.ledger.Find(t.Context(), order)
			require.NoError(t, err)
			require.NotNil(t, one.enquire(t.Context(), paid).Paid)
			var all sync.WaitGroup
			for i := range 200 {
				node := one.books
				if i%2 == 1 {
					node = two.books
				}
				all.Go(func() {
					no := denial{status: http.StatusServiceUnavailable}
					for tries := 0; tries < 10 && no.status == http.StatusServiceUnavailable; tries++ {
						no = denial{}
						if _, err := node.giveBack(context.Background(), order, fmt.Sprintf("r%d", i), 300); err != nil && !errors.As(err, &no) {
							t.Errorf("refund %d: %v", i, err)
						}
					}
				})
			}
			all.Wait()
			refunds, err := one.books.refunds(t.Context(), order)
			require.NoError(t, err)
			trade, _ := one.simulator.Trade(order)
			assert.LessOrEqual(t, trade.Refunded, int64(12800))
			assert.Equal(t, trade.Refunded, refunds.Given(), "the ledger agrees with the gateway")
			assert.LessOrEqual(t, one.simulator.Calls("refund"), 42, "no more was asked of the gateway than fits")
			if locks {
				assert.EqualValues(t, 12600, refunds.Given(), "and as many as fit were made")
			}
		})
	}
}

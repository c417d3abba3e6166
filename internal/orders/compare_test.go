package orders_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// compare compares some days, and nothing keeps it from being complete.
func (a *account) compare(first, last time.Time) orders.Comparison {
	a.t.Helper()
	made, err := a.shops.Compare(a.t.Context(), []string{"peaks", "shores"}, ledger.Period{First: ledger.DayOf(first), Last: ledger.DayOf(last)})
	require.NoError(a.t, err)
	require.Empty(a.t, made.Problem)
	return made
}

// compareToday compares the day of the test's clock.
func (a *account) compareToday() orders.Comparison {
	a.t.Helper()
	return a.compare(a.clock(), a.clock())
}

// differences are the findings in a line each: kind, order or number, there, here.
func differences(made orders.Comparison) (lines []string) {
	for _, found := range made.Findings {
		about := found.Order
		if about == "" {
			about = found.OutTradeNo
		}
		lines = append(lines, fmt.Sprintf("%s %s %d %d", found.Kind, about, found.There, found.Here))
	}
	return lines
}

func difference(kind orders.FindingKind, about string, there, here int64) string {
	return fmt.Sprintf("%s %s %d %d", kind, about, there, here)
}

func TestNothingDiffersWhereTheGatewayAndTheLedgerSayTheSame(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.pay(s)
	refunded := a.pay(s)
	_, err := s.Refund(t.Context(), refunded.ID, "broken-bag", 800)
	require.NoError(t, err)
	whole := a.pay(s)
	_, err = s.Refund(t.Context(), whole.ID, "all", 0)
	require.NoError(t, err)
	a.prepare(s) // which nobody pays
	before := len(a.changes)
	made := a.compareToday()
	assert.Empty(t, differences(made))
	assert.Equal(t, [2]int{5, 5}, [2]int{made.Trades, made.Here})
	assert.Len(t, a.changes, before, "and nothing happens")
}

func TestAPaymentThatIsNotKnownHereIsSettled(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	made := a.compareToday()
	assert.Equal(t, []string{difference(orders.PaidThere, o.ID, 12800, 0)}, differences(made))
	assert.Equal(t, "peaks", made.Findings[0].Shop)
	assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status)
	assert.Equal(t, []string{"order.paid hook-of-peaks"}, a.outbox(o.ID))
	assert.Empty(t, differences(a.compareToday()), "then they say the same")
	assert.Equal(t, []string{"order.paid peaks"}, a.heard())
}

func TestAPaymentOfAnOrderThatWasClosedHereIsSettledAsLate(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.SetListed(o.ID, false))
	a.gateway.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1136"})
	a.pass(time.Minute)
	_, err := s.Close(t.Context(), o.ID)
	require.NoError(t, err)
	require.NoError(t, a.gateway.SetListed(o.ID, true))
	require.NoError(t, a.gateway.Pay(o.ID))
	made := a.compareToday()
	assert.Equal(t, []string{difference(orders.PaidThere, o.ID, 12800, 0)}, differences(made))
	assert.Contains(t, made.Findings[0].Text, "deliver or refund it")
	known := a.find(s, o.ID)
	assert.Equal(t, ledger.StatusPaid, known.Status)
	assert.True(t, known.Late)
	assert.Equal(t, []string{"order.closed hook-of-peaks", "order.paid hook-of-peaks"}, a.outbox(o.ID))
}

func TestAPaymentOfNobodyHereIsAnOrphan(t *testing.T) {
	a := openAccount(t)
	a.openShop("peaks")
	require.NoError(t, a.gateway.PayElsewhere("TILL-1", 500, "HKD"))
	for range 2 {
		made := a.compareToday()
		assert.Equal(t, []string{difference(orders.UnknownThere, "TILL-1", 500, 0)}, differences(made), "as often as it is asked for")
	}
	assert.Equal(t, []string{"payment.orphaned peaks"}, a.heard(), "but it is told once")
	_, err := a.gateway.RefundElsewhere("TILL-1", 500)
	require.NoError(t, err)
	assert.Empty(t, differences(a.compareToday()), "all of it went back")
}

func TestAnotherAmountOrCurrencyIsADispute(t *testing.T) {
	for _, test := range []struct {
		amount   int64
		currency string
		text     string
	}{
		{1, "HKD", "a different amount than was ordered"},
		{12800, "CNY", "a payment in CNY, but the order is in HKD"},
	} {
		a := openAccount(t)
		s := a.openShop("peaks")
		o := a.claim(s)
		require.NoError(t, a.gateway.PayElsewhere(o.ID, test.amount, test.currency))
		for range 2 {
			made := a.compareToday()
			assert.Equal(t, []string{difference(orders.AmountDiffers, o.ID, test.amount, 12800)}, differences(made))
			assert.Contains(t, made.Findings[0].Text, test.text)
		}
		known := a.find(s, o.ID)
		assert.True(t, known.Disputed)
		assert.False(t, known.Status.Paid())
		assert.Equal(t, []string{"payment.disputed peaks"}, a.heard())
	}
}

// replaceGateway gives the account another gateway than the usual one.
func (a *account) replaceGateway(change func(*qfpaytest.Config)) {
	a.t.Helper()
	config := qfpaytest.Config{
		Strict: true, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, AnyPort: true, NotifyOff: true, Now: a.clock,
	}
	change(&config)
	var err error
	a.gateway, err = qfpaytest.New(config)
	require.NoError(a.t, err)
	a.t.Cleanup(func() { require.NoError(a.t, a.gateway.Close()) })
}

func TestAnEmptyCurrencyInTheListContradictsNothing(t *testing.T) {
	a := openAccount(t)
	a.replaceGateway(func(c *qfpaytest.Config) { c.EmptyCurrency = true })
	s := a.openShop("peaks")
	a.pay(s)
	unpaid := a.prepare(s)
	require.NoError(t, a.gateway.Pay(unpaid.ID))
	assert.Equal(t, []string{difference(orders.PaidThere, unpaid.ID, 12800, 0)}, differences(a.compareToday()))
	assert.Equal(t, ledger.StatusPaid, a.find(s, unpaid.ID).Status)
}

func TestWhatTheListDoesNotShowIsAskedAboutOneByOne(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	require.NoError(t, a.gateway.SetListed(o.ID, false))
	calls := a.gateway.Calls("query")
	made := a.compareToday()
	assert.Equal(t, calls+2, a.gateway.Calls("query"), "the list, and the payment")
	assert.Equal(t, []string{difference(orders.PaidHere, o.ID, 0, 12800)}, differences(made))
	assert.Contains(t, made.Findings[0].Text, "the gateway does not find it")
	assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status, "and nothing is changed by it")

	require.NoError(t, a.gateway.SetListed(o.ID, true))
	refund, err := s.Refund(t.Context(), o.ID, "all", 0)
	require.NoError(t, err)
	require.NoError(t, a.gateway.SetListed(refund.Number, false))
	made = a.compareToday()
	assert.Equal(t, []string{difference(orders.RefundHere, o.ID, 0, 12800)}, differences(made))
	assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
}

func TestWhatAnEnquiryFindsIsNoDifference(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.pass(time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC).Sub(a.clock()))
	last := a.clock()
	o := a.pay(s)
	_, err := s.Refund(t.Context(), o.ID, "broken-bag", 800)
	require.NoError(t, err)
	a.pass(24 * time.Hour) // in December
	calls := a.gateway.Calls("query")
	a.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.Respcd, Respcd: "1136"}) // an empty list
	made := a.compare(last, last)
	assert.Equal(t, calls+3, a.gateway.Calls("query"))
	assert.Empty(t, differences(made), "also of another month")
	assert.Equal(t, [2]int{0, 2}, [2]int{made.Trades, made.Here})
}

func TestARefundInThePortalIsNoted(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	part, whole := a.pay(s), a.pay(s)
	_, err := a.gateway.RefundElsewhere(part.ID, 800)
	require.NoError(t, err)
	_, err = a.gateway.RefundElsewhere(whole.ID, 12800)
	require.NoError(t, err)
	made := a.compareToday()
	assert.Equal(t, []string{difference(orders.RefundThere, part.ID, 800, 0), difference(orders.RefundThere, whole.ID, 12800, 0)}, differences(made))
	known := a.find(s, part.ID)
	assert.Equal(t, ledger.StatusPartiallyRefunded, known.Status)
	assert.EqualValues(t, 800, known.Refunded)
	assert.Equal(t, ledger.StatusRefunded, a.find(s, whole.ID).Status)
	assert.Equal(t, []string{"order.paid peaks", "order.paid peaks", "order.refunded peaks", "order.refunded peaks"}, a.heard(), "each of them once")
	assert.Empty(t, differences(a.compareToday()))
}

func TestARefundOnALaterDayIsKnownFromThePaymentsRow(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.pass(24 * time.Hour)
	_, err := a.gateway.RefundElsewhere(o.ID, 12800)
	require.NoError(t, err)
	made := a.compare(noon, noon)
	assert.Equal(t, []string{difference(orders.RefundThere, o.ID, 12800, 0)}, differences(made))
	assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
	assert.Equal(t, "comparison", a.happened(o.ID, "refunded")[0].Data["source"])
}

func TestARefundOfTheNextDayOfThePeriodIsFoundOnce(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.pass(24 * time.Hour)
	_, err := a.gateway.RefundElsewhere(o.ID, 800)
	require.NoError(t, err)
	made := a.compare(noon, a.clock())
	assert.Equal(t, []string{difference(orders.RefundThere, o.ID, 800, 0)}, differences(made))
	assert.EqualValues(t, 800, a.find(s, o.ID).Refunded)
	assert.Equal(t, []string{"order.paid peaks", "order.refunded peaks"}, a.heard())
}

func TestARefundWhoseReplyWasLostIsDone(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropAfter})
	refund, err := s.Refund(t.Context(), o.ID, "broken-bag", 800)
	require.NoError(t, err)
	require.Equal(t, ledger.RefundSent, refund.Status)
	made := a.compareToday()
	assert.Equal(t, []string{difference(orders.RefundThere, o.ID, 800, 0)}, differences(made))
	assert.Contains(t, made.Findings[0].Text, "which was sent here")
	known := a.find(s, o.ID)
	assert.EqualValues(t, 800, known.Refunded)
	assert.Equal(t, ledger.RefundDone, a.refunds(o.ID)[0].Status)
	assert.True(t, known.CheckAt.IsZero(), "and nobody asks any more")
}

func TestAStuckRefundIsNoDifferenceUntilItIsDone(t *testing.T) {
	for _, shown := range []bool{true, false} {
		a := openAccount(t)
		s := a.openShop("peaks")
		o := a.pay(s)
		a.gateway.SetSlowRefunds(true)
		a.gateway.SetRefundsShown(shown)
		refund, err := s.Refund(t.Context(), o.ID, "all", 0)
		require.NoError(t, err)
		require.Equal(t, ledger.RefundSent, refund.Status)
		a.pass(25 * time.Hour)
		assert.Empty(t, differences(a.compare(noon, a.clock())), "payment's row shows it: %v", shown)
		assert.Equal(t, ledger.RefundSent, a.refunds(o.ID)[0].Status)
		require.NoError(t, a.gateway.Pay(refund.Number))
		assert.Equal(t, []string{difference(orders.RefundThere, o.ID, 12800, 0)}, differences(a.compare(noon, a.clock())))
		assert.Equal(t, ledger.StatusRefunded, a.find(s, o.ID).Status)
	}
}

func TestARefundThatCountsAsRefusedHereAndIsDoneThereIsDone(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.pay(s)
	a.gateway.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.RespcdAfter, Respcd: "1269"})
	refund, err := s.Refund(t.Context(), o.ID, "broken-bag", 800)
	require.NoError(t, err)
	require.Equal(t, ledger.RefundRefused, refund.Status)
	assert.Equal(t, []string{difference(orders.RefundThere, o.ID, 800, 0)}, differences(a.compareToday()))
	assert.EqualValues(t, 800, a.find(s, o.ID).Refunded)
}

// buy pays for an order of a payer whom the ledger tells from others.
func (a *account) buy(s *orders.Service, payer string, change func(*ledger.Intent)) ledger.Order {
	a.t.Helper()
	intent := a.intent()
	if change != nil {
		change(&intent)
	}
	o, claimed, err := s.Claim(a.t.Context(), ledger.Order{ID: a.newID(), Payer: payer, Intent: intent, Expires: a.clock().Add(15 * time.Minute)})
	require.NoError(a.t, err)
	require.True(a.t, claimed)
	answer, err := a.ask(s, o)
	require.NoError(a.t, err)
	_, err = s.Prepare(a.t.Context(), o.ID, orders.Prepared{Syssn: answer.Syssn, PayURL: "https://pay.example/" + o.ID})
	require.NoError(a.t, err)
	require.NoError(a.t, a.gateway.Pay(o.ID))
	a.pass(5 * time.Second)
	o, err = s.LookUp(a.t.Context(), o.ID)
	require.NoError(a.t, err)
	return o
}

func TestThePayerWhoPaidTwiceIsPointedAt(t *testing.T) {
	for name, test := range map[string]struct {
		payer  string
		change func(*ledger.Intent)
		after  time.Duration
		twice  bool
	}{
		"within minutes":      {payer: "anna", after: 3 * time.Minute, twice: true},
		"hours later":         {payer: "anna", after: 3 * time.Hour},
		"another payer":       {payer: "ben", after: time.Minute},
		"nobody knows who":    {payer: "", after: time.Minute},
		"another amount":      {payer: "anna", after: time.Minute, change: func(i *ledger.Intent) { i.Amount = 500 }},
		"another thing":       {payer: "anna", after: time.Minute, change: func(i *ledger.Intent) { i.Lines[0].Item = "dog-food" }},
		"another description": {payer: "anna", after: time.Minute, change: func(i *ledger.Intent) { i.Description = "Invoice 8" }},
	} {
		t.Run(name, func(t *testing.T) {
			a := openAccount(t)
			s := a.openShop("peaks")
			payer := "anna"
			if test.payer == "" {
				payer = ""
			}
			first := a.buy(s, payer, nil)
			a.pass(test.after)
			second := a.buy(s, test.payer, test.change)
			made := a.compareToday()
			if !test.twice {
				assert.Empty(t, differences(made))
				return
			}
			require.Len(t, made.Findings, 1)
			found := made.Findings[0]
			assert.Equal(t, orders.PaidTwice, found.Kind)
			assert.ElementsMatch(t, []string{first.ID, second.ID}, []string{found.Order, found.Other})
			assert.EqualValues(t, 12800, found.Here)
			assert.Equal(t, ledger.StatusPaid, a.find(s, second.ID).Status, "it is pointed at, and left as it is")
			_, err := s.Refund(t.Context(), first.ID, "twice", 0)
			require.NoError(t, err)
			assert.Empty(t, differences(a.compareToday()), "until one of them went back")
		})
	}
}

func TestAPayerWhoPaidTwiceAroundMidnightIsPointedAtOnTheSecondDay(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.pass(11*time.Hour + 55*time.Minute)
	a.buy(s, "anna", nil)
	yesterday := a.clock()
	a.pass(10 * time.Minute)
	second := a.buy(s, "anna", nil)
	assert.Empty(t, differences(a.compare(yesterday, yesterday)))
	assert.Equal(t, []string{difference(orders.PaidTwice, second.ID, 12800, 12800)}, differences(a.compareToday()))
}

func TestALongListIsReadToItsEnd(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	for i := range 230 {
		require.NoError(t, a.gateway.PayElsewhere(fmt.Sprintf("TILL-%d", i), 100, "HKD"))
		a.pass(time.Second)
	}
	last := a.prepare(s)
	require.NoError(t, a.gateway.Pay(last.ID))
	calls := a.gateway.Calls("query")
	made := a.compareToday()
	assert.Equal(t, calls+4, a.gateway.Calls("query"), "until a page is empty")
	assert.Equal(t, 231, made.Trades)
	require.Equal(t, 231, made.Differences())
	assert.Contains(t, differences(made), difference(orders.PaidThere, last.ID, 12800, 0))
}

func TestMoreFindingsThanAreKeptAreCounted(t *testing.T) {
	a := openAccount(t)
	a.openShop("peaks")
	for i := range 1010 {
		require.NoError(t, a.gateway.PayElsewhere(fmt.Sprintf("TILL-%d", i), 100, "HKD"))
	}
	made := a.compareToday()
	assert.Len(t, made.Findings, 1000)
	assert.Equal(t, 1010, made.Differences())
}

func TestAPeriodOverTheEndOfAMonthIsCompared(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.pass(time.Date(2026, 11, 30, 15, 50, 0, 0, time.UTC).Sub(a.clock())) // 23:50 in Hong Kong
	first := a.clock()
	before, missing := a.pay(s), a.pay(s)
	late := a.prepare(s)
	a.pass(20 * time.Minute) // in December
	require.NoError(t, a.gateway.Pay(late.ID))
	_, err := a.gateway.RefundElsewhere(before.ID, 800)
	require.NoError(t, err)
	after := a.pay(s)
	require.NoError(t, a.gateway.SetListed(missing.ID, false))
	made := a.compare(first, a.clock())
	assert.ElementsMatch(t, []string{
		difference(orders.PaidThere, late.ID, 12800, 0), // of November's list
		difference(orders.RefundThere, before.ID, 800, 0),
		difference(orders.PaidHere, missing.ID, 0, 12800),
	}, differences(made))
	assert.Equal(t, ledger.StatusPaid, a.find(s, missing.ID).Status, "that another month shows nothing decides nothing")
	assert.Equal(t, ledger.StatusPaid, a.find(s, late.ID).Status)
	assert.Equal(t, ledger.StatusPaid, a.find(s, after.ID).Status)
	require.NoError(t, a.gateway.SetListed(missing.ID, true))
	assert.Empty(t, differences(a.compare(first, a.clock())))
}

func TestOrdersAreLookedUpInAllLedgersOfAnAccount(t *testing.T) {
	a := openAccount(t)
	peaks := a.openShop("peaks")
	first := a.ledger
	opened, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "other.db"), a.logger)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	a.ledger = opened
	shores := a.openShop("shores")
	paid := a.pay(shores)
	unpaid := a.prepare(shores)
	require.NoError(t, a.gateway.Pay(unpaid.ID))
	hidden := a.pay(shores)
	require.NoError(t, a.gateway.SetListed(hidden.ID, false))
	a.ledger = first
	a.pay(peaks)
	made := a.compareToday()
	assert.Equal(t, []string{
		difference(orders.PaidThere, unpaid.ID, 12800, 0), difference(orders.PaidHere, hidden.ID, 0, 12800),
	}, differences(made), "and each payment once: %s is none", paid.ID)
	assert.Equal(t, "shores", made.Findings[0].Shop)
	assert.Equal(t, 4, made.Here)
}

func TestAPaymentOfAShopThatNoBlockNamesIsPointedAtAndLeft(t *testing.T) {
	a := openAccount(t)
	shores := a.openShop("shores")
	o := a.prepare(shores)
	require.NoError(t, a.gateway.Pay(o.ID))
	a.shops = orders.NewShops() // the block is gone
	a.openShop("peaks")
	made := a.compareToday()
	assert.Equal(t, []string{difference(orders.PaidThere, o.ID, 12800, 0)}, differences(made))
	assert.Contains(t, made.Findings[0].Text, "no block of this configuration names the shop")
	assert.Equal(t, ledger.StatusPending, a.find(shores, o.ID).Status)
}

func TestAPageThatFailsIsAskedForAgain(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	a.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropAfter, Times: 2})
	assert.Equal(t, []string{difference(orders.PaidThere, o.ID, 12800, 0)}, differences(a.compareToday()))
}

func TestAComparisonThatStopsSaysWhyAndKeepsWhatItFound(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	first := a.clock()
	a.pass(24 * time.Hour)
	calls := a.gateway.Calls("query")
	a.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.Delay, Times: 2}) // the first day's list
	a.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropAfter, Times: 3})
	made, err := a.shops.Compare(t.Context(), []string{"peaks"}, ledger.Period{First: ledger.DayOf(first), Last: ledger.DayOf(a.clock())})
	require.NoError(t, err)
	assert.Equal(t, calls+5, a.gateway.Calls("query"))
	assert.Contains(t, made.Problem, "stopped on 2026-11-24")
	assert.Equal(t, []string{difference(orders.PaidThere, o.ID, 12800, 0)}, differences(made))
}

func TestPeriodsThatMakeNoSenseAreRefused(t *testing.T) {
	a := openAccount(t)
	a.openShop("peaks")
	day := func(days int) ledger.Day { return ledger.DayOf(noon.AddDate(0, 0, days)) }
	for name, test := range map[string]struct {
		shops  []string
		period ledger.Period
		text   string
	}{
		"a month and a day": {[]string{"peaks"}, ledger.Period{First: day(-31), Last: day(0)}, "at most 31 days"},
		"backwards":         {[]string{"peaks"}, ledger.Period{First: day(0), Last: day(-1)}, "before it begins"},
		"tomorrow":          {[]string{"peaks"}, ledger.Period{First: day(0), Last: day(1)}, "is in the future"},
		"no such shop":      {[]string{"another"}, ledger.Period{First: day(0), Last: day(0)}, "no such shop"},
	} {
		_, err := a.shops.Compare(t.Context(), test.shops, test.period)
		require.ErrorContains(t, err, test.text, name)
	}
	assert.Zero(t, a.gateway.Calls("query"), "and nobody is called")
	_, err := a.shops.Compare(t.Context(), []string{"peaks"}, ledger.Period{First: day(-30), Last: day(0)})
	require.NoError(t, err)
}

func TestAComparisonKeepsToItsShareOfTheRateLimit(t *testing.T) {
	a := openAccount(t)
	a.openShop("peaks")
	began := a.clock()
	a.compare(noon.AddDate(0, 0, -30), noon)
	require.Equal(t, 31, a.gateway.Calls("query"))
	assert.InDelta(t, 11.0/6, a.clock().Sub(began).Seconds(), 0.01, "20 at once, then 6 a second")
}

func TestAComparisonEndsWithItsContext(t *testing.T) {
	a := openAccount(t)
	a.openShop("peaks")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	made, err := a.shops.Compare(ctx, []string{"peaks"}, ledger.Period{First: ledger.DayOf(noon), Last: ledger.DayOf(noon)})
	require.NoError(t, err)
	assert.NotEmpty(t, made.Problem)
	assert.Zero(t, a.gateway.Calls("query"))
}

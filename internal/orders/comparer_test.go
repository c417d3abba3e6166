package orders_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// night is a node's comparer, and what it told.
type night struct {
	*orders.Comparer
	told []string // shop, day, trades and findings
}

func (a *account) comparer() *night {
	n := new(night)
	n.Comparer = &orders.Comparer{Ledger: a.ledger, Shops: a.shops, Log: a.logger, Now: a.clock, Compared: func(shop string, made orders.Comparison) {
		line := shop + " " + made.Last.String() + " " + strings.Join(differences(made), ", ")
		if made.Problem != "" {
			line += "(not complete)"
		}
		n.told = append(n.told, strings.TrimSpace(line))
	}}
	return n
}

// until moves the clock to a time of a day of the test's month, in Hong Kong.
func (a *account) until(day, hour, minute int) {
	a.t.Helper()
	at := time.Date(2026, 11, day, hour-8, minute, 0, 0, time.UTC)
	require.False(a.t, at.Before(a.clock()))
	a.pass(at.Sub(a.clock()))
}

func TestEveryNightTheDayBeforeIsCompared(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	n := a.comparer()
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	require.NoError(t, a.gateway.PayElsewhere("TILL-1", 500, "HKD"))
	a.until(24, 2, 59)
	n.Work(t.Context())
	assert.Empty(t, n.told, "the night has begun, and the day's list may still grow")
	a.until(24, 3, 0)
	n.Work(t.Context())
	n.Work(t.Context())
	require.Len(t, n.told, 1, "once")
	assert.True(t, strings.HasPrefix(n.told[0], "peaks 2026-11-23 "))
	assert.Contains(t, n.told[0], difference(orders.PaidThere, o.ID, 12800, 0))
	assert.Contains(t, n.told[0], difference(orders.UnknownThere, "TILL-1", 500, 0))
	assert.Equal(t, ledger.StatusPaid, a.find(s, o.ID).Status)
	assert.Equal(t, 2, a.log.FilterMessage("the gateway's list of trades and the ledger differ").Len())
	a.until(25, 3, 0)
	n.Work(t.Context())
	assert.Equal(t, "peaks 2026-11-24", n.told[1], "also where nothing differs")
}

func TestTheLogAsksForAPersonOnlyWhereOneIsNeeded(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	settled, missing := a.prepare(s), a.pay(s)
	require.NoError(t, a.gateway.Pay(settled.ID))
	require.NoError(t, a.gateway.SetListed(missing.ID, false))
	a.until(24, 3, 0)
	a.comparer().Work(t.Context())
	levels := map[string]string{}
	for _, entry := range a.log.FilterMessage("the gateway's list of trades and the ledger differ").All() {
		levels[entry.ContextMap()["order"].(string)] = entry.Level.String()
	}
	assert.Equal(t, map[string]string{settled.ID: "warn", missing.ID: "error"}, levels)
}

func TestALedgerThatHadNoOrderOfTheAccountCallsNobody(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	n := a.comparer()
	a.until(23, 23, 0)
	n.Work(t.Context())
	a.until(24, 3, 0)
	n.Work(t.Context())
	a.pay(s)
	calls := a.gateway.Calls("query")
	a.until(24, 12, 0)
	n.Work(t.Context())
	assert.Equal(t, calls, a.gateway.Calls("query"))
	assert.Empty(t, n.told)
	a.until(25, 3, 0)
	n.Work(t.Context())
	assert.Equal(t, []string{"peaks 2026-11-24"}, n.told, "from its first day on")
}

func TestOfTwoNodesOneCompares(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.pay(s)
	one, other := a.comparer(), a.comparer()
	a.until(24, 3, 0)
	calls := a.gateway.Calls("query")
	one.Work(t.Context())
	other.Work(t.Context())
	assert.Equal(t, []string{"peaks 2026-11-23"}, one.told)
	assert.Empty(t, other.told)
	assert.Equal(t, calls+2, a.gateway.Calls("query"))
}

func TestAnotherNodeTakesOverFromOneThatDied(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	o := a.prepare(s)
	require.NoError(t, a.gateway.Pay(o.ID))
	a.until(24, 3, 0)
	dying, other := a.comparer(), a.comparer()
	ctx, kill := context.WithCancel(t.Context())
	s.Sleep = func(context.Context, time.Duration) bool { kill(); return false } // before its second try
	a.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropBefore})
	dying.Work(ctx)
	s.Sleep = func(_ context.Context, wait time.Duration) bool { a.pass(wait); return true }
	other.Work(t.Context())
	assert.Empty(t, other.told, "the other one has it")
	a.pass(34 * time.Minute)
	other.Work(t.Context())
	assert.Empty(t, other.told, "for as long as it may take")
	a.pass(time.Minute)
	other.Work(t.Context())
	assert.Equal(t, []string{"peaks 2026-11-23 " + difference(orders.PaidThere, o.ID, 12800, 0)}, other.told)
}

func TestAComparisonThatFailsIsMadeAgain(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.pay(s)
	n := a.comparer()
	a.until(24, 3, 0)
	a.gateway.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropBefore, Times: 3})
	n.Work(t.Context())
	assert.Equal(t, []string{"peaks 2026-11-23 (not complete)"}, n.told)
	a.pass(40 * time.Minute)
	n.Work(t.Context())
	assert.Equal(t, []string{"peaks 2026-11-23 (not complete)", "peaks 2026-11-23"}, n.told)
}

func TestUpToSevenDaysAreCaughtUp(t *testing.T) {
	a := openAccount(t)
	s := a.openShop("peaks")
	a.until(20+4, 12, 0)
	a.pay(s)
	n := a.comparer()
	a.until(27, 9, 0)
	n.Work(t.Context())
	assert.Equal(t, []string{"peaks 2026-11-24", "peaks 2026-11-25", "peaks 2026-11-26"}, n.told)
	n.told = nil
	a.pass(20 * 24 * time.Hour)
	n.Work(t.Context())
	assert.Len(t, n.told, 7)
	assert.Equal(t, "peaks 2026-12-10", n.told[0])
	assert.Equal(t, "peaks 2026-12-16", n.told[6])
}

func TestAnAccountWithTwoLedgersIsComparedOnce(t *testing.T) {
	a := openAccount(t)
	a.openShop("peaks")
	first := a.comparer()
	opened, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "other.db"), a.logger)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	a.ledger = opened
	a.pay(a.openShop("shores"))
	second := a.comparer()
	a.until(24, 3, 0)
	second.Work(t.Context())
	first.Work(t.Context())
	assert.Equal(t, []string{"peaks 2026-11-23"}, first.told)
	assert.Empty(t, second.told)
}

func TestTheComparerLooksEveryTenMinutesAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looked := make(chan time.Time, 10)
		c := &orders.Comparer{Shops: orders.NewShops(), Log: zap.NewNop(), Now: func() time.Time { looked <- time.Now(); panic("on purpose") }}
		ctx, stop := context.WithCancel(t.Context())
		began, done := time.Now(), make(chan struct{})
		go func() { c.Run(ctx); close(done) }()
		assert.Equal(t, time.Minute, (<-looked).Sub(began))
		assert.Equal(t, 11*time.Minute, (<-looked).Sub(began), "a panic ends one look")
		stop()
		<-done
	})
}

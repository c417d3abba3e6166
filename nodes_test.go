package qfpayjsapi

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// twoNodes are two machines with one ledger before one gateway: nothing in memory
// is shared, and each has the database open for itself.
func twoNodes(t *testing.T) (one *testShop, two *machine) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	newLedger(t, file)
	one = openTestShopOn(t, openLedger(t, file), "", nil)
	h, err := provision(t, map[string]any{"environment": one.Environment, "pay_page": one.PayPage})
	require.NoError(t, err)
	two = assemble(t, h, surroundings{ledger: openLedger(t, file), gateway: direct{one.simulator}, now: one.clock.now, sleep: one.clock.sleep})
	return one, two
}

func TestTheSameCallbackOnTwoNodesMakesOnePayment(t *testing.T) {
	one, two := twoNodes(t)
	for _, service := range []*orders.Service{one.orders, two.Handler.orders} { // both wait by the clock on the wall
		service.Sleep = func(ctx context.Context, wait time.Duration) bool { time.Sleep(wait); return ctx.Err() == nil }
	}
	callback := one.authorize(t, "/pay/cat-food")
	answers := make([]*http.Response, 8)
	var all sync.WaitGroup
	for i := range answers {
		node := one.Handler
		if i%2 == 1 {
			node = two.Handler
		}
		request := one.request(callback)
		all.Go(func() {
			w := httptest.NewRecorder()
			assert.NoError(t, node.ServeHTTP(w, request, nobody))
			answers[i] = w.Result()
		})
	}
	all.Wait()
	payURL := one.order(t, orderIn(callback)).PayURL
	require.NotEmpty(t, payURL)
	for _, answer := range answers {
		assert.Equal(t, payURL, answer.Header.Get("Location"))
	}
	assert.Len(t, one.simulator.Trades(), 1)
	assert.Equal(t, 1, one.simulator.Calls("payment"))
}

// openIDEnds is a line on which something happens when the openid call has ended.
type openIDEnds struct {
	direct
	then func()
}

func (l *openIDEnds) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.direct.RoundTrip(r)
	if then := l.then; then != nil && strings.Contains(r.URL.Path, "openid") {
		l.then = nil
		then()
	}
	return response, err
}

// The second node is told that the code was used. It starts the flow again while
// the first one still has its openid call to end.
func TestARestartOnAnotherNodeMakesNoSecondPayment(t *testing.T) {
	one, two := twoNodes(t)
	callback := one.authorize(t, "/pay/cat-food")
	var second *http.Response
	one.wire(t, &openIDEnds{direct{one.simulator}, func() {
		restart := one.visitAt(t, two.Handler, callback)
		require.Equal(t, http.StatusFound, restart.StatusCode)
		again := one.back(t, restart.Header.Get("Location"))
		second = one.visitAt(t, two.Handler, again)
	}})
	first := one.visit(t, callback)
	require.NotNil(t, second)
	require.Equal(t, http.StatusFound, second.StatusCode)
	assert.Contains(t, second.Header.Get("Location"), "/q/direct?")
	assert.Equal(t, second.Header.Get("Location"), first.Header.Get("Location"))
	assert.Len(t, one.simulator.Trades(), 1)
	assert.Equal(t, 1, one.simulator.Calls("payment"))
}

func TestANotificationAtOneNodeShowsAtTheOther(t *testing.T) {
	one, two := twoNodes(t)
	callback := one.authorize(t, "/pay/cat-food")
	require.Equal(t, http.StatusFound, one.visitAt(t, two.Handler, callback).StatusCode, "the other node opens the cookie")
	order := orderIn(callback)
	require.NoError(t, one.simulator.Pay(order))
	var both sync.WaitGroup
	both.Go(func() { assert.Equal(t, http.StatusOK, one.receive(t, one.notification(order))) })
	both.Go(func() {
		w := httptest.NewRecorder()
		assert.NoError(t, two.ServeHTTP(w, one.request("/pay/return/"+order), nobody))
		assert.Equal(t, http.StatusOK, w.Code)
	})
	both.Wait()
	for _, node := range []*machine{one.machine, two} {
		settled, err := node.orders.Find(t.Context(), order)
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusPaid, settled.Status)
	}
	assert.Len(t, append(one.heard.names(), two.heard.names()...), 1, "one of them says so")
}

func TestTwoNodesTogetherAskTheGatewayAtMostEveryTwoSeconds(t *testing.T) {
	one, two := twoNodes(t)
	order := one.prepare(t, "/pay/cat-food")
	everybodyAsks := func() {
		var all sync.WaitGroup
		for i := range 8 {
			node := []*Handler{one.Handler, two.Handler}[i%2]
			request := one.request([]string{"/pay/status/", "/pay/return/"}[i/4] + order)
			all.Go(func() { assert.NoError(t, node.ServeHTTP(httptest.NewRecorder(), request, nobody)) })
		}
		for _, node := range []*machine{one.machine, two} {
			all.Go(func() { _, _ = node.orders.LookUp(t.Context(), order) })
			all.Go(func() { node.workOnce(t.Context()) })
		}
		all.Wait()
	}
	everybodyAsks()
	assert.Equal(t, 1, one.simulator.Calls("query"))
	one.clock.pass(enquiryInterval - time.Millisecond)
	everybodyAsks()
	assert.Equal(t, 1, one.simulator.Calls("query"))
	require.NoError(t, one.simulator.Pay(order))
	one.clock.pass(time.Millisecond)
	everybodyAsks()
	assert.Equal(t, 2, one.simulator.Calls("query"))
	settled, err := two.orders.Find(t.Context(), order)
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPaid, settled.Status)
}

func TestAnotherNodeGoesOnWhereOneStopped(t *testing.T) {
	one, two := twoNodes(t)
	order := one.prepare(t, "/pay/cat-food")
	require.NoError(t, one.simulator.Pay(order))
	one.clock.pass(6 * time.Second)
	leased, err := one.reconciler.Lease(t.Context(), 1) // and dies
	require.NoError(t, err)
	require.Len(t, leased, 1)
	two.workOnce(t.Context())
	assert.Equal(t, ledger.StatusPending, one.status(t, order), "it is left to the other one")
	one.clock.pass(90 * time.Second)
	two.workOnce(t.Context())
	assert.Equal(t, ledger.StatusPaid, one.status(t, order))
}

func TestARefundOfANodeThatDiedIsFollowedByAnother(t *testing.T) {
	one, two := twoNodes(t)
	order := one.prepare(t, "/pay/cat-food")
	require.NoError(t, one.simulator.Pay(order))
	one.work(t, 5*time.Second)
	one.simulator.Inject(qfpaytest.Fault{Call: "refund", Kind: qfpaytest.DropAfter})
	refund, err := one.orders.Refund(t.Context(), order, "r1", 2800)
	require.NoError(t, err)
	require.True(t, refund.Open())
	one.clock.pass(time.Minute)
	two.workOnce(t.Context())
	assert.Equal(t, ledger.StatusPartiallyRefunded, one.status(t, order))
}

func TestTwoHundredRefundsAtOnceOverTwoNodesNeverExceedWhatWasPaid(t *testing.T) {
	one, two := twoNodes(t)
	order := one.prepare(t, "/pay/cat-food")
	require.NoError(t, one.simulator.Pay(order))
	one.work(t, 5*time.Second)
	var all sync.WaitGroup
	for i := range 200 {
		node := []*machine{one.machine, two}[i%2]
		all.Go(func() { _, _ = node.orders.Refund(t.Context(), order, fmt.Sprintf("r%d", i), 300) })
	}
	all.Wait()
	one.work(t, time.Hour) // one at a time
	refunds, err := ledger.View(t.Context(), one.store, func(tx *ledger.Tx) (ledger.Refunds, error) { return tx.Refunds(order) })
	require.NoError(t, err)
	trade, _ := one.simulator.Trade(order)
	assert.LessOrEqual(t, trade.Refunded, int64(12800))
	assert.Equal(t, trade.Refunded, refunds.Done(), "the ledger agrees with the gateway")
	assert.Equal(t, 42, one.simulator.Calls("refund"), "no more was asked of the gateway than fits")
	assert.EqualValues(t, 12600, refunds.Done(), "and as many as fit were made")
}

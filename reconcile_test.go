package qfpayjsapi

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	// callTime is when a payment call must have ended, with the usual timeout.
	callTime = 20 * time.Second

	// giveUp is how long a gateway is asked that will not close an order.
	giveUp = 24 * time.Hour
)

// work does all that is due within a time.
func (c *testShop) work(t testing.TB, within time.Duration) {
	t.Helper()
	end, stuck := c.now().Add(within), 0
	for {
		before := c.now()
		_ = c.workOnce(t.Context())
		next := nextDue(t, c.store.Ledger, c.now())
		if next.IsZero() || next.After(end) {
			c.reach(end)
			return
		}
		c.reach(laterThan(c.now(), next))
		if stuck++; c.now().Sub(before) > stuckTime {
			stuck = 0
		}
		require.Less(t, stuck, mostStuck, "the work must not go in circles")
	}
}

// So often may work be due again within so short a time.
const (
	mostStuck = 100
	stuckTime = 50 * time.Millisecond
)

// laterThan is when to look again for what is due next: the ledger's times are not
// as fine as the clock's.
func laterThan(now, next time.Time) time.Time {
	if least := now.Add(time.Millisecond); next.Before(least) {
		return least
	}
	return next
}

// reach moves the clock forward to a time, if it is not there yet.
func (c *testShop) reach(at time.Time) {
	if at.After(c.now()) {
		c.clock.set(at)
	}
}

// isSettled reports that nothing is left to do.
func (c *testShop) isSettled(t testing.TB) bool {
	t.Helper()
	return nextDue(t, c.store.Ledger, c.now()).IsZero()
}

// prepare takes a payer to the pay page and returns the order.
func (c *testShop) prepare(t testing.TB, link string) string {
	t.Helper()
	callback := c.authorize(t, link)
	require.Equal(t, http.StatusFound, c.visit(t, callback).StatusCode)
	return orderIn(callback)
}

func (c *testShop) status(t testing.TB, order string) ledger.Status {
	t.Helper()
	return c.order(t, order).Status
}

// notification is what the gateway would post about the payment of cat-food.
func (c *testShop) notification(order string) *http.Request {
	trade, _ := c.simulator.Trade(order)
	return c.notificationOf(order, trade.Syssn)
}

func (c *testShop) notificationOf(order, syssn string) *http.Request {
	body := fmt.Sprintf(`{"status": "1", "notify_type": "payment", "out_trade_no": "%s", "syssn": "%s", "txamt": "12800", "txcurrcd": "HKD", "respcd": "0000"}`, order, syssn)
	r := httptest.NewRequest(http.MethodPost, "/pay/notify", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-QF-SIGN", fmt.Sprintf("%X", md5.Sum([]byte(body+"TESTKEY"))))
	return r
}

func (c *testShop) receive(t testing.TB, r *http.Request) int {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, c.ServeHTTP(w, asCaddyWould(r), nobody))
	return w.Code
}

func bodyOf(t testing.TB, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

func TestAPayerWhoNeverComesBackHasPaidAllTheSame(t *testing.T) {
	c := openTestShop(t, nil)
	order := c.prepare(t, "/pay/cat-food")
	require.NoError(t, c.simulator.Pay(order))
	c.work(t, 5*time.Second)
	assert.Equal(t, ledger.StatusPaid, c.status(t, order))
	assert.Equal(t, 1, c.simulator.Calls("query"))
	c.work(t, time.Hour)
	assert.Equal(t, 1, c.simulator.Calls("query"), "a settled order is not asked about again")
}

func TestAPendingOrderIsAskedAboutLessAndLessOften(t *testing.T) {
	c := openTestShop(t, nil)
	c.prepare(t, "/pay/cat-food")
	began := c.now()
	for _, moment := range []struct {
		passed time.Duration
		calls  int
	}{
		{4 * time.Second, 0}, {5 * time.Second, 1}, {15 * time.Second, 2}, {30 * time.Second, 3}, {time.Minute, 4},
		{2 * time.Minute, 5}, {6 * time.Minute, 5}, {7 * time.Minute, 6}, {12 * time.Minute, 7}, {14 * time.Minute, 7},
	} {
		c.work(t, began.Add(moment.passed).Sub(c.now()))
		assert.Equal(t, moment.calls, c.simulator.Calls("query"), moment.passed)
	}
}

func TestAnOrderThatNobodyPaysIsClosedAtTheGateway(t *testing.T) {
	c := openTestShop(t, nil)
	order := c.prepare(t, "/pay/cat-food")
	c.work(t, 15*time.Minute)
	assert.Equal(t, ledger.StatusClosed, c.status(t, order))
	assert.Equal(t, 1, c.simulator.Calls("close"))
	assert.ErrorIs(t, c.simulator.Pay(order), qfpaytest.ErrNotOpen, "it cannot be paid any more")
	assert.True(t, c.isSettled(t))
}

func TestAnOrderHasTheTimeThatItsOwnBlockGives(t *testing.T) {
	c := openTestShop(t, map[string]any{"order_ttl": "30m"})
	order := c.prepare(t, "/pay/cat-food")
	c.checkout.OrderTTL = 0 // the block of whoever looks at it gives another
	c.work(t, 29*time.Minute)
	assert.Equal(t, ledger.StatusPending, c.status(t, order))
	c.work(t, 2*time.Minute)
	assert.Equal(t, ledger.StatusClosed, c.status(t, order))
}

func TestAPaymentInTheLastMomentIsNotClosed(t *testing.T) {
	c := openTestShop(t, nil)
	order := c.prepare(t, "/pay/cat-food")
	c.work(t, 14*time.Minute)
	require.NoError(t, c.simulator.Pay(order))
	c.work(t, 2*time.Minute)
	assert.Equal(t, ledger.StatusPaid, c.status(t, order))
}

// payingAt is a line on which a payer pays when a call of this name arrives.
type payingAt struct {
	direct
	call string
	pay  func()
}

func (p *payingAt) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, p.call) && p.pay != nil {
		p.pay()
		p.pay = nil
	}
	return p.direct.RoundTrip(r)
}

// wire puts another line to the gateway into the machine's service.
func (c *testShop) wire(t testing.TB, line http.RoundTripper) {
	t.Helper()
	client, err := qfpay.NewClient(qfpay.Config{
		Gateway: gatewayAddress, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Transport: line, Timeout: time.Duration(c.Timeout),
	})
	require.NoError(t, err)
	c.client, c.orders.Client = client, client
}

func TestAPaymentBetweenTheEnquiryAndTheCloseWins(t *testing.T) {
	c := openTestShop(t, nil)
	order := c.prepare(t, "/pay/cat-food")
	c.clock.pass(15 * time.Minute)
	c.wire(t, &payingAt{direct{c.simulator}, "/close", func() { require.NoError(t, c.simulator.Pay(order)) }})
	c.work(t, 0)
	assert.Equal(t, 1, c.simulator.Calls("close"))
	assert.NotEqual(t, ledger.StatusClosed, c.status(t, order))
	c.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPaid, c.status(t, order))
	assert.False(t, c.order(t, order).Late)
}

func TestAnOrderThatTheGatewayNeverHeardOfIsClosedHere(t *testing.T) {
	c := openTestShop(t, nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropBefore})
	c.visit(t, callback)
	c.work(t, 16*time.Minute)
	assert.Equal(t, ledger.StatusClosed, c.status(t, orderIn(callback)))
	assert.Empty(t, c.simulator.Trades())
}

func TestAnOrderWhoseReplyWasLostIsClosedAtTheGateway(t *testing.T) {
	c := openTestShop(t, nil)
	callback := c.authorize(t, "/pay/cat-food")
	c.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropAfter})
	c.visit(t, callback)
	c.work(t, 16*time.Minute)
	assert.Equal(t, ledger.StatusClosed, c.status(t, orderIn(callback)))
	assert.ErrorIs(t, c.simulator.Pay(orderIn(callback)), qfpaytest.ErrNotOpen)
}

func TestAGatewayThatWillNotCloseIsAskedForADay(t *testing.T) {
	c := openTestShop(t, nil)
	order := c.prepare(t, "/pay/cat-food")
	c.simulator.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1203", Times: -1})
	c.work(t, 20*time.Hour)
	assert.Equal(t, ledger.StatusPending, c.status(t, order))
	assert.Less(t, c.simulator.Calls("query"), 100)

	t.Run("and a payment in that time counts", func(t *testing.T) {
		other := c.prepare(t, "/pay/cat-food?ref=other")
		c.work(t, time.Hour)
		require.NoError(t, c.simulator.Pay(other))
		c.work(t, 3*time.Hour)
		assert.Equal(t, ledger.StatusPaid, c.status(t, other))
	})
	c.work(t, 8*time.Hour)
	assert.Equal(t, ledger.StatusClosed, c.status(t, order))

	t.Run("and one that comes after all wins, flagged", func(t *testing.T) {
		require.NoError(t, c.simulator.Pay(order))
		_, err := c.orders.LookUp(t.Context(), order)
		require.NoError(t, err)
		found := c.order(t, order)
		assert.Equal(t, ledger.StatusPaid, found.Status)
		assert.True(t, found.Late)
	})
}

func TestAGatewayThatIsDownForDaysLosesNothing(t *testing.T) {
	c := openTestShop(t, nil)
	order := c.prepare(t, "/pay/cat-food")
	require.NoError(t, c.simulator.Pay(order))
	c.simulator.Inject(qfpaytest.Fault{Kind: qfpaytest.Status5xx, Times: -1})
	c.work(t, 20*time.Hour)
	assert.Equal(t, ledger.StatusPending, c.status(t, order))
	c.simulator.ClearFaults()
	c.work(t, 3*time.Hour)
	assert.Equal(t, ledger.StatusPaid, c.status(t, order))
}

func TestOrdersAreFoundAfterDaysOfBeingDown(t *testing.T) {
	c := openTestShop(t, nil)
	paid, unpaid := c.prepare(t, "/pay/cat-food"), c.prepare(t, "/pay/cat-food?ref=2")
	require.NoError(t, c.simulator.Pay(paid))
	c.clock.pass(10 * 24 * time.Hour) // into the next month: found by the gateway's own number
	c.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPaid, c.status(t, paid))
	assert.Equal(t, ledger.StatusClosed, c.status(t, unpaid))
}

func TestALostReplyIsFoundAcrossTheEndOfAMonth(t *testing.T) {
	c := openTestShop(t, nil)
	c.clock.set(time.Date(2026, 11, 30, 15, 58, 0, 0, time.UTC)) // 23:58 in UTC+8
	callback := c.authorize(t, "/pay/cat-food")
	c.clock.pass(4 * time.Minute) // the first of December there
	callback = callback[:len(callback)-len(c.simulator.Code())] + c.simulator.Code()
	c.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropAfter})
	c.visit(t, callback)
	require.NoError(t, c.simulator.Pay(orderIn(callback)))
	c.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPaid, c.status(t, orderIn(callback)))
}

// dieAtCallback leaves what a node leaves that dies in the middle of a callback:
// before the gateway has heard of the order, or after.
func (c *testShop) dieAtCallback(t testing.TB, heard bool) (callback string) {
	t.Helper()
	callback = c.authorize(t, "/pay/cat-food")
	intent, err := c.shop.Intend(shop.Asked{Item: "cat-food"}, c.now())
	require.NoError(t, err)
	_, claimed, err := c.orders.Claim(t.Context(), ledger.Order{ID: orderIn(callback), Intent: intent, Expires: c.now().Add(time.Duration(c.OrderTTL))})
	require.NoError(t, err)
	require.True(t, claimed)
	if heard {
		code := callback[strings.Index(callback, "code=")+len("code="):]
		openID, err := c.orders.OpenID(t.Context(), code)
		require.NoError(t, err)
		_, err = c.orders.Pay(t.Context(), qfpay.Payment{
			OutTradeNo: orderIn(callback), Amount: intent.Amount, Currency: intent.Currency,
			OpenID: openID, GoodsName: intent.Description, Time: c.now(),
		})
		require.NoError(t, err)
	}
	return callback
}

func TestAnOrderWhoseCallbackIsUnderWayIsLeftToIt(t *testing.T) {
	c := openTestShop(t, nil)
	order := orderIn(c.dieAtCallback(t, false))
	c.work(t, callTime-time.Second)
	assert.Equal(t, ledger.StatusPending, c.status(t, order))
	assert.Zero(t, c.simulator.Calls("query")+c.simulator.Calls("close"))
}

func TestAnOrderWhoseCallbackDiedIsBroughtToItsEnd(t *testing.T) {
	for name, heard := range map[string]bool{"if the gateway knows it": true, "if the gateway never heard of it": false} {
		t.Run(name, func(t *testing.T) {
			c := openTestShop(t, nil)
			order := orderIn(c.dieAtCallback(t, heard))
			c.simulator.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropAfter})
			c.work(t, callTime+time.Second)
			assert.Equal(t, ledger.StatusPending, c.status(t, order), "while the gateway does not say")
			c.work(t, time.Hour)
			assert.Equal(t, ledger.StatusClosed, c.status(t, order))
			assert.True(t, c.isSettled(t))
			for _, trade := range c.simulator.Trades() {
				assert.NotEqual(t, qfpaytest.Open, trade.State, "and it cannot be paid any more")
			}
		})
	}
}

func TestACallbackThatDiedIsNeverTakenAgain(t *testing.T) {
	for name, heard := range map[string]bool{"if the gateway knows the order": true, "if the gateway never heard of it": false} {
		t.Run(name, func(t *testing.T) {
			c := openTestShop(t, nil)
			callback := c.dieAtCallback(t, heard)
			asked := c.simulator.Calls("openid") + c.simulator.Calls("payment")
			assert.Contains(t, bodyOf(t, c.visit(t, "/pay/return/"+orderIn(callback))), "again=", "the return page looks again")
			for range 2 {
				response := c.visit(t, callback)
				assert.Equal(t, http.StatusOK, response.StatusCode)
				assert.Contains(t, bodyOf(t, response), "again=", "the payer can start again")
			}
			assert.Equal(t, asked, c.simulator.Calls("openid")+c.simulator.Calls("payment"))
			assert.Contains(t, bodyOf(t, c.visit(t, "/pay/status/"+orderIn(callback))), `"status":"pending"`)
			other := c.authorize(t, "/pay/cat-food?again="+orderIn(callback))
			assert.NotEqual(t, orderIn(callback), orderIn(other))
			require.Equal(t, http.StatusFound, c.visit(t, other).StatusCode)
			c.work(t, time.Minute)
			assert.Equal(t, ledger.StatusClosed, c.status(t, orderIn(callback)))
			assert.Equal(t, ledger.StatusPending, c.status(t, orderIn(other)))
		})
	}
}

func TestARefusedCodeLeavesNothingInTheLedger(t *testing.T) {
	c := openTestShop(t, nil)
	callback := c.authorize(t, "/pay/cat-food") + "-not"
	c.visit(t, callback)
	_, err := c.orders.Find(t.Context(), orderIn(callback))
	assert.ErrorIs(t, err, ledger.ErrUnknown)
	assert.True(t, c.isSettled(t))
}

// shopProgram is the shop's own program that is told by webhook.
type shopProgram struct {
	mu       sync.Mutex
	answers  []int // statuses, in order; then 204
	received []map[string]any
	ids      []string
	url      string
}

func startShopProgram(t testing.TB, answers ...int) *shopProgram {
	t.Helper()
	p := &shopProgram{answers: answers}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL + "/hooks"
	return p
}

func (p *shopProgram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var message map[string]any
	_ = json.Unmarshal(body, &message)
	p.received = append(p.received, message)
	p.ids = append(p.ids, r.Header.Get("Webhook-Id"))
	status := http.StatusNoContent
	if len(p.answers) > 0 {
		status, p.answers = p.answers[0], p.answers[1:]
	}
	w.WriteHeader(status)
}

func (p *shopProgram) types() (types []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, message := range p.received {
		types = append(types, message["type"].(string))
	}
	return types
}

func withWebhook(p *shopProgram) map[string]any {
	return map[string]any{"webhooks": []any{map[string]any{"url": p.url, "secret": testWebhookSecret()}}}
}

func TestTheShopIsToldOfAPaymentOnce(t *testing.T) {
	program := startShopProgram(t)
	c := openTestShop(t, withWebhook(program))
	order := c.prepare(t, "/pay/cat-food?ref=INV-7")
	require.NoError(t, c.simulator.Pay(order))
	c.work(t, 100*time.Hour)
	require.Equal(t, []string{"order.paid"}, program.types())
	data := program.received[0]["data"].(map[string]any)
	assert.Equal(t, order, data["order"])
	assert.Equal(t, "paid", data["status"])
	assert.EqualValues(t, 12800, data["amount"])
	assert.Equal(t, "HKD", data["currency"])
	assert.Equal(t, "INV-7", data["ref"])
	assert.Equal(t, c.Name, data["shop"])
	assert.Equal(t, []string{"msg_" + order + "_paid"}, program.ids)
	assert.True(t, c.isSettled(t))
}

func TestAShopThatDoesNotAnswerIsToldAgainUnderTheSameID(t *testing.T) {
	program := startShopProgram(t, 500, 302, 503)
	c := openTestShop(t, withWebhook(program))
	order := c.prepare(t, "/pay/cat-food")
	require.NoError(t, c.simulator.Pay(order))
	c.work(t, time.Hour)
	assert.Len(t, program.ids, 4)
	for _, id := range program.ids {
		assert.Equal(t, "msg_"+order+"_paid", id)
	}
	deliveries, err := ledger.View(t.Context(), c.store, func(tx *ledger.Tx) ([]ledger.Delivery, error) { return tx.Deliveries(order) })
	require.NoError(t, err)
	require.Len(t, deliveries, 1)
	assert.Equal(t, ledger.DeliveryDelivered, deliveries[0].Status)
	assert.Equal(t, 4, deliveries[0].Attempts, "the operator can read what happened")
	assert.Equal(t, 204, deliveries[0].LastStatus)
}

func TestTheShopIsToldOfClosedOrders(t *testing.T) {
	program := startShopProgram(t)
	c := openTestShop(t, withWebhook(program))
	c.prepare(t, "/pay/cat-food")
	c.work(t, time.Hour)
	assert.Equal(t, []string{"order.closed"}, program.types())
}

// quick is a line without a delay.
func quick(line http.RoundTripper) http.RoundTripper { return line }

// testShopInFakeTime is a shop in a bubble of time, whose clock everything
// follows, and that works by itself until stop is called.
func testShopInFakeTime(t *testing.T, changes map[string]any, line func(http.RoundTripper) http.RoundTripper) (c *testShop, stop func()) {
	t.Helper()
	c = &testShop{jar: map[string]string{}}
	var err error
	c.simulator, err = qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, NotifyOff: true, Hosted: changes["hosted"] == true,
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ledger.db")
	newLedger(t, file)
	opened, err := ledger.OpenSQLite(context.Background(), file, nil)
	require.NoError(t, err)
	h, err := provision(t, changes)
	require.NoError(t, err)
	c.machine = assemble(t, h, surroundings{ledger: opened, gateway: line(direct{c.simulator}), now: time.Now})
	c.services.Wake = func(ledger.Ledger) { c.outbox.Wake() }
	c.services.Due = func(ledger.Ledger) { c.reconciler.Wake() }
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { c.reconciler.Run(ctx) })
	work.Go(func() { c.outbox.Run(ctx) })
	return c, func() {
		cancel()
		work.Wait()
		require.NoError(t, opened.Close())
		require.NoError(t, c.simulator.Close())
	}
}

func TestTheReconcilerRunsOnTimeAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := testShopInFakeTime(t, nil, quick)
		defer stop()
		var paid, unpaid string
		for order, link := range map[*string]string{&paid: "/pay/cat-food", &unpaid: "/pay/cat-food?ref=2"} {
			*order = c.prepare(t, link)
		}
		require.NoError(t, c.simulator.Pay(paid))
		time.Sleep(6 * time.Second)
		synctest.Wait()
		assert.Equal(t, ledger.StatusPaid, c.status(t, paid))
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		assert.Equal(t, ledger.StatusClosed, c.status(t, unpaid))
		assert.True(t, c.isSettled(t))
	})
}

func TestTheReconcilerGoesOnAfterPanicsOfTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := testShopInFakeTime(t, nil, quick)
		defer stop()
		order := c.prepare(t, "/pay/cat-food")
		require.NoError(t, c.simulator.Pay(order))
		var operations atomic.Int32
		c.store.with(func(_ context.Context, _ string, do func() error) error {
			if operations.Add(1) <= 10 {
				panic("a mistake of the ledger")
			}
			return do()
		})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		assert.Equal(t, ledger.StatusPaid, c.status(t, order))
	})
}

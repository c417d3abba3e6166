package qfpayjsapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// office is a counter with the clerk who works through its open orders. Time
// passes only as the clerk waits for it.
type office struct {
	*counter
	clerk *clerk
	due   *agenda
}

func openOffice(t *testing.T, changes map[string]any) *office {
	t.Helper()
	c := openCounter(t, changes)
	endpoints, err := c.endpoints()
	require.NoError(t, err)
	c.account.pace.bucket = rate.NewLimiter(rate.Inf, paceBurst) // its waiting would be real
	return &office{c, &clerk{books: c.books, endpoints: endpoints, logger: c.logger}, newAgenda()}
}

// work lets the clerk do all that is due within a time.
func (o *office) work(t *testing.T, within time.Duration) {
	t.Helper()
	end := o.now().Add(within)
	for {
		o.clerk.scan(t.Context(), o.due, nil)
		at, any := o.due.first()
		if !any || at.After(end) {
			o.hands.set(end)
			return
		}
		if at.After(o.now()) {
			o.hands.set(at)
		}
		next, _ := o.due.take(o.now())
		o.account.pace.resume = time.Time{} // that waiting would be real, too
		again, err := o.clerk.look(t.Context(), next)
		require.NoError(t, err)
		if !again.IsZero() {
			require.True(t, again.After(o.now()), "the clerk must not turn in circles")
			o.due.add(next, again)
		}
	}
}

// prepare takes a payer to the pay page and returns the order.
func (o *office) prepare(t *testing.T, link string) string {
	t.Helper()
	callback := o.authorize(t, link)
	require.Equal(t, http.StatusFound, o.visit(t, callback).StatusCode)
	return orderIn(callback)
}

func (o *office) status(t *testing.T, order string) ledger.Status {
	t.Helper()
	found, err := o.ledger.Find(t.Context(), order)
	require.NoError(t, err)
	return found.Status()
}

func TestAPayerWhoNeverComesBackHasPaidAllTheSame(t *testing.T) {
	o := openOffice(t, nil)
	order := o.prepare(t, "/pay/cat-food")
	require.NoError(t, o.simulator.Pay(order))
	o.work(t, 5*time.Second)
	assert.Equal(t, ledger.StatusPaid, o.status(t, order))
	assert.Equal(t, 1, o.simulator.Calls("query"))
	o.work(t, time.Hour)
	assert.Equal(t, 1, o.simulator.Calls("query"), "a settled order is not asked about again")
}

func TestAPendingOrderIsAskedAboutLessAndLessOften(t *testing.T) {
	o := openOffice(t, nil)
	o.prepare(t, "/pay/cat-food")
	asked := 0
	for _, moment := range []struct {
		passed time.Duration
		calls  int
	}{
		{4 * time.Second, 0}, {5 * time.Second, 1}, {15 * time.Second, 2}, {30 * time.Second, 3}, {time.Minute, 4},
		{2 * time.Minute, 5}, {6 * time.Minute, 5}, {7 * time.Minute, 6}, {12 * time.Minute, 7}, {14 * time.Minute, 7},
	} {
		o.work(t, moment.passed-time.Duration(asked))
		asked = int(moment.passed)
		assert.Equal(t, moment.calls, o.simulator.Calls("query"), moment.passed)
	}
}

func TestAnOrderThatNobodyPaysIsClosedAtTheGateway(t *testing.T) {
	o := openOffice(t, nil)
	order := o.prepare(t, "/pay/cat-food")
	o.work(t, 15*time.Minute)
	assert.Equal(t, ledger.StatusClosed, o.status(t, order))
	assert.Equal(t, 1, o.simulator.Calls("close"))
	assert.ErrorIs(t, o.simulator.Pay(order), qfpaytest.ErrNotOpen, "it cannot be paid any more")
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestAnOrderHasTheTimeThatItsOwnBlockGives(t *testing.T) {
	o := openOffice(t, map[string]any{"order_ttl": "30m"})
	hurried := *o.books
	hurried.orderTTL = time.Minute
	o.clerk.books = &hurried // of another block with the same ledger
	order := o.prepare(t, "/pay/cat-food")
	o.work(t, 29*time.Minute)
	assert.Equal(t, ledger.StatusPending, o.status(t, order))
	o.work(t, 2*time.Minute)
	assert.Equal(t, ledger.StatusClosed, o.status(t, order))
}

func TestAPaymentInTheLastMomentIsNotClosed(t *testing.T) {
	o := openOffice(t, nil)
	order := o.prepare(t, "/pay/cat-food")
	o.work(t, 14*time.Minute)
	require.NoError(t, o.simulator.Pay(order))
	o.work(t, 2*time.Minute)
	assert.Equal(t, ledger.StatusPaid, o.status(t, order))
}

func TestAPaymentBetweenTheEnquiryAndTheCloseWins(t *testing.T) {
	o := openOffice(t, nil)
	order := o.prepare(t, "/pay/cat-food")
	o.hands.set(o.now().Add(15 * time.Minute))
	found, err := o.ledger.Find(t.Context(), order)
	require.NoError(t, err)
	found = o.enquire(t.Context(), found)
	require.NoError(t, o.simulator.Pay(order))
	closed := o.expire(t.Context(), found)
	assert.NotEqual(t, ledger.StatusClosed, closed.Status())
	o.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPaid, o.status(t, order))
}

func TestAnOrderThatTheGatewayNeverHeardOfIsClosedHere(t *testing.T) {
	o := openOffice(t, nil)
	callback := o.authorize(t, "/pay/cat-food")
	o.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropBefore})
	o.visit(t, callback)
	o.work(t, 16*time.Minute)
	assert.Equal(t, ledger.StatusClosed, o.status(t, orderIn(callback)))
	assert.Empty(t, o.simulator.Trades())
}

func TestAnOrderWhoseReplyWasLostIsClosedAtTheGateway(t *testing.T) {
	o := openOffice(t, nil)
	callback := o.authorize(t, "/pay/cat-food")
	o.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropAfter})
	o.visit(t, callback)
	o.work(t, 16*time.Minute)
	assert.Equal(t, ledger.StatusClosed, o.status(t, orderIn(callback)))
	assert.ErrorIs(t, o.simulator.Pay(orderIn(callback)), qfpaytest.ErrNotOpen)
}

func TestAGatewayThatWillNotCloseIsAskedForADay(t *testing.T) {
	o := openOffice(t, nil)
	order := o.prepare(t, "/pay/cat-food")
	o.simulator.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1203", Times: -1})
	o.work(t, 20*time.Hour)
	assert.Equal(t, ledger.StatusPending, o.status(t, order))
	assert.Less(t, o.simulator.Calls("query"), 100)

	t.Run("and a payment in that time counts", func(t *testing.T) {
		other := o.prepare(t, "/pay/cat-food?ref=other")
		o.work(t, time.Hour)
		require.NoError(t, o.simulator.Pay(other))
		o.work(t, 3*time.Hour)
		assert.Equal(t, ledger.StatusPaid, o.status(t, other))
	})
	o.work(t, 8*time.Hour)
	assert.Equal(t, ledger.StatusClosed, o.status(t, order))

	t.Run("and one that comes after all wins, flagged", func(t *testing.T) {
		require.NoError(t, o.simulator.Pay(order))
		found, err := o.ledger.Find(t.Context(), order)
		require.NoError(t, err)
		_, err = o.ask(t.Context(), found)
		require.NoError(t, err)
		found, err = o.ledger.Find(t.Context(), order)
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusPaid, found.Status())
		assert.True(t, found.Late())
	})
}

func TestAGatewayThatIsDownForDaysLosesNothing(t *testing.T) {
	o := openOffice(t, nil)
	order := o.prepare(t, "/pay/cat-food")
	require.NoError(t, o.simulator.Pay(order))
	o.simulator.Inject(qfpaytest.Fault{Kind: qfpaytest.Status5xx, Times: -1})
	o.work(t, 20*time.Hour)
	assert.Equal(t, ledger.StatusPending, o.status(t, order))
	o.simulator.ClearFaults()
	o.work(t, 3*time.Hour)
	assert.Equal(t, ledger.StatusPaid, o.status(t, order))
}

func TestOrdersAreFoundAfterDaysOfBeingDown(t *testing.T) {
	o := openOffice(t, nil)
	paid, unpaid := o.prepare(t, "/pay/cat-food"), o.prepare(t, "/pay/cat-food?ref=2")
	require.NoError(t, o.simulator.Pay(paid))
	o.hands.set(o.now().Add(10 * 24 * time.Hour)) // into the next month: found by the gateway's own number
	o.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPaid, o.status(t, paid))
	assert.Equal(t, ledger.StatusClosed, o.status(t, unpaid))
}

func TestALostReplyIsFoundAcrossTheEndOfAMonth(t *testing.T) {
	o := openOffice(t, nil)
	o.hands.set(time.Date(2026, 11, 30, 15, 58, 0, 0, time.UTC)) // 23:58 in UTC+8
	callback := o.authorize(t, "/pay/cat-food")
	o.hands.set(o.now().Add(4 * time.Minute)) // the first of December there
	callback = callback[:len(callback)-len(o.simulator.Code())] + o.simulator.Code()
	o.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropAfter})
	o.visit(t, callback)
	require.NoError(t, o.simulator.Pay(orderIn(callback)))
	o.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPaid, o.status(t, orderIn(callback)))
}

// dieAtCallback leaves what a node leaves that dies in the middle of a callback:
// before the gateway has heard of the order, or after.
func (o *office) dieAtCallback(t *testing.T, heard bool) (callback string) {
	callback = o.authorize(t, "/pay/cat-food")
	intent, err := o.offer().Intend(checkout.Asked{Item: "cat-food"}, o.now())
	require.NoError(t, err)
	intent.Sent = o.now()
	require.NoError(t, o.ledger.Enter(t.Context(), orderIn(callback), intent))
	if heard {
		code := callback[strings.Index(callback, "code=")+len("code="):]
		openID, err := o.gateway.client.OpenID(t.Context(), code)
		require.NoError(t, err)
		_, err = o.gateway.client.Pay(t.Context(), o.payment("http://shop.test", checkout.Ticket{Order: orderIn(callback), Intent: intent}, openID))
		require.NoError(t, err)
	}
	return callback
}

func TestAnOrderWhoseCallbackIsUnderWayIsLeftToIt(t *testing.T) {
	o := openOffice(t, nil)
	order := orderIn(o.dieAtCallback(t, false))
	o.work(t, o.callbackTime()-time.Second)
	_, err := o.ledger.Find(t.Context(), order)
	assert.ErrorIs(t, err, ledger.ErrUnknown)
	assert.Zero(t, o.simulator.Calls("query"))
}

func TestAnOrderWhoseCallbackDiedIsFollowedToItsEndIfTheGatewayKnowsIt(t *testing.T) {
	o := openOffice(t, nil)
	order := orderIn(o.dieAtCallback(t, true))
	o.work(t, o.callbackTime()+10*time.Second)
	assert.Equal(t, ledger.StatusPending, o.status(t, order))
	o.work(t, time.Hour)
	assert.Equal(t, ledger.StatusClosed, o.status(t, order))
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestAnOrderWhoseCallbackDiedIsForgottenIfTheGatewayNeverHeardOfIt(t *testing.T) {
	o := openOffice(t, nil)
	order := orderIn(o.dieAtCallback(t, false))
	o.simulator.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropAfter})
	o.work(t, time.Hour)
	_, err := o.ledger.Find(t.Context(), order)
	assert.ErrorIs(t, err, ledger.ErrUnknown)
	assert.Equal(t, 2, o.simulator.Calls("query"), "once more after it did not answer")
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestACallbackThatDiedStartsAgainIfTheGatewayNeverHeardOfTheOrder(t *testing.T) {
	o := openOffice(t, nil)
	callback := o.dieAtCallback(t, false)
	checking := func(why string) {
		response := o.visit(t, callback)
		assert.Equal(t, http.StatusOK, response.StatusCode, why)
		assert.Contains(t, bodyOf(t, response), "again=", why)
	}
	checking("the payment may be on its way yet")
	assert.Contains(t, bodyOf(t, o.visit(t, "/pay/return/"+orderIn(callback))), "again=", "and the return page looks again")
	assert.Contains(t, bodyOf(t, o.visit(t, "/pay/status/"+orderIn(callback))), `"status":"pending"`)
	o.hands.set(o.now().Add(o.timeout))
	o.simulator.Inject(qfpaytest.Fault{Call: "query", Kind: qfpaytest.DropAfter})
	checking("the gateway does not say")
	assert.Zero(t, o.simulator.Calls("openid"))
	for _, request := range []*http.Request{o.request(callback), o.request(callback)} { // it came twice
		answer := httptest.NewRecorder()
		require.NoError(t, o.ServeHTTP(answer, request, nobody))
		assert.Equal(t, http.StatusFound, answer.Code)
		assert.Contains(t, answer.Header().Get("Location"), "/get_weixin_oauth_code?")
		assert.NotContains(t, answer.Header().Get("Location"), orderIn(callback))
	}
	assert.Zero(t, o.simulator.Calls("payment"))
	o.work(t, time.Hour)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestACallbackThatDiedIsNotTakenAgainIfTheGatewayKnowsTheOrder(t *testing.T) {
	o := openOffice(t, nil)
	callback := o.dieAtCallback(t, true)
	o.hands.set(o.now().Add(o.timeout))
	for range 2 {
		response := o.visit(t, callback)
		assert.Equal(t, http.StatusOK, response.StatusCode)
		assert.Contains(t, bodyOf(t, response), "again=", "the payer can start again")
	}
	assert.Equal(t, 1, o.simulator.Calls("payment"))
	assert.Equal(t, ledger.StatusPending, o.status(t, orderIn(callback)))
}

func TestARefusedCodeLeavesNothingInStorage(t *testing.T) {
	o := openOffice(t, nil)
	o.visit(t, o.authorize(t, "/pay/cat-food")+"-not")
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestAnIndexEntryWithoutAnIntentIsRemovedInTime(t *testing.T) {
	o := openOffice(t, nil)
	callback := o.authorize(t, "/pay/cat-food")
	require.NoError(t, o.ledger.Reopen(t.Context(), orderIn(callback)))
	o.work(t, time.Hour)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Len(t, open, 1, "its payment may be about to be made")
	o.work(t, time.Hour)
	open, err = o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

// shopProgram is the shop's own program that is told by webhook.
type shopProgram struct {
	mu       sync.Mutex
	answers  []int // statuses, in order; then 204
	wait     string
	received []map[string]any
	ids      []string
	url      string
}

func startShopProgram(t *testing.T, answers ...int) *shopProgram {
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
	if p.wait != "" {
		w.Header().Set("Retry-After", p.wait)
	}
	w.WriteHeader(status)
}

func (p *shopProgram) types() (types []string) {
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
	o := openOffice(t, withWebhook(program))
	order := o.prepare(t, "/pay/cat-food?ref=INV-7")
	require.NoError(t, o.simulator.Pay(order))
	o.work(t, 100*time.Hour)
	require.Equal(t, []string{"order.paid"}, program.types())
	data := program.received[0]["data"].(map[string]any)
	assert.Equal(t, order, data["order"])
	assert.Equal(t, "paid", data["status"])
	assert.EqualValues(t, 12800, data["amount"])
	assert.Equal(t, "HKD", data["currency"])
	assert.Equal(t, "INV-7", data["ref"])
	assert.Equal(t, []string{"msg_" + order + "_paid"}, program.ids)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestAShopThatDoesNotAnswerIsToldAgainUnderTheSameID(t *testing.T) {
	program := startShopProgram(t, 500, 302, 503)
	o := openOffice(t, withWebhook(program))
	order := o.prepare(t, "/pay/cat-food")
	require.NoError(t, o.simulator.Pay(order))
	o.work(t, time.Hour)
	assert.Len(t, program.ids, 4)
	for _, id := range program.ids {
		assert.Equal(t, "msg_"+order+"_paid", id)
	}
	history, err := o.ledger.History(t.Context(), order)
	require.NoError(t, err)
	delivery, err := history.Delivery("paid", o.clerk.endpoints[0].ID())
	require.NoError(t, err)
	require.NotNil(t, delivery.Done)
	assert.Equal(t, 4, delivery.Done.Attempts)
	assert.False(t, delivery.Done.GaveUp)
	assert.Equal(t, []int{500, 302, 503, 204}, statuses(delivery.Attempts), "the operator can read what happened")
}

func statuses(attempts []ledger.Attempt) (statuses []int) {
	for _, attempt := range attempts {
		statuses = append(statuses, attempt.Status)
	}
	return statuses
}

func TestAShopThatNeverAnswersIsGivenUpAfterThreeDays(t *testing.T) {
	failures := make([]int, 100)
	for i := range failures {
		failures[i] = http.StatusInternalServerError
	}
	program := startShopProgram(t, failures...)
	o := openOffice(t, withWebhook(program))
	order := o.prepare(t, "/pay/cat-food")
	require.NoError(t, o.simulator.Pay(order))
	o.work(t, 2*24*time.Hour)
	told := len(program.ids)
	assert.Greater(t, told, 7)
	o.work(t, 3*24*time.Hour)
	assert.Len(t, program.ids, webhook.Attempts)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
	assert.Equal(t, ledger.StatusPaid, o.status(t, order))
}

func TestAShopMayAskToBeToldLaterOrNever(t *testing.T) {
	t.Run("later", func(t *testing.T) {
		program := startShopProgram(t, 429)
		program.wait = "3600"
		o := openOffice(t, withWebhook(program))
		require.NoError(t, o.simulator.Pay(o.prepare(t, "/pay/cat-food")))
		o.work(t, 59*time.Minute)
		assert.Len(t, program.ids, 1)
		o.work(t, 2*time.Minute)
		assert.Len(t, program.ids, 2)
	})
	t.Run("never", func(t *testing.T) {
		program := startShopProgram(t, http.StatusGone)
		o := openOffice(t, withWebhook(program))
		require.NoError(t, o.simulator.Pay(o.prepare(t, "/pay/cat-food")))
		o.work(t, time.Minute)
		require.NoError(t, o.simulator.Pay(o.prepare(t, "/pay/cat-food?ref=2")))
		o.work(t, webhook.Span+2*time.Hour)
		assert.Len(t, program.ids, 1, "no other order is told either")
		open, err := o.ledger.Open(t.Context())
		require.NoError(t, err)
		assert.Empty(t, open, "in the end it is given up")
	})
	t.Run("until the operator has loaded the configuration again", func(t *testing.T) {
		program := startShopProgram(t, http.StatusGone)
		o := openOffice(t, withWebhook(program))
		require.NoError(t, o.simulator.Pay(o.prepare(t, "/pay/cat-food")))
		o.work(t, 24*time.Hour)
		require.Len(t, program.ids, 1)
		o.clerk = &clerk{books: o.clerk.books, endpoints: o.clerk.endpoints, logger: o.clerk.logger}
		o.work(t, 2*time.Hour)
		assert.Len(t, program.ids, 2)
	})
}

func TestARestartBetweenAttemptsKeepsTheirCount(t *testing.T) {
	program := startShopProgram(t, 500, 500, 500)
	o := openOffice(t, withWebhook(program))
	require.NoError(t, o.simulator.Pay(o.prepare(t, "/pay/cat-food")))
	o.work(t, 20*time.Minute)
	require.Len(t, program.ids, 3)
	o.due = newAgenda() // what a restart forgets
	o.work(t, 5*time.Minute)
	assert.Len(t, program.ids, 3, "the next attempt is not due yet")
	o.work(t, time.Hour)
	assert.Len(t, program.ids, 4)
}

func TestTheShopIsToldOfClosedOrders(t *testing.T) {
	program := startShopProgram(t)
	o := openOffice(t, withWebhook(program))
	o.prepare(t, "/pay/cat-food")
	o.work(t, time.Hour)
	assert.Equal(t, []string{"order.closed"}, program.types())
}

// The clerk itself, with its clock running in a bubble of time.
func TestTheClerkWorksByTheClockAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		simulator, err := qfpaytest.New(qfpaytest.Config{AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, NotifyOff: true})
		require.NoError(t, err)
		h, err := provision(t, nil)
		require.NoError(t, err)
		h.gateway.client, err = qfpay.NewClient(qfpay.Config{
			Gateway: "http://gateway.test", AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Transport: direct{simulator},
		})
		require.NoError(t, err)
		c := &counter{Handler: h, simulator: simulator, jar: map[string]string{}}
		ctx, stop := context.WithCancel(t.Context())
		keeper := &clerk{books: h.books, logger: h.logger}
		var stopped sync.WaitGroup
		stopped.Go(func() { keeper.run(ctx) })

		var paid, unpaid string
		for order, link := range map[*string]string{&paid: "/pay/cat-food", &unpaid: "/pay/cat-food?ref=2"} {
			callback := c.authorize(t, link)
			require.Equal(t, http.StatusFound, c.visit(t, callback).StatusCode)
			*order = orderIn(callback)
		}
		require.NoError(t, simulator.Pay(paid))
		time.Sleep(6 * time.Second)
		synctest.Wait()
		found, err := h.ledger.Find(t.Context(), paid)
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusPaid, found.Status())
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		found, err = h.ledger.Find(t.Context(), unpaid)
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusClosed, found.Status())
		open, err := h.ledger.Open(t.Context())
		require.NoError(t, err)
		assert.Empty(t, open)
		stop()
		stopped.Wait()
		require.NoError(t, simulator.Close())
		time.Sleep(10 * time.Second) // the storage's lock keeper notices
	})
}

func TestAPanicCostsTheClerkATermAndNotItsLock(t *testing.T) {
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := counterInBubble(t, root)
		callback := c.authorize(t, "/pay/cat-food")
		require.Equal(t, http.StatusFound, c.visit(t, callback).StatusCode)
		require.NoError(t, c.simulator.Pay(orderIn(callback)))
		var panicked atomic.Bool
		troubleAt(root).with(func(_ context.Context, operation, key string) error {
			if operation == "List" && strings.HasSuffix(key, "/open/0") && !panicked.Swap(true) {
				panic("a mistake of the storage")
			}
			return nil
		})
		app := &App{logger: c.logger, clerks: map[string]*clerk{c.Name: {books: c.books, logger: c.logger}}}
		require.NoError(t, app.Start())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.True(t, panicked.Load())
		found, err := c.ledger.Find(t.Context(), orderIn(callback))
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusPaid, found.Status())
		require.NoError(t, app.Stop())
		unlock, err := c.ledger.Lock(t.Context(), "clerk")
		require.NoError(t, err, "another node can take over")
		unlock()
		require.NoError(t, c.simulator.Close())
		time.Sleep(10 * time.Second) // the storage's lock keeper notices
	})
}

// direct is a gateway without a network between.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	incoming := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	incoming.Header = r.Header
	d.ServeHTTP(w, incoming)
	return w.Result(), nil
}

package qfpayjsapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// twoNodes are two machines with one storage before one gateway: nothing in
// memory is shared.
func twoNodes(t *testing.T) (one *counter, two *Handler) {
	t.Helper()
	storage := map[string]any{"module": "file_system", "root": t.TempDir()}
	one = openCounter(t, map[string]any{"storage": storage})
	two, err := provision(t, map[string]any{
		"environment": one.Environment, "pay_page": one.PayPage, "storage": storage,
	})
	require.NoError(t, err)
	two.account = newAccount()
	two.gateway.pace = two.account.pace
	two.logger, two.now = one.logger, one.now
	return one, two
}

// callbackOn sends one's callback to a node.
func callbackOn(t *testing.T, node *Handler, jar map[string]string, callback string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, callback, nil)
	for name, value := range jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	require.NoError(t, node.ServeHTTP(w, asCaddyWould(r), nobody))
	return w.Result()
}

// The node that looks after open orders is told of a payment in memory. It is
// told in storage by another one, and of a payment that came too late: then it
// may just be taking the order off the index.
func TestAPaymentIsAnnouncedWhereThatIsNeeded(t *testing.T) {
	for _, test := range []struct {
		name      string
		leads     int32
		over      bool
		announced bool
	}{
		{"in time, to the node itself", 1, false, false},
		{"in time, to another node", 0, false, true},
		{"too late", 1, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openCounter(t, nil)
			c.account.leads.Store(test.leads)
			callback := c.authorize(t, "/pay/cat-food")
			require.Equal(t, http.StatusFound, c.visit(t, callback).StatusCode)
			order, err := c.ledger.Find(t.Context(), orderIn(callback))
			require.NoError(t, err)
			if test.over { // since the notification looked
				require.NoError(t, c.ledger.Record(t.Context(), order.ID, ledger.Closed{At: c.now(), Reason: "not_found"}))
			}
			_, err = c.settle(t.Context(), order, news{
				number: order.ID, syssn: order.Prepared.Syssn, amount: order.Intent.Amount, currency: order.Intent.Currency,
				state: qfpay.TradePaid, source: "notification",
			})
			require.NoError(t, err)
			subjects, news, err := c.ledger.Index(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []string{order.ID}, subjects)
			assert.Equal(t, test.announced, slices.Contains(news, ledger.News{Order: order.ID, Fact: "paid"}))
			assert.Contains(t, c.account.woken.take(), order.ID)
		})
	}
}

func TestTheSameCallbackOnTwoNodesMakesOnePayment(t *testing.T) {
	one, two := twoNodes(t)
	callback := one.authorize(t, "/pay/cat-food")
	locations := make([]string, 8)
	var all sync.WaitGroup
	for i := range locations {
		node := one.Handler
		if i%2 == 1 {
			node = two
		}
		all.Go(func() { locations[i] = callbackOn(t, node, one.jar, callback).Header.Get("Location") })
	}
	all.Wait()
	require.NotEmpty(t, locations[0])
	for _, location := range locations {
		assert.Equal(t, locations[0], location)
	}
	assert.Equal(t, 1, one.simulator.Calls("openid"))
	assert.Equal(t, 1, one.simulator.Calls("payment"))
}

func TestOneNodeIsNotifiedAndTheOtherSeesThePayerReturn(t *testing.T) {
	one, two := twoNodes(t)
	callback := one.authorize(t, "/pay/cat-food")
	require.Equal(t, http.StatusFound, callbackOn(t, two, one.jar, callback).StatusCode, "the other node opens the cookie")
	order := orderIn(callback)
	require.NoError(t, one.simulator.Pay(order))
	found, err := two.ledger.Find(t.Context(), order)
	require.NoError(t, err)
	var both sync.WaitGroup
	for _, node := range []*books{one.books, two.books} {
		both.Go(func() {
			_, err := node.ask(t.Context(), found)
			assert.NoError(t, err)
		})
	}
	both.Wait()
	for _, node := range []*books{one.books, two.books} {
		settled, err := node.ledger.Find(t.Context(), order)
		require.NoError(t, err)
		assert.Equal(t, ledger.StatusPaid, settled.Status())
	}
}

func TestTwoNodesAskTheGatewayInTurn(t *testing.T) {
	one, two := twoNodes(t)
	callback := one.authorize(t, "/pay/cat-food")
	one.visit(t, callback)
	order, err := one.ledger.Find(t.Context(), orderIn(callback))
	require.NoError(t, err)
	everybodyAsks := func() {
		var all sync.WaitGroup
		for i := range 8 {
			node := []*books{one.books, two.books}[i%2]
			all.Go(func() { node.enquire(t.Context(), order) })
		}
		all.Wait()
	}
	everybodyAsks()
	assert.Equal(t, 1, one.simulator.Calls("query"))
	one.hands.set(one.now().Add(enquiryInterval - time.Millisecond))
	everybodyAsks()
	assert.Equal(t, 1, one.simulator.Calls("query"))
	require.NoError(t, one.simulator.Pay(order.ID))
	one.hands.set(one.now().Add(time.Millisecond))
	everybodyAsks()
	assert.Equal(t, 2, one.simulator.Calls("query"))
	settled, err := two.ledger.Find(t.Context(), order.ID)
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPaid, settled.Status())
}

func TestTheNodeThatTellsTheShopLearnsOfAnOrderClosedByHandOnAnother(t *testing.T) {
	one, two := twoNodes(t)
	callback := one.authorize(t, "/pay/cat-food")
	one.simulator.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.DropBefore}) // so that no enquiry has news of it
	one.visit(t, callback)
	one.hands.set(one.now().Add(one.callbackTime()))
	order, err := one.ledger.Find(t.Context(), orderIn(callback))
	require.NoError(t, err)
	_, err = one.closeByHand(t.Context(), order)
	require.NoError(t, err)
	other := &clerk{books: two.books, logger: two.logger}
	due := newAgenda()
	due.add(order.ID, other.now().Add(laterEnquiries))
	other.scan(t.Context(), due, nil)
	subject, any := due.take(other.now())
	assert.True(t, any, "at once, and not when it would have asked about the order")
	assert.Equal(t, order.ID, subject)
}

func TestAnotherNodeGoesOnWhereOneStopped(t *testing.T) {
	one, two := twoNodes(t)
	callback := one.authorize(t, "/pay/cat-food")
	one.visit(t, callback)
	require.NoError(t, one.simulator.Pay(orderIn(callback)))
	one.hands.set(one.now().Add(6 * time.Second))
	other := &clerk{books: two.books, logger: two.logger}
	_, err := other.look(t.Context(), orderIn(callback))
	require.NoError(t, err)
	settled, err := one.ledger.Find(t.Context(), orderIn(callback))
	require.NoError(t, err)
	assert.Equal(t, ledger.StatusPaid, settled.Status())
}

package cluster

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// The size of the campaign.
const (
	customers = 40
	atOnce    = 10
	kills     = 3
)

// customer is a payer with habits, who reloads pages that fail.
type customer struct {
	*payer
	link     string
	button   string        // of the wallet that is pressed; "" for none
	after    time.Duration // on the pay page
	returns  bool          // from the pay page to the shop
	hasty    bool          // comes back from WeChat twice at once
	reloads  int           // of one page, at most
	attempts int           // orders started, for want of a pay page
}

// customers have habits by chance, which a fixed seed decides.
func (c *cluster) customer(number uint64) *customer {
	dice := rand.New(rand.NewPCG(number, 1))
	k := &customer{payer: c.payer(), link: catFood, reloads: 40}
	if dice.Float64() < 0.8 {
		k.button = "pay"
	}
	k.returns, k.hasty = dice.Float64() < 0.5, dice.Float64() < 0.3
	return k
}

// shop goes through a purchase and returns the order that got a pay page, or
// "" if none did.
func (k *customer) shop() (order string) {
	link := k.link
	for k.attempts = 1; k.attempts <= 5; k.attempts++ {
		page, order := k.payPage(k.persist(link))
		if order == "" {
			continue
		}
		if !page.isPayPage() {
			link = again(k.link, order)
			continue
		}
		k.finish(page.location)
		return order
	}
	return ""
}

// payPage follows the OAuth from a pay link, and once more if the shop asks for
// that, to the page after it.
func (k *customer) payPage(page reply) (_ reply, order string) {
	for page.isOAuth() {
		callback := k.get(anyNode, page.location).location
		if order = orderIn(callback); order == "" {
			return page, ""
		}
		page = k.comeBack(callback)
	}
	return page, order
}

func (k *customer) comeBack(callback string) reply {
	var twin sync.WaitGroup
	defer twin.Wait()
	if k.hasty {
		twin.Go(func() { k.get(anyNode, callback) })
	}
	return k.persist(callback)
}

func (k *customer) finish(payPage string) {
	if k.button == "" {
		return
	}
	time.Sleep(k.after)
	if pressed := k.press(payPage, k.button); k.returns {
		k.persist(pressed.location)
	}
}

// persist opens an address and reloads it while the shop does not serve it, at
// the pace of an impatient person.
func (k *customer) persist(address string) (page reply) {
	for range k.reloads {
		page = k.get(anyNode, address)
		if page.status != 0 && page.status < http.StatusInternalServerError && page.status != http.StatusTooManyRequests {
			return page
		}
		time.Sleep(250 * time.Millisecond)
	}
	return page
}

func TestNoPaymentIsLostWhileNodesAreKilled(t *testing.T) {
	t.Parallel()
	c := openCluster(t, withNotifications, withHaste)
	// Calls that take half a second are in flight when a node dies.
	c.gateway.Inject(qfpaytest.Fault{Kind: qfpaytest.Delay, Delay: time.Minute, Times: -1})

	crowd := c.admitCustomers()
	c.killNowAndThen(t)
	crowd.leave(t)

	trades := c.tradesByOrder(t)
	paid := slices.DeleteFunc(slices.Collect(maps.Keys(trades)), func(order string) bool { return trades[order] != qfpaytest.Paid })
	eventually(t, "the shop is told of every payment", func() bool { return c.toldOfAll(paid) })
	c.checkLedger(t, trades)
	for _, order := range crowd.orders {
		assert.Contains(t, trades, order, "an order with a pay page")
	}
	events := c.program.events()
	assert.Len(t, events, len(paid), "events that the shop is told: each payment is one, whatever was told twice")
	t.Logf("%d customers, %d of them with more than one order; %d trades, %d paid; %d kills; %d notifications sent, %d accepted; %d webhook deliveries; slowest webhook %s after the payment",
		customers, crowd.insistent, len(trades), len(paid), kills, len(c.gateway.Notifications()), c.accepted(), total(events), c.slowestWebhook(paid))
}

// crowd are all customers, of whom some shop at once.
type crowd struct {
	all    sync.WaitGroup
	number atomic.Uint64

	mu        sync.Mutex
	orders    []string // with a pay page
	insistent int      // who needed more than one order
}

func (c *cluster) admitCustomers() *crowd {
	crowd := new(crowd)
	for range atOnce {
		crowd.all.Go(func() {
			for i := crowd.number.Add(1); i <= customers; i = crowd.number.Add(1) {
				k := c.customer(i)
				crowd.note(k, k.shop())
			}
		})
	}
	return crowd
}

func (c *crowd) note(k *customer, order string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if order != "" {
		c.orders = append(c.orders, order)
	}
	if k.attempts > 1 {
		c.insistent++
	}
}

// leave waits until all customers are served.
func (c *crowd) leave(t *testing.T) {
	t.Helper()
	c.all.Wait()
	require.Len(t, c.orders, customers, "every customer comes to a pay page")
}

// killNowAndThen kills a node, now one and now the other by chance, whenever
// the gateway got some trades more, and starts it again.
func (c *cluster) killNowAndThen(t *testing.T) {
	t.Helper()
	dice := rand.New(rand.NewPCG(2, 2))
	for number := range kills {
		trades := (number + 1) * customers / (kills + 1)
		eventually(t, "the next payments", func() bool { return len(c.gateway.Trades()) >= trades })
		victim := c.front.nodes[dice.IntN(len(c.front.nodes))]
		victim.kill()
		victim.start()
	}
}

// checkLedger compares what the nodes say with what the gateway knows.
func (c *cluster) checkLedger(t *testing.T, trades map[string]qfpaytest.State) {
	t.Helper()
	asker := c.payer()
	expected := map[qfpaytest.State]string{qfpaytest.Paid: "paid", qfpaytest.Open: "pending"}
	for order, state := range trades {
		assert.Equal(t, expected[state], asker.status(anyNode, order), "%s, which is %s at the gateway", order, state)
		assert.Equal(t, 1, c.paymentsOf(order), "how often the payment of %s was sent", order)
	}
}

func (c *cluster) toldOfAll(paid []string) bool {
	events := c.program.events()
	return !slices.ContainsFunc(paid, func(order string) bool { return events[paidEvent(order)] == 0 })
}

func total(events map[string]int) (sum int) {
	for _, times := range events {
		sum += times
	}
	return sum
}

// tradesByOrder is the state of each order at the gateway, of which each has
// one trade at most.
func (c *cluster) tradesByOrder(t *testing.T) map[string]qfpaytest.State {
	states := make(map[string]qfpaytest.State)
	for _, trade := range c.gateway.Trades() {
		require.NotContains(t, states, trade.OutTradeNo, "a second trade")
		states[trade.OutTradeNo] = trade.State
	}
	return states
}

func (c *cluster) accepted() (count int) {
	for _, notification := range c.gateway.Notifications() {
		if notification.Accepted {
			count++
		}
	}
	return count
}

// slowestWebhook is the longest time from a payment until the shop was told.
func (c *cluster) slowestWebhook(paid []string) (slowest time.Duration) {
	for _, order := range paid {
		trade, _ := c.gateway.Trade(order)
		told, _ := c.program.toldAt(paidEvent(order))
		slowest = max(slowest, told.Sub(trade.PayDtm))
	}
	return slowest.Round(time.Millisecond)
}

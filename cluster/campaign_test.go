package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// The size of the campaign.
const (
	customers    = 60
	atOnce       = 10
	disturbances = 8
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
	tries    int           // for want of a pay page, at most
	wait     time.Duration // before the next try
	attempts int           // tries that were made
}

// customers have habits by chance, which a fixed seed decides.
func (c *cluster) customer(number uint64) *customer {
	dice := rand.New(rand.NewPCG(number, 1))
	k := &customer{payer: c.payer(), link: catFood, reloads: 40, tries: 5}
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
	for k.attempts = 1; k.attempts <= k.tries; k.attempts++ {
		if k.attempts > 1 {
			time.Sleep(k.wait)
		}
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
	c := openCampaign(t)
	c.rushThrough(t, func(dice *rand.Rand) {
		victim := oneOf(dice, c.front.nodes...)
		victim.kill()
		victim.start()
	})
}

func TestNoPaymentIsLostWhilePostgreSQLIsStoppedAndConnectionsBreak(t *testing.T) {
	t.Parallel()
	c := openCampaign(t)
	number := 0
	c.rushThrough(t, func(dice *rand.Rand) {
		number++
		switch number % 4 {
		case 0:
			c.server.Stop(postgrestest.Fast)
			time.Sleep(between(dice, 0, 3*time.Second))
			c.server.Start()
		case 1:
			c.server.Restart(postgrestest.Immediate) // as in a crash
		case 2:
			c.server.KillConnections()
		case 3:
			c.cable.cut()
		}
	})
}

func openCampaign(t *testing.T) *cluster {
	t.Helper()
	c := newCluster(t, withNotifications, withHaste)
	c.keepIn(postgrestest.Start(t))
	c.more = "order_ttl 1m"
	c.start()
	return c
}

// rushThrough lets all customers shop, gives money back meanwhile, disturbs them now
// and then, and compares the books when all is settled.
func (c *cluster) rushThrough(t *testing.T, disturb func(*rand.Rand)) {
	t.Helper()
	// Calls that take half a second are in flight when something happens.
	c.gateway.Inject(qfpaytest.Fault{Kind: qfpaytest.Delay, Delay: time.Minute, Times: -1})
	rush, over := context.WithCancel(t.Context())
	defer over()
	var others crew
	others.Go(func() { c.refundAtRandom(rush, rand.New(rand.NewPCG(3, 3)), &others) })
	crowd := c.admitCustomers(t)
	dice := rand.New(rand.NewPCG(2, 2))
	for number := range disturbances {
		trades := (number + 1) * customers / (disturbances + 1)
		eventually(t, "the next payments", func() bool { return len(c.gateway.Trades()) >= trades })
		disturb(dice)
	}
	crowd.leave(t)
	over()
	others.Wait()
	c.gateway.ClearFaults()
	c.settleDown(patience)
	rows := c.compareBooks()
	for _, order := range crowd.orders {
		assert.Contains(t, rows, order, "an order with a pay page")
	}
	c.checkInvoices()
	t.Logf("%d customers, %d of them with more than one order; %d disturbances", customers, crowd.insistent, disturbances)
}

// contested is an invoice that several customers want to pay and one may.
const contested = "contested"

// checkInvoices: no invoice is paid more often than it says.
func (c *cluster) checkInvoices() {
	c.t.Helper()
	paid := make(map[string]int)
	for _, o := range c.records() {
		if invoice := o.Intent.Invoice; invoice != nil && o.Status.Paid() {
			paid[invoice.ID]++
		}
	}
	assert.NotEmpty(c.t, paid)
	for invoice, times := range paid {
		assert.Equal(c.t, 1, times, "how often the invoice %s was paid", invoice)
	}
}

// invoice has a node sign a link that may be paid once.
func (n *node) invoice(t testing.TB, id string, amount int) (link string) {
	t.Helper()
	wanted := fmt.Sprintf(`{"id":%q,"amount":%d,"text":"Grooming"}`, id, amount)
	answer, err := http.Post("http://"+n.admin+"/qfpay_jsapi/invoices", "application/json", strings.NewReader(wanted))
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var signed struct{ URL string }
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&signed))
	address, err := url.Parse(signed.URL)
	require.NoError(t, err)
	return address.RequestURI()
}

// crowd are all customers, of whom some shop at once.
type crowd struct {
	all    sync.WaitGroup
	number atomic.Uint64

	mu        sync.Mutex
	orders    []string // with a pay page
	missing   int      // who came to none and had to
	insistent int      // who needed more than one order
}

// admitCustomers sells cat food to two in four, and lets one pay an invoice of their
// own and one the contested one.
func (c *cluster) admitCustomers(t *testing.T) *crowd {
	t.Helper()
	crowd := new(crowd)
	links := []string{c.one.invoice(t, contested, 12345)}
	for i := range customers {
		links = append(links, c.one.invoice(t, fmt.Sprint("own-", i+1), 1000+7*i))
	}
	for range atOnce {
		crowd.all.Go(func() {
			for i := crowd.number.Add(1); i <= customers; i = crowd.number.Add(1) {
				k := c.customer(i)
				switch i % 4 {
				case 0:
					k.link = links[0]
				case 1:
					// An order of which nobody knows whether the gateway has it
					// takes its invoice with it until it is over.
					k.link, k.tries, k.wait = links[i], 60, time.Second
				}
				crowd.note(k, k.shop(), k.link != links[0])
			}
		})
	}
	return crowd
}

func (c *crowd) note(k *customer, order string, must bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case order != "":
		c.orders = append(c.orders, order)
	case must:
		c.missing++
	}
	if must && k.attempts > 1 {
		c.insistent++
	}
}

// leave waits until all customers are served.
func (c *crowd) leave(t *testing.T) {
	t.Helper()
	c.all.Wait()
	require.Zero(t, c.missing, "every customer comes to a pay page, but for those of an invoice that others pay")
}

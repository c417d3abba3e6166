package cluster

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	appCode   = "TESTAPPCODE"
	clientKey = "the-client-key-of-a-test"
)

// webhookSecret makes a secret of the right form.
func webhookSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("test"), 6))
}

// cluster is two nodes, what they share, and the world around them.
type cluster struct {
	t        testing.TB
	redis    *redisServer
	gateway  *qfpaytest.Simulator
	wallet   *httptest.Server // where payers see the gateway's pay page
	program  *shopProgram
	front    *front
	one, two *node
	more     string // lines of the directive
	payers   atomic.Uint32
}

// set changes the gateway before the cluster opens.
type set func(*qfpaytest.Config)

func withNotifications(c *qfpaytest.Config) { c.NotifyOff = false }

// haste is how much faster the gateway is than the real one, if it is.
const haste = 120

// withHaste makes the gateway repeat notifications after seconds instead of
// minutes.
func withHaste(c *qfpaytest.Config) { c.TimeScale = haste }

// withPatience makes the gateway wait for the answer to a notification for as
// long as a node on a slow machine may wait for Redis.
func withPatience(c *qfpaytest.Config) { c.Client = &http.Client{Timeout: patience} }

func openCluster(t testing.TB, settings ...set) *cluster {
	t.Helper()
	c := newCluster(t, settings...)
	for _, n := range c.front.nodes {
		n.configure(c.caddyfile(n))
		n.start()
	}
	return c
}

// newCluster is one whose nodes have not been started.
func newCluster(t testing.TB, settings ...set) *cluster {
	t.Helper()
	front := newFront(t)
	config := qfpaytest.Config{
		AppCode: appCode, ClientKey: clientKey, Seed: 1, AnyPort: true, NoRateLimit: true,
		NotifyURL: front.server.URL + "/pay/notify", NotifyOff: true,
	}
	for _, set := range settings {
		set(&config)
	}
	gateway, err := qfpaytest.New(config)
	require.NoError(t, err)
	c := &cluster{t: t, gateway: gateway, redis: startRedis(t), wallet: httptest.NewServer(gateway), program: startProgram(t), front: front}
	t.Cleanup(c.wallet.Close)
	t.Cleanup(func() { require.NoError(t, gateway.Close()) })
	c.one, c.two = newNode(t, "one", gateway), newNode(t, "two", gateway)
	c.one.redis, c.two.redis = c.redis.address, c.redis.address
	c.front.nodes = []*node{c.one, c.two}
	return c
}

// other is the node that is not this one.
func (c *cluster) other(n *node) *node {
	if n == c.one {
		return c.two
	}
	return c.one
}

// alive are the nodes that have not been killed.
func (c *cluster) alive() []*node {
	return slices.DeleteFunc([]*node{c.one, c.two}, func(n *node) bool { return !n.alive() })
}

// clerk waits until a node asks about an order that nobody looks at: that one
// does the work on open orders.
func (c *cluster) clerk(t testing.TB) *node {
	t.Helper()
	asked := map[*node]int{c.one: c.one.line.count(queryCall), c.two: c.two.line.count(queryCall)}
	var found *node
	eventually(t, "a node asks about the open order", func() bool {
		for _, n := range c.front.nodes {
			if n.line.count(queryCall) > asked[n] {
				found = n
			}
		}
		return found != nil
	})
	return found
}

// requests is how often a call was made, by all nodes.
func (c *cluster) requests(call string) int {
	return c.one.line.count(call) + c.two.line.count(call)
}

// paymentsOf is how often the gateway was asked for the payment of an order, by
// all nodes.
func (c *cluster) paymentsOf(order string) int {
	return c.one.line.askedByNumber()[order] + c.two.line.askedByNumber()[order]
}

// patience is for what takes the expiry of a lock and the retries after it.
const patience = time.Minute

// eventually waits for what another process will do soon.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "in vain: %s", what)
	}
}

// requireSettledAsPaid waits until the shop is told of a payment, and finds it
// paid at every node. It asks no node before that, so that the nodes find out
// by themselves.
func (c *cluster) requireSettledAsPaid(t testing.TB, order string) {
	t.Helper()
	eventually(t, "the shop is told of the payment of "+order, func() bool { return c.program.events()[paidEvent(order)] > 0 })
	asker := c.payer()
	for _, n := range c.alive() {
		require.Equal(t, "paid", asker.status(n, order), "at node %s", n.name)
	}
	require.Len(t, c.program.eventsOf(order), 1)
}

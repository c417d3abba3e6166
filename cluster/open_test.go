package cluster

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	appCode    = "TESTAPPCODE"
	clientKey  = "the-client-key-of-a-test"
	invoiceKey = "0123456789abcdef0123456789abcdef"
)

// webhookSecret makes a secret of the right form.
func webhookSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("test"), 6))
}

// cluster is its nodes, what they share, and the world around them. On PostgreSQL
// there are two nodes, on SQLite one.
type cluster struct {
	t        testing.TB
	server   *postgrestest.Server // nil on SQLite
	cable    *cable               // from the nodes to the server
	engine   string               // sqlite or postgres
	ledger   string               // the address of the ledger, past the cable
	opened   ledger.Ledger        // by the test, at the first look
	gateway  *qfpaytest.Simulator
	exchange *exchange
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
// long as a node on a slow machine may wait for PostgreSQL.
func withPatience(c *qfpaytest.Config) { c.Client = &http.Client{Timeout: patience} }

// openCluster opens two nodes on a PostgreSQL of their own.
func openCluster(t testing.TB, settings ...set) *cluster {
	t.Helper()
	c := newCluster(t, settings...)
	c.keepIn(postgrestest.Start(t))
	c.start()
	return c
}

// newCluster has no ledger yet, and none of its nodes was started.
func newCluster(t testing.TB, settings ...set) *cluster {
	t.Helper()
	front := newFront(t)
	config := qfpaytest.Config{
		Strict: true, AppCode: appCode, ClientKey: clientKey, Seed: 1, AnyPort: true, NoRateLimit: true,
		NotifyURL: front.server.URL + "/pay/notify", NotifyOff: true,
	}
	for _, set := range settings {
		set(&config)
	}
	gateway, err := qfpaytest.New(config)
	require.NoError(t, err)
	c := &cluster{t: t, gateway: gateway, exchange: newExchange(t), wallet: httptest.NewServer(gateway), program: startProgram(t), front: front}
	t.Cleanup(c.wallet.Close)
	t.Cleanup(func() { require.NoError(t, gateway.Close()) })
	c.one = c.newNode("one")
	c.front.nodes = []*node{c.one}
	return c
}

func (c *cluster) newNode(name string) *node {
	c.t.Helper()
	n := newNode(c.t, name)
	n.line = c.exchange.newLine(name, c.gateway)
	return n
}

// keepIn keeps the ledger in a new database of a server, and adds the second node.
func (c *cluster) keepIn(server *postgrestest.Server) {
	c.t.Helper()
	c.server, c.engine, c.ledger = server, "postgres", server.NewDatabase()
	address, err := url.Parse(c.ledger)
	require.NoError(c.t, err)
	c.cable = newCable(c.t, address.Host)
	address.Host = c.cable.address()
	c.two = c.newNode("two")
	c.one.ledger, c.two.ledger = address.String(), address.String()
	c.front.nodes = []*node{c.one, c.two}
}

// keepInFile keeps the ledger in SQLite.
func (c *cluster) keepInFile() {
	c.engine, c.ledger = "sqlite", filepath.Join(c.one.folder, "ledger.db")
	c.one.ledger = c.ledger
}

func (c *cluster) start() {
	c.t.Helper()
	for _, n := range c.front.nodes {
		n.configure(c.caddyfile(n))
		n.start()
	}
}

// alive are the nodes that have not been killed.
func (c *cluster) alive() (alive []*node) {
	for _, n := range c.front.nodes {
		if n.alive() {
			alive = append(alive, n)
		}
	}
	return alive
}

// requests is how often a call was made, by all nodes.
func (c *cluster) requests(call string) (count int) {
	for _, n := range c.front.nodes {
		count += n.line.count(call)
	}
	return count
}

// asked is how often the gateway was asked for each payment and refund, by all
// nodes.
func (c *cluster) asked() map[string]int {
	all := make(map[string]int)
	for _, n := range c.front.nodes {
		for number, times := range n.line.askedByNumber() {
			all[number] += times
		}
	}
	return all
}

func (c *cluster) paymentsOf(order string) int { return c.asked()[order] }

// patience is for what takes the end of a lease, which is 90 s, and the retries
// after it.
const patience = 3 * time.Minute

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

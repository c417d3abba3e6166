package cluster

import (
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
)

// wanted is the header with which a test chooses the node.
const wanted = "Wanted-Node"

// forwardedFor carries the payer's address, as a load balancer passes it on.
const forwardedFor = "X-Forwarded-For"

// front is the load balancer: the one public address of the shop. It sends each
// request to the node that the test wants, or else to any, dead ones included.
type front struct {
	server *httptest.Server
	nodes  []*node

	mu       sync.Mutex
	dice     *rand.Rand
	notified *node // who gets the gateway's notifications; nil is any
}

func newFront(t testing.TB) *front {
	f := &front{dice: rand.New(rand.NewPCG(1, 1))}
	f.server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", f.choose(r.In).address
			r.Out.Host = r.In.Host
			r.Out.Header[forwardedFor] = r.In.Header[forwardedFor]
		},
		// Connections are not used again, because for those the transport would
		// repeat a request by itself.
		Transport: &http.Transport{DisableKeepAlives: true},
		ErrorLog:  log.New(io.Discard, "", 0),
	})
	t.Cleanup(f.server.Close)
	return f
}

func (f *front) choose(r *http.Request) *node {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.nodes {
		if n.name == r.Header.Get(wanted) {
			return n
		}
	}
	if f.notified != nil && strings.HasSuffix(r.URL.Path, "/notify") {
		return f.notified
	}
	return f.nodes[f.dice.IntN(len(f.nodes))]
}

// throw lets other dice choose.
func (f *front) throw(dice *rand.Rand) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dice = dice
}

// notify sends the gateway's notifications to one node.
func (f *front) notify(n *node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notified = n
}

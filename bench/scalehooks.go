package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// hooks receives the webhooks of all shops, each at an address of its own.
type hooks struct {
	address string
	server  *http.Server
	open    atomic.Int64 // connections

	mu    sync.Mutex
	heard map[string]heard // by order
	again int              // webhooks that came before
	wrong []string
}

// hookIdleTime is how long the receiver keeps a connection that is not used. Without
// it, two nodes with a connection to each of many webhooks are more than a process
// may have open here.
const hookIdleTime = 30 * time.Second

// heard is when an order was known to be paid, and when its webhook said so.
type heard struct{ known, arrived time.Time }

func openHooks() (*hooks, error) {
	listener, err := net.Listen("tcp", freeAddress())
	if err != nil {
		return nil, err
	}
	h := &hooks{address: listener.Addr().String(), heard: make(map[string]heard)}
	h.server = &http.Server{Handler: h, ConnState: h.count, IdleTimeout: hookIdleTime}
	go func() { _ = h.server.Serve(listener) }()
	return h, nil
}

func (h *hooks) close() { _ = h.server.Close() }

// link is where the shop posts to.
func (h *hooks) link(shop int) string { return fmt.Sprintf("http://%s/%d", h.address, shop) }

func (h *hooks) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		h.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		h.open.Add(-1)
	}
}

// ServeHTTP takes one webhook.
func (h *hooks) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	var said struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      struct {
			Shop  string `json:"shop"`
			Order string `json:"order"`
		} `json:"data"`
	}
	err := json.NewDecoder(r.Body).Decode(&said)
	shop, _ := strconv.Atoi(r.URL.Path[1:])
	h.mu.Lock()
	defer h.mu.Unlock()
	switch _, before := h.heard[said.Data.Order]; {
	case err != nil, said.Type != "order.paid", said.Data.Shop != scaleName(shop):
		h.wrong = append(h.wrong, fmt.Sprintf("%s was told of %+v (%v)", scaleName(shop), said, err))
	case before:
		h.again++
	default:
		h.heard[said.Data.Order] = heard{known: said.Timestamp, arrived: arrived}
	}
}

// await waits until so many orders were heard of, but not for ever.
func (h *hooks) await(orders int, most time.Duration) {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		h.mu.Lock()
		all := len(h.heard) >= orders
		h.mu.Unlock()
		if all {
			return
		}
	}
}

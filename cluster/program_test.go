package cluster

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// shopProgram is the shop's own program that is told by webhook.
type shopProgram struct {
	server *httptest.Server

	mu       sync.Mutex
	received map[string]int // by webhook-id
	first    map[string]time.Time
	held     map[string]*gate
}

func startProgram(t testing.TB) *shopProgram {
	p := &shopProgram{received: make(map[string]int), first: make(map[string]time.Time), held: make(map[string]*gate)}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

func (p *shopProgram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if held := p.note(r.Header.Get("Webhook-Id")); held != nil {
		held.wait()
	}
	w.WriteHeader(http.StatusNoContent)
}

func (p *shopProgram) note(id string) *gate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.received[id]++; p.received[id] == 1 {
		p.first[id] = time.Now()
	}
	held := p.held[id]
	delete(p.held, id)
	return held
}

// hold makes the program take its time over its next answer to an event.
func (p *shopProgram) hold(t testing.TB, id string) *gate {
	g := newGate(t)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[id] = g
	return g
}

// events returns how often each event was received, by webhook-id.
func (p *shopProgram) events() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.received)
}

// eventsOf returns how often each event of one order was received.
func (p *shopProgram) eventsOf(order string) map[string]int {
	events := p.events()
	maps.DeleteFunc(events, func(id string, _ int) bool { return !strings.Contains(id, order) })
	return events
}

// toldAt is when an event was received first.
func (p *shopProgram) toldAt(id string) (at time.Time, told bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, told = p.first[id]
	return at, told
}

func paidEvent(order string) string { return "msg_" + order + "_paid" }

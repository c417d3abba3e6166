package cluster

import (
	"encoding/json"
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
	received map[string]int     // accepted, by webhook-id
	said     map[string]message // by webhook-id
	changed  []string           // ids that did not mean the same every time
	first    map[string]time.Time
	held     map[string]*gate
	refuses  func(id string) bool // before the first acceptance
	tell     func(message)        // at the first acceptance
}

// message is what the program is told.
type message struct {
	Type string
	Data struct {
		Order  string
		Amount int64
		Refund struct{ Amount int64 }
	}
}

func startProgram(t testing.TB) *shopProgram {
	p := &shopProgram{
		received: make(map[string]int), said: make(map[string]message), first: make(map[string]time.Time), held: make(map[string]*gate),
		refuses: func(string) bool { return false }, tell: func(message) {},
	}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

func (p *shopProgram) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var told message
	if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
		return // the node died in mid sentence
	}
	held, accepted := p.note(r.Header.Get("Webhook-Id"), told)
	if held != nil {
		held.wait()
	}
	if !accepted {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (p *shopProgram) note(id string, told message) (held *gate, accepted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before, known := p.said[id]; known && before != told {
		p.changed = append(p.changed, id)
	}
	p.said[id] = told
	if p.received[id] == 0 && p.refuses(id) {
		return nil, false
	}
	if p.received[id]++; p.received[id] == 1 {
		p.first[id] = time.Now()
		p.tell(told)
	}
	held = p.held[id]
	delete(p.held, id)
	return held, true
}

// onFirst sets what happens when an event is accepted for the first time.
func (p *shopProgram) onFirst(tell func(message)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tell = tell
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

// messages returns what each event says, by webhook-id.
func (p *shopProgram) messages() map[string]message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.said)
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

func closedEvent(order string) string { return "msg_" + order + "_closed" }

func refundEvent(order, number string) string { return "msg_" + order + "_refund-" + number }

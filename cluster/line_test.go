package cluster

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// The addresses of the gateway that a node calls.
const (
	openidCall  = "/tool/v1/get_weixin_openid"
	paymentCall = "/trade/v1/payment"
	queryCall   = "/trade/v1/query"
	refundCall  = "/trade/v1/refund"
)

// oauthPage is where payers' browsers are sent.
const oauthPage = "/tool/v1/get_weixin_oauth_code"

// line is the way from one node to the gateway. It knows what the node asked
// for, and can hold a call. As on a real line, a call that has been sent is
// carried out even if the caller dies.
type line struct {
	url     string // a path of its own at the gateway's address, which all nodes share
	gateway http.Handler
	watcher *watcher // nil: the node is not watched

	mu    sync.Mutex
	calls map[string]int // by address
	asked map[string]int // payments by order, and refunds by their numbers
	held  *hold
}

// exchange is the gateway's address, with a line for each node.
type exchange struct {
	server *httptest.Server
	lines  *http.ServeMux
}

func newExchange(t testing.TB) *exchange {
	e := &exchange{lines: http.NewServeMux()}
	e.server = httptest.NewServer(e.lines)
	t.Cleanup(e.server.Close)
	return e
}

func (e *exchange) newLine(name string, gateway http.Handler) *line {
	l := &line{url: e.server.URL + "/" + name, gateway: gateway, calls: make(map[string]int), asked: make(map[string]int)}
	e.lines.Handle("/"+name+"/", http.StripPrefix("/"+name, l))
	return l
}

func (l *line) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller died in mid sentence
	}
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	held := l.note(r.URL.Path, body)
	if l.watcher != nil && l.watcher.call(r, l.gateway) {
		return // nobody waits for an answer any more
	}
	if held != nil {
		held.serve(w, r, l.gateway)
		return
	}
	l.gateway.ServeHTTP(w, r)
}

// note counts a call, and returns the hold that is waiting for it.
func (l *line) note(call string, body []byte) *hold {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[call]++
	if form, err := url.ParseQuery(string(body)); err == nil && (call == paymentCall || call == refundCall) {
		l.asked[form.Get("out_trade_no")]++
	}
	if l.held == nil || l.held.call != call {
		return nil
	}
	held := l.held
	l.held = nil
	return held
}

// count is how often the node made a call.
func (l *line) count(call string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[call]
}

// askedByNumber is how often the node asked for each payment and refund.
func (l *line) askedByNumber() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.asked)
}

// moment is where on its way a call is held.
type moment string

const (
	beforeTheGateway moment = "before the gateway has it"
	afterTheGateway  moment = "after the gateway did it"
)

// hold keeps one call waiting at its gate.
type hold struct {
	*gate
	call string
	at   moment
}

// hold makes the next call of a kind wait until the gate is opened.
func (l *line) hold(t testing.TB, call string, at moment) *gate {
	h := &hold{gate: newGate(t), call: call, at: at}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = h
	return h.gate
}

func (h *hold) serve(w http.ResponseWriter, r *http.Request, gateway http.Handler) {
	if h.at == beforeTheGateway {
		h.wait()
	}
	answer := httptest.NewRecorder()
	gateway.ServeHTTP(answer, r)
	if h.at == afterTheGateway {
		h.wait()
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

package qfpayjsapi

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
	"pgregory.net/rapid"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// world is a shop on two machines with one storage, its payers, the gateway
// and the shop's own program. Time passes only when somebody moves the clock.
type world struct {
	shop    *testing.T
	hands   *hands
	gateway *qfpaytest.Simulator
	mail    chan *letter // from the gateway, on its way
	letters []*letter    // all that the gateway ever wrote
	again   []*letter    // those that a node could not take: the gateway sends them once more
	memory  *memory
	ledger  *ledger.Ledger // the truth of storage, without any node's mishaps
	nodes   []*node
	program *program
	payers  []*payer

	mu       sync.Mutex               // of asked and mistakes, as both nodes may serve at once
	highest  map[string]ledger.Status // ever seen, by order
	payable  map[string]bool          // orders whose pay page a browser was sent to
	asked    map[string]int           // payments and refunds that the gateway was asked for, by number
	misled   bool                     // what the ledger called over can be paid: the gateway was wrong, or a payer too late
	mistakes []string                 // see blunder

	moments int    // until the interruption
	during  *node  // whose work is interrupted
	event   func() // the interruption
}

// At these moments a day, and a day with a month, ends soon for the gateway.
var mornings = []time.Time{
	time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC),
	time.Date(2026, 11, 30, 15, 50, 0, 0, time.UTC),
}

const gatewayAddress = "http://localhost"

func newWorld(shop *testing.T, morning time.Time) *world {
	cryptotest.SetGlobalRandom(shop, 1) // the same choices lead to the same order ids
	w := &world{
		shop: shop, hands: &hands{at: morning}, mail: make(chan *letter), memory: newMemory(), program: newProgram(),
		highest: map[string]ledger.Status{}, payable: map[string]bool{}, asked: map[string]int{},
	}
	var err error
	w.gateway, err = qfpaytest.New(qfpaytest.Config{
		AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, AnyPort: true,
		Now: w.hands.now, Client: &http.Client{Transport: postOffice(w.mail)},
	})
	require.NoError(shop, err)
	for range 2 {
		n := &node{world: w, leads: len(w.nodes) == 0}
		n.start()
		w.nodes = append(w.nodes, n)
	}
	w.ledger = ledger.New(w.memory, w.nodes[0].Name)
	for i := range 3 {
		w.payers = append(w.payers, &payer{world: w, link: "/pay/cat-food?ref=" + strconv.Itoa(i), jar: map[string]string{}})
	}
	return w
}

func (w *world) close() {
	for _, n := range w.nodes {
		n.clerk.closeIdle()
	}
	w.program.server.Close()
	_ = w.gateway.Close()
}

// blunder notes a mistake where a test cannot fail.
func (w *world) blunder(mistake string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mistakes = append(w.mistakes, mistake)
}

func (w *world) pass(time time.Duration) { w.hands.set(w.hands.now().Add(time)) }

func (w *world) other(n *node) *node {
	if n == w.nodes[0] {
		return w.nodes[1]
	}
	return w.nodes[0]
}

// interrupt plans that something happens in the middle of a node's work: at one
// of the next moments at which it writes or talks to the gateway.
func (w *world) interrupt(n *node, moments int, event func()) {
	w.during, w.moments, w.event = n, moments, event
}

func (w *world) moment(n *node) {
	if w.event == nil || w.during != n {
		return
	}
	if w.moments--; w.moments >= 0 {
		return
	}
	event := w.event
	w.event = nil
	w.memory.standStill(true)
	defer w.memory.standStill(false)
	event()
}

// letter is a notification that the gateway wrote.
type letter struct {
	body, sign string
	about      qfpay.Notification
	accepted   bool // by some node
}

// signed is the signature of a body with a key.
func signed(body, key string) string { return fmt.Sprintf("%X", md5.Sum([]byte(body+key))) }

// postOffice takes the gateway's letters and keeps it content, so that it
// never writes twice: delivering them is up to the test.
type postOffice chan *letter

func (p postOffice) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	about, err := qfpay.ParseNotification(body)
	if err != nil {
		return nil, err
	}
	p <- &letter{body: string(body), sign: r.Header.Get("X-QF-SIGN"), about: *about}
	w := httptest.NewRecorder()
	_, _ = io.WriteString(w, "SUCCESS")
	return w.Result(), nil
}

// line is a node's line to the gateway.
type line struct{ *node }

// RoundTrip carries a call. Like a real line, it breaks where the gateway hangs
// up or promises more than it sends.
func (l line) RoundTrip(r *http.Request) (response *http.Response, err error) {
	l.world.moment(l.node)
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	l.count(r.URL.Path, body)
	response, err = l.call(r, body)
	l.world.moment(l.node)
	return response, err
}

// count remembers which payments and refunds the gateway was asked for.
func (l line) count(path string, body []byte) {
	if !strings.HasSuffix(path, "/payment") && !strings.HasSuffix(path, "/refund") {
		return
	}
	form, _ := url.ParseQuery(string(body))
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.asked[form.Get("out_trade_no")]++
}

func (l line) call(r *http.Request, body []byte) (response *http.Response, err error) {
	defer func() {
		if hungUp := recover(); hungUp != nil {
			response, err = nil, io.ErrUnexpectedEOF
		}
	}()
	w := httptest.NewRecorder()
	incoming := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(body))
	incoming.Header = r.Header
	l.world.gateway.ServeHTTP(w, incoming)
	response = w.Result()
	if response.ContentLength > int64(w.Body.Len()) {
		response.Body = io.NopCloser(io.MultiReader(w.Body, brokenOff{}))
	}
	return response, nil
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// node is one machine: the handler and the clerk, with a memory of their own.
type node struct {
	*Handler
	world *world
	disk  *disk
	clerk *clerk
	due   *agenda // of the clerk
	leads bool    // believes that it looks after open orders alone; the other one does as well
}

// start is what happens when a machine starts: all that it has is what lies in
// storage.
func (n *node) start() {
	t := n.world.shop
	if n.clerk != nil {
		n.clerk.closeIdle()
	}
	var err error
	n.Handler, err = provision(t, map[string]any{
		"client_key":  "{env.TEST_CLIENT_KEY}",
		"environment": gatewayAddress, "pay_page": gatewayAddress + "/q/direct",
		"webhooks": []any{map[string]any{"url": n.world.program.server.URL, "secret": "{env.TEST_WEBHOOK_SECRET}"}},
	})
	require.NoError(t, err)
	n.disk = newDisk(n.world.memory, func() { n.world.moment(n) })
	n.ledger = ledger.New(n.disk, n.Name)
	n.account = newAccount() // not that of the other node, nor of the one before the restart
	if n.leads {
		n.account.leads.Add(1)
	}
	n.gateway.pace = newPace()
	n.gateway.client, err = qfpay.NewClient(qfpay.Config{
		Gateway: gatewayAddress, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Transport: line{n},
	})
	require.NoError(t, err)
	n.logger, n.now = zap.NewNop(), n.world.hands.now
	n.meanwhile = func(do func() error) func() error { // one thing after the other, so that a seed repeats it
		err := do()
		return func() error { return err }
	}
	endpoints, err := n.endpoints()
	require.NoError(t, err)
	n.clerk = &clerk{books: n.books, endpoints: endpoints, logger: n.logger}
	n.account.pace = &pace{bucket: rate.NewLimiter(rate.Inf, 1)} // the clerk never waits for it
	n.due = newAgenda()
}

// attempt has the node do something and reports whether it lived through it.
// One that did not is started again.
func (n *node) attempt(something func()) (lived bool) {
	lived = n.survive(something)
	if n.disk.isDead() {
		n.start()
	}
	return lived
}

func (n *node) survive(something func()) (lived bool) {
	defer func() {
		cause := recover()
		if died, ok := cause.(error); ok && errors.Is(died, errDied) {
			return
		}
		if cause != nil {
			panic(cause)
		}
	}()
	something()
	return true
}

// serve answers a request; nil if the node died over it.
func (n *node) serve(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	if !n.survive(func() {
		if err := n.ServeHTTP(w, asCaddyWould(r), nobody); err != nil {
			n.world.blunder(r.Method + " " + r.URL.Path + ": " + err.Error())
		}
	}) {
		return nil
	}
	return w.Result()
}

// visit is [node.serve] on a node that is started again if it dies.
func (n *node) visit(r *http.Request) (response *http.Response) {
	n.attempt(func() { response = n.serve(r) })
	return response
}

// take receives a letter of the gateway.
func (n *node) take(l *letter) {
	r := httptest.NewRequest(http.MethodPost, "/pay/notify", strings.NewReader(l.body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-QF-SIGN", l.sign)
	switch response := n.visit(r); {
	case response == nil, response.StatusCode == http.StatusServiceUnavailable:
		n.world.again = append(n.world.again, l)
	case response.StatusCode == http.StatusOK:
		l.accepted = true
	}
}

// status is what the shop's own pages see of an order; empty if they see
// nothing.
func (n *node) status(order string) ledger.Status {
	var shown struct{ Status ledger.Status }
	if response := n.visit(httptest.NewRequest(http.MethodGet, "/pay/status/"+order, nil)); response != nil {
		_ = json.NewDecoder(response.Body).Decode(&shown)
	}
	return shown.Status
}

// work lets the node's clerk do all that is due within a time, or until the
// node dies, and returns what went wrong.
func (n *node) work(within time.Duration) (trouble []error) {
	end := n.now().Add(within)
	for n.attempt(n.rescan) {
		at, any := n.due.first()
		if !any || at.After(end) {
			n.world.reach(end)
			return trouble
		}
		n.world.reach(at)
		began := n.now()
		next, _ := n.due.take(began)
		n.attempt(func() {
			again, err := n.clerk.look(context.Background(), next)
			if err != nil {
				trouble = append(trouble, err)
				again = n.now().Add(troubleWait)
			}
			if !again.IsZero() && !again.After(began) {
				n.world.blunder("the clerk turns in circles over " + next)
				again = n.now().Add(time.Minute)
			}
			if !again.IsZero() {
				n.due.add(next, again)
			}
		})
	}
	return trouble
}

func (n *node) rescan() {
	n.clerk.scan(context.Background(), n.due, nil)
	for subject := range n.account.woken.take() {
		n.due.add(subject, n.now())
	}
}

// reach moves the clock forward to a time, if it is not there yet.
func (w *world) reach(at time.Time) {
	if at.After(w.hands.now()) {
		w.hands.set(at)
	}
}

// payer is a person with WeChat's browser.
type payer struct {
	world    *world
	link     string
	jar      map[string]string
	journeys []*journey
}

// journey is one passage through WeChat's authorization, towards one order.
type journey struct{ order, callback, code string }

// open follows an address of the shop on a node. A node that dies leaves the
// browser as it was.
func (p *payer) open(t *rapid.T, n *node, address string) {
	if response := n.visit(p.request(address)); response != nil {
		p.follow(t, response)
	}
}

func (p *payer) request(address string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	r.Header.Set("User-Agent", "MicroMessenger/8.0")
	for name, value := range p.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

// follow does what a browser does with an answer, and reports whether that leads
// to a pay page.
func (p *payer) follow(t *rapid.T, response *http.Response) (payable bool) {
	for _, cookie := range response.Cookies() {
		if cookie.MaxAge < 0 {
			delete(p.jar, cookie.Name)
			continue
		}
		p.jar[cookie.Name] = cookie.Value
	}
	location := response.Header.Get("Location")
	switch {
	case strings.Contains(location, "/get_weixin_oauth_code?"):
		callback := parameter(t, location, "redirect_uri").Path
		p.journeys = append(p.journeys, &journey{order: orderIn(callback), callback: callback})
	case strings.Contains(location, "/q/direct?"):
		p.arrive(t, location)
		return true
	}
	return false
}

// arrive is where the payer can pay: never for an order that the ledger does
// not hold as prepared.
func (p *payer) arrive(t *rapid.T, payPage string) {
	order := orderIn(parameter(t, payPage, "redirect_url").Path)
	found, err := p.world.ledger.Find(context.Background(), order)
	require.NoError(t, err)
	require.NotNil(t, found.Prepared, "the browser has the pay page of an order that is not prepared")
	require.Equal(t, found.Prepared.PayURL, payPage)
	p.world.payable[order] = true
}

func parameter(t *rapid.T, address, name string) *url.URL {
	u, err := url.Parse(address)
	require.NoError(t, err)
	value, err := url.Parse(u.Query().Get(name))
	require.NoError(t, err)
	return value
}

// began is when the payer set out.
func (j *journey) began() time.Time { return ulid.Time(ulid.MustParse(j.order).Time()) }

// goThrough returns the address at which WeChat brings the payer back, with the
// code of the first time.
func (j *journey) goThrough(w *world) string {
	if j.code == "" {
		j.code = w.gateway.Code()
	}
	return j.callback + "?code=" + j.code
}

// prepayLife is how long WeChat lets a payer pay: two hours.
const prepayLife = 2 * time.Hour

// press presses a button of the wallet for every order that can be paid now.
func (w *world) press(button func(order string) error) {
	for _, trade := range w.gateway.Trades() {
		if w.payable[trade.OutTradeNo] && trade.State == qfpaytest.Open && (w.misled || w.hands.now().Before(trade.SysDtm.Add(prepayLife))) {
			if err := button(trade.OutTradeNo); err != nil {
				w.blunder(err.Error())
			}
		}
	}
}

// pay presses Pay, about which the gateway writes a letter.
func (w *world) pay(order string) error {
	if err := w.gateway.Pay(order); err != nil {
		return err
	}
	w.letters = append(w.letters, <-w.mail)
	return nil
}

// refund gives money back, as the shop's owner does in the merchant's portal.
func (w *world) refund(trade qfpaytest.Trade, amount int64) {
	form := map[string]string{
		"syssn": trade.Syssn, "out_trade_no": "R" + strconv.Itoa(len(w.letters)),
		"txamt": strconv.FormatInt(amount, 10), "txdtm": w.hands.now().In(qfpay.HongKong).Format(time.DateTime),
	}
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	r := httptest.NewRequest(http.MethodPost, gatewayAddress+"/trade/v1/refund", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-QF-APPCODE", "TESTAPPCODE")
	r.Header.Set("X-QF-SIGN", qfpay.Sign(qfpay.MD5, form, "TESTKEY"))
	answer := httptest.NewRecorder()
	w.gateway.ServeHTTP(answer, r)
	if !strings.Contains(answer.Body.String(), `"0000"`) {
		w.blunder("refund: " + answer.Body.String())
		return
	}
	w.letters = append(w.letters, <-w.mail)
}

// ownerRefunds has the shop's owner ask a node for a refund. If the gateway
// makes it, it writes a letter about it.
func (w *world) ownerRefunds(n *node, order, id string, amount int64) {
	_, before := w.gateway.Trade(refundNumber(order, id))
	n.attempt(func() { _, _ = n.books.giveBack(context.Background(), order, id, amount) })
	if _, made := w.gateway.Trade(refundNumber(order, id)); made && !before {
		w.letters = append(w.letters, <-w.mail)
	}
}

// deliver brings all letters that no node has accepted yet to a node.
func (w *world) deliver(n *node) {
	for _, l := range w.letters {
		if !l.accepted {
			n.take(l)
		}
	}
}

// program is the shop's own, which is told by webhook.
type program struct {
	server *httptest.Server

	mu       sync.Mutex
	failures int            // that are still to come
	how      int            // the status of these, 0 for none
	told     map[string]int // accepted messages by id
	refused  map[string]int // attempts by id
	meaning  map[string]string
	mistakes []string
}

func newProgram() *program {
	p := &program{told: map[string]int{}, refused: map[string]int{}, meaning: map[string]string{}}
	p.server = httptest.NewServer(p)
	return p
}

func (p *program) fail(times, how int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures, p.how = times, how
}

func (p *program) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := r.Header.Get("Webhook-Id")
	p.understand(id, r.Body)
	if p.failures == 0 {
		p.told[id]++
		w.WriteHeader(http.StatusNoContent)
		return
	}
	p.failures--
	p.refused[id]++
	if p.how == 0 {
		panic(http.ErrAbortHandler) // hangs up
	}
	w.Header().Set("Retry-After", "60")
	w.WriteHeader(p.how)
}

// understand checks that a message means the same every time.
func (p *program) understand(id string, body io.Reader) {
	var message struct {
		Type string
		Data struct{ Order, Syssn string }
	}
	if err := json.NewDecoder(body).Decode(&message); err != nil {
		p.mistakes = append(p.mistakes, id+": "+err.Error())
	}
	meaning := message.Type + " " + message.Data.Order
	if before, known := p.meaning[id]; known && before != meaning {
		p.mistakes = append(p.mistakes, id+" meant "+before+", now "+meaning)
	}
	p.meaning[id] = meaning
}

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
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// world is a shop on two machines with one ledger, its payers, the gateway and the
// shop's own program. Time passes only when somebody moves the clock.
type world struct {
	shop    *testing.T
	clock   *testClock
	gateway *qfpaytest.Simulator
	mail    chan *notice  // from the gateway, on its way
	notices []*notice     // all that the gateway ever wrote
	again   []*notice     // those that a node could not take: the gateway sends them once more
	ledger  ledger.Ledger // the truth, without any node's mishaps
	nodes   []*node
	program *program
	payers  []*payer

	mu       sync.Mutex               // of asked and mistakes, as both nodes may serve at once
	highest  map[string]ledger.Status // ever seen, by order
	payable  map[string]bool          // orders whose pay page a browser was sent to
	asked    map[string]int           // payments and refunds that the gateway was asked for, by number
	misled   bool                     // what counts as over can be paid: the gateway was wrong, or a payer too late
	mistakes []string                 // see recordMistake

	moments int    // until the interruption
	during  *node  // whose work is interrupted
	event   func() // the interruption
}

// At these moments a day, and a day with a month, ends soon for the gateway.
var mornings = []time.Time{
	time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC),
	time.Date(2026, 11, 30, 15, 50, 0, 0, time.UTC),
}

// worldMaker makes worlds, one after the other.
type worldMaker struct {
	shop   *testing.T
	folder string
	block  *Handler // as it is when it is provisioned
	worlds int
}

func newWorldMaker(shop *testing.T) *worldMaker {
	p := &worldMaker{shop: shop, folder: quickFolder(shop)}
	var err error
	p.block, err = provision(shop, map[string]any{
		"client_key":  "{env.TEST_CLIENT_KEY}",
		"environment": gatewayAddress, "pay_page": gatewayAddress + "/q/direct",
		"webhooks": []any{map[string]any{"url": "http://localhost", "secret": "{env.TEST_WEBHOOK_SECRET}"}},
	})
	require.NoError(shop, err)
	return p
}

func (p *worldMaker) newWorld(morning time.Time) *world {
	cryptotest.SetGlobalRandom(p.shop, 1) // the same choices lead to the same order ids
	w := &world{
		shop: p.shop, clock: &testClock{at: morning}, mail: make(chan *notice), program: newProgram(),
		highest: map[string]ledger.Status{}, payable: map[string]bool{}, asked: map[string]int{},
	}
	var err error
	w.gateway, err = qfpaytest.New(qfpaytest.Config{
		Strict: true, AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", Seed: 1, NoRateLimit: true, AnyPort: true,
		Now: w.clock.now, Client: &http.Client{Transport: noticeSink(w.mail)},
	})
	require.NoError(p.shop, err)
	p.worlds++
	file := filepath.Join(p.folder, strconv.Itoa(p.worlds)+".db")
	newLedger(p.shop, file)
	for range 2 { // as two processes on one machine
		opened, err := ledger.OpenSQLite(context.Background(), file, nil)
		require.NoError(p.shop, err)
		n := &node{world: w, maker: p, opened: opened}
		n.start()
		w.nodes = append(w.nodes, n)
	}
	w.ledger = w.nodes[0].opened
	for i := range 3 {
		w.payers = append(w.payers, &payer{
			world: w, link: "/pay/cat-food?ref=" + strconv.Itoa(i), jar: map[string]string{}, startedAgain: map[string]bool{},
		})
	}
	return w
}

func (w *world) close() {
	for _, n := range w.nodes {
		n.outbox.SetEndpoints(nil) // closes connections
		require.NoError(w.shop, n.opened.Close())
	}
	w.program.server.Close()
	_ = w.gateway.Close()
}

// recordMistake notes a mistake where a test cannot fail.
func (w *world) recordMistake(mistake string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mistakes = append(w.mistakes, mistake)
}

func (w *world) pass(time time.Duration) { w.clock.pass(time) }

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
	if event := w.due(n); event != nil {
		event()
	}
}

// due returns the interruption if its moment has come. Deliveries are several at
// once: one of them meets it.
func (w *world) due(n *node) (event func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.event == nil || w.during != n {
		return nil
	}
	if w.moments--; w.moments >= 0 {
		return nil
	}
	event, w.event = w.event, nil
	return event
}

// notice is a notification that the gateway wrote.
type notice struct {
	body, sign string
	about      qfpay.Notification
	accepted   bool // by some node
}

// signed is the signature of a body with a key.
func signed(body, key string) string { return fmt.Sprintf("%X", md5.Sum([]byte(body+key))) }

// noticeSink takes the gateway's notices and keeps it content, so that it
// never writes twice: delivering them is up to the test.
type noticeSink chan *notice

func (p noticeSink) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	about, err := qfpay.ParseNotification(body)
	if err != nil {
		return nil, err
	}
	p <- &notice{body: string(body), sign: r.Header.Get("X-QF-SIGN"), about: *about}
	w := httptest.NewRecorder()
	_, _ = io.WriteString(w, "SUCCESS")
	return w.Result(), nil
}

// line is a node's line to the gateway.
type line struct{ *node }

// RoundTrip carries a call.
func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	l.world.moment(l.node)
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	number := l.count(r.URL.Path, body)
	l.checkAlone(r.URL.Path, number)
	_, before := l.world.gateway.Trade(number)
	response, err := direct{l.world.gateway}.RoundTrip(r)
	if _, made := l.world.gateway.Trade(number); made && !before && strings.HasSuffix(r.URL.Path, "/refund") {
		l.world.notices = append(l.world.notices, <-l.world.mail)
	}
	l.world.moment(l.node)
	return response, err
}

// count remembers which payments and refunds the gateway was asked for, and
// returns the number of this one; "" for other calls.
func (l line) count(path string, body []byte) (number string) {
	if !strings.HasSuffix(path, "/payment") && !strings.HasSuffix(path, "/refund") {
		return ""
	}
	form, _ := url.ParseQuery(string(body))
	number = form.Get("out_trade_no")
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.asked[number]++
	return number
}

// checkAlone: while the gateway is asked for a refund, no other of the payment is on
// its way.
func (l line) checkAlone(path, number string) {
	if !strings.HasSuffix(path, "/refund") {
		return
	}
	_, refunds, err := l.world.read(number[:ulid.EncodedSize])
	if err != nil {
		l.world.recordMistake(err.Error())
	}
	for _, refund := range refunds {
		if isThis := refund.Number == number; isThis != (refund.Status == ledger.RefundSent) {
			l.world.recordMistake(fmt.Sprintf("the gateway is asked for %s while %s is %s", number, refund.Number, refund.Status))
		}
	}
}

// node is one machine.
type node struct {
	*machine
	world  *world
	maker  *worldMaker
	opened *ledger.SQLite
	faults *nodeFaults
}

// start is what happens when a machine starts: all that it has is what is in the
// ledger.
func (n *node) start() {
	t := n.world.shop
	if n.machine != nil {
		n.outbox.SetEndpoints(nil) // closes connections
	}
	block := *n.maker.block
	block.Webhooks = []Webhook{{URL: n.world.program.server.URL, Secret: block.Webhooks[0].Secret}}
	n.machine = assemble(t, &block, surroundings{
		ledger: n.opened, account: "account", gateway: line{n}, now: n.world.clock.now, sleep: n.world.clock.sleep,
	})
	n.faults = &nodeFaults{moment: func() { n.world.moment(n) }}
	n.store.with(n.faults.around)
}

// plannedFault is what befalls one of a node's next operations on the ledger.
type plannedFault struct {
	operations int  // that still go well before it
	late       bool // the operation has taken effect
	deadly     bool // the node dies; otherwise the operation reports an error
}

var (
	errLedger = errors.New("the ledger is out of order")
	errDied   = errors.New("the node died")
)

// faults is what befalls a node at its ledger.
type nodeFaults struct {
	moment func() // something else may happen before and after every write

	mu      sync.Mutex
	planned *plannedFault
	dead    bool
}

// arrange plans a plannedFault; nil calls it off.
func (f *nodeFaults) arrange(planned *plannedFault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planned = planned
}

func (f *nodeFaults) around(_ context.Context, operation string, do func() error) error {
	f.live()
	if operation == "Update" {
		f.moment()
	}
	planned := f.due()
	if planned != nil && !planned.late {
		return f.suffer(*planned)
	}
	err := do()
	if planned != nil {
		return f.suffer(*planned)
	}
	if operation == "Update" {
		f.moment()
	}
	return err
}

// due counts an operation and returns the plannedFault that befalls it, if any.
func (f *nodeFaults) due() *plannedFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.planned == nil {
		return nil
	}
	if f.planned.operations > 0 {
		f.planned.operations--
		return nil
	}
	planned := f.planned
	f.planned = nil
	return planned
}

func (f *nodeFaults) suffer(m plannedFault) error {
	if !m.deadly {
		return errLedger
	}
	f.mu.Lock()
	f.dead = true
	f.mu.Unlock()
	panic(errDied)
}

// live stops whoever still works on a node that has died meanwhile.
func (f *nodeFaults) live() {
	if f.isDead() {
		panic(errDied)
	}
}

func (f *nodeFaults) isDead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// attempt has the node do something and reports whether it lived through it.
// One that did not is started again.
func (n *node) attempt(something func()) (lived bool) {
	lived = n.survive(something)
	if n.faults.isDead() {
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
			n.world.recordMistake(r.Method + " " + r.URL.Path + ": " + err.Error())
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

// take receives a notice of the gateway.
func (n *node) take(l *notice) {
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

// work lets the node do all that is due within a time, or until it dies, and
// returns what went wrong.
func (n *node) work(within time.Duration) (troubles []error) {
	end, stuck := n.now().Add(within), 0
	for {
		before := n.now()
		if !n.attempt(func() { troubles = append(troubles, n.workOnce(context.Background())...) }) {
			return troubles
		}
		next := nextDue(n.world.shop, n.world.ledger, n.now())
		if next.IsZero() || next.After(end) {
			n.world.reach(end)
			return troubles
		}
		n.world.reach(laterThan(n.now(), next))
		if stuck++; n.now().Sub(before) > stuckTime {
			stuck = 0
		}
		if stuck == mostStuck {
			n.world.recordMistake("a node turns in circles")
			return troubles
		}
	}
}

// reach moves the clock forward to a time, if it is not there yet.
func (w *world) reach(at time.Time) {
	if at.After(w.clock.now()) {
		w.clock.set(at)
	}
}

// payer is a person with WeChat's browser.
type payer struct {
	world    *world
	link     string
	jar      map[string]string
	journeys []*journey

	startedAgain map[string]bool // the orders that began when the payer asked to start again
}

// journey is one passage through WeChat's authorization, towards one order.
type journey struct{ order, callback, code string }

// open follows an address of the shop on a node. A node that dies leaves the
// browser as it was.
func (p *payer) open(t *rapid.T, n *node, address string) {
	if response := n.visit(p.request(address)); response != nil {
		p.follow(t, response, address)
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

// follow does what a browser does with the answer to a request. A callback leads
// to nothing but its own order.
func (p *payer) follow(t *rapid.T, response *http.Response, address string) {
	for _, cookie := range response.Cookies() {
		if cookie.MaxAge < 0 {
			delete(p.jar, cookie.Name)
			continue
		}
		p.jar[cookie.Name] = cookie.Value
	}
	location, order := response.Header.Get("Location"), ""
	switch {
	case strings.Contains(location, "/get_weixin_oauth_code?"):
		callback := parameter(t, location, "redirect_uri").Path
		order = orderIn(callback)
		p.journeys = append(p.journeys, &journey{order: order, callback: callback})
		if strings.Contains(address, "&again=") {
			p.startedAgain[order] = true
		}
	case strings.Contains(location, "/q/direct?"):
		order = orderIn(parameter(t, location, "redirect_url").Path)
		p.arrive(t, order, location)
	default:
		return
	}
	if strings.HasPrefix(address, "/pay/callback/") {
		require.Equal(t, orderIn(address), order, "a callback led to another order")
	}
}

// arrive is where the payer can pay: never for an order that the ledger does not
// hold as prepared, and never for two orders of one journey, unless the payer asked
// to start again.
func (p *payer) arrive(t *rapid.T, order, payPage string) {
	found := p.world.find(t, order)
	require.True(t, found.IsPrepared(), "the browser has the pay page of an order that is not prepared")
	require.Equal(t, found.PayURL, payPage)
	p.world.payable[order] = true
	for _, j := range p.journeys {
		if j.order == order || !p.world.payable[j.order] || p.startedAgain[order] || p.startedAgain[j.order] {
			continue
		}
		other := p.world.find(t, j.order)
		payable := other.Status == ledger.StatusPending && p.world.clock.now().Before(other.Expires)
		require.False(t, payable, "the payer can pay %s and %s", order, j.order)
	}
}

// find is an order as the ledger has it.
func (w *world) find(t require.TestingT, order string) ledger.Order {
	found, err := ledger.View(context.Background(), w.ledger, func(tx *ledger.Tx) (ledger.Order, error) { return tx.Order(order) })
	require.NoError(t, err)
	return found
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
		if w.payable[trade.OutTradeNo] && trade.State == qfpaytest.Open && (w.misled || w.clock.now().Before(trade.SysDtm.Add(prepayLife))) {
			if err := button(trade.OutTradeNo); err != nil {
				w.recordMistake(err.Error())
			}
		}
	}
}

// pay presses Pay, about which the gateway writes a notice.
func (w *world) pay(order string) error {
	if err := w.gateway.Pay(order); err != nil {
		return err
	}
	w.notices = append(w.notices, <-w.mail)
	return nil
}

// refund gives money back, as the shop's owner does in the merchant's portal.
func (w *world) refund(trade qfpaytest.Trade, amount int64) {
	form := map[string]string{
		"syssn": trade.Syssn, "out_trade_no": "R" + strconv.Itoa(len(w.notices)),
		"txamt": strconv.FormatInt(amount, 10), "txdtm": w.clock.now().In(qfpay.HongKong).Format(time.DateTime),
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
		w.recordMistake("refund: " + answer.Body.String())
		return
	}
	w.notices = append(w.notices, <-w.mail)
}

// ownerRefunds has the shop's owner ask a node for a refund.
func (w *world) ownerRefunds(n *node, order, id string, amount int64) {
	n.attempt(func() { _, _ = n.orders.Refund(context.Background(), order, id, amount) })
}

// deliver brings all notices that no node has accepted yet to a node.
func (w *world) deliver(n *node) {
	for _, l := range w.notices {
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

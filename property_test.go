package qfpayjsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// Whatever happens, in whatever order, on two machines: an order is paid in the
// ledger exactly when it is paid at the gateway, no state goes back, and the
// shop is told. One kind of trouble at a time is searched more deeply than all
// of them at once.
func TestPropertyTheLedgerComesToAgreeWithTheGateway(t *testing.T) {
	t.Setenv("TEST_CLIENT_KEY", "TESTKEY")
	t.Setenv("TEST_WEBHOOK_SECRET", testWebhookSecret())
	for name, trouble := range map[string]func(*world) actions{
		"on a good day":                func(*world) actions { return nil },
		"when the ledger fails":        (*world).failingLedger,
		"when the gateway fails":       (*world).failingGateway,
		"when the gateway is wrong":    (*world).wrongGateway,
		"when things happen meanwhile": (*world).meanwhile,
		"when everything goes wrong":   (*world).allTrouble,
	} {
		t.Run(name, func(t *testing.T) {
			maker := newWorldMaker(t)
			rapid.Check(t, func(r *rapid.T) {
				w := maker.newWorld(one(r, "morning", mornings))
				defer w.close()
				r.Repeat(both(w.everyday(), trouble(w)))
				w.settleDown(r)
				w.checkTheEnd(r)
			})
		})
	}
}

// actions are what can happen next, by the names that the record of a failure
// gives them. The one without a name is checked after each.
type actions = map[string]func(*rapid.T)

func both(usual, more actions) actions {
	joined := maps.Clone(usual)
	maps.Copy(joined, more)
	return joined
}

func (w *world) everyday() actions {
	return actions{
		"":                             w.check,
		"a payer opens the link":       w.start,
		"a payer starts again":         w.startAgain,
		"a payer comes from WeChat":    w.callback,
		"a payer comes to both nodes":  w.callbackOnBoth,
		"a payer gets to the pay page": w.prepare,
		"a payer comes back":           w.comeBack,
		"a page asks for the status":   w.look,
		"payers press Pay":             func(*rapid.T) { w.press(w.pay) },
		"payers press Cancel":          func(*rapid.T) { w.press(w.gateway.Cancel) },
		"wallets fail":                 func(*rapid.T) { w.press(w.gateway.Fail) },
		"some money goes back":         func(*rapid.T) { w.giveBack(some) },
		"all money goes back":          func(*rapid.T) { w.giveBack(all) },
		"the shop's owner refunds":     w.ownerAsks,
		"the gateway notifies":         w.notify,
		"somebody notifies falsely":    w.forge,
		"time passes":                  w.wait,
		"an order's time is nearly up": w.waitForExpiry,
		"a node works":                 w.nodeWorks,
	}
}

// failingLedger lets operations fail, or the node die at one.
func (w *world) failingLedger() actions {
	return actions{
		"the ledger will fail":    func(t *rapid.T) { w.plan(t, plannedFault{deadly: false}) },
		"a node will die":         func(t *rapid.T) { w.plan(t, plannedFault{deadly: true}) },
		"a node is started again": func(t *rapid.T) { w.node(t).start() },
	}
}

func (w *world) failingGateway() actions {
	return actions{
		"the gateway will fail":        w.gatewayFails,
		"refunds will fail":            w.refundsFail,
		"the shop's program will fail": w.programFails,
	}
}

// wrongGateway calls trades over that are not.
func (w *world) wrongGateway() actions {
	return both(w.failingGateway(), actions{
		"the gateway will be wrong":   w.gatewayErrs,
		"payers press Pay much later": w.payTooLate,
	})
}

// meanwhile are things that happen in the middle of what a node does next. The
// time that passes is less than a call to the gateway may take.
func (w *world) meanwhile() actions {
	then := func(event func(other *node)) func(*rapid.T) {
		return func(t *rapid.T) {
			n := w.node(t)
			w.interrupt(n, rapid.IntRange(0, 9).Draw(t, "moments"), func() { event(w.other(n)) })
		}
	}
	return actions{
		"meanwhile payers will press Pay":    then(func(*node) { w.press(w.pay) }),
		"meanwhile wallets will fail":        then(func(*node) { w.press(w.gateway.Fail) }),
		"meanwhile the gateway will notify":  then(func(other *node) { w.press(w.pay); w.deliver(other) }),
		"meanwhile money will go back":       then(func(other *node) { w.giveBack(some); w.deliver(other) }),
		"meanwhile the other node will work": then(func(other *node) { w.press(w.pay); other.work(0) }),
		"meanwhile the owner will refund":    then(func(other *node) { w.ownerAsksOf(other) }),
		"meanwhile it will be late":          then(func(other *node) { w.pass(9 * time.Second); other.work(0) }),
		"a payer comes in the last moment":   w.lastMoment,
	}
}

func (w *world) allTrouble() actions {
	return both(both(w.failingLedger(), w.wrongGateway()), w.meanwhile())
}

// one draws one of several values; the record of a failure names its index.
func one[T any](t *rapid.T, what string, from []T) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(t, what)]
}

func (w *world) node(t *rapid.T) *node { return one(t, "node", w.nodes) }

func (w *world) payer(t *rapid.T) *payer { return one(t, "payer", w.payers) }

// journey draws one of a payer's journeys; ok is false if there is none.
func (w *world) journey(t *rapid.T) (p *payer, j *journey, ok bool) {
	p = w.payer(t)
	if len(p.journeys) == 0 {
		return p, nil, false
	}
	return p, one(t, "journey", p.journeys), true
}

func (w *world) start(t *rapid.T) {
	w.pass(time.Second)
	p := w.payer(t)
	p.open(t, w.node(t), p.link)
}

func (w *world) startAgain(t *rapid.T) {
	if p, j, ok := w.journey(t); ok {
		w.pass(time.Second)
		p.open(t, w.node(t), p.link+"&again="+j.order)
	}
}

func (w *world) callback(t *rapid.T) {
	p, j, ok := w.journey(t)
	if !ok {
		return
	}
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		p.open(t, w.node(t), j.goThrough(w))
	}
}

// prepare is the way of a payer to whom nothing unusual happens.
func (w *world) prepare(t *rapid.T) {
	w.pass(time.Second)
	p, n := w.payer(t), w.node(t)
	p.open(t, n, p.link)
	if len(p.journeys) > 0 {
		p.open(t, n, p.journeys[len(p.journeys)-1].goThrough(w))
	}
}

// callbackOnBoth sends the same callback to both nodes at once. Whichever is
// faster, both lead to the order that the payer set out for.
func (w *world) callbackOnBoth(t *rapid.T) {
	p, j, ok := w.journey(t)
	if !ok {
		return
	}
	w.event = nil // it would happen on two goroutines
	address := j.goThrough(w)
	answers := make([]*http.Response, len(w.nodes))
	var together sync.WaitGroup
	for i, n := range w.nodes {
		request := p.request(address)
		together.Go(func() { answers[i] = n.serve(request) })
	}
	together.Wait()
	for i, n := range w.nodes {
		n.attempt(func() {})
		if answers[i] != nil {
			p.follow(t, answers[i], address)
		}
	}
}

func (w *world) comeBack(t *rapid.T) {
	if p, j, ok := w.journey(t); ok {
		p.open(t, w.node(t), "/pay/return/"+j.order)
	}
}

func (w *world) look(t *rapid.T) {
	_, j, ok := w.journey(t)
	if !ok {
		return
	}
	before := w.highest[j.order]
	if shown := w.node(t).status(j.order); shown != "" {
		assert.GreaterOrEqual(t, rank[shown], rank[before], "%s was %s, and now the page says %s", j.order, before, shown)
	}
}

// giveBack returns a part or all of the first payment that has money left. The
// merchant's portal does not meet the faults of a node's line.
func (w *world) giveBack(part func(left int64) int64) {
	if slices.ContainsFunc(w.gateway.Faults(), func(f qfpaytest.Fault) bool { return f.Call == "refund" }) {
		return
	}
	for _, trade := range w.gateway.Trades() {
		left := trade.Amount - trade.Refunded
		if trade.OrderType == qfpaytest.Payment && trade.State == qfpaytest.Paid && left > 0 {
			w.refund(trade, part(left))
			return
		}
	}
}

func all(left int64) int64 { return left }

// ownerAsks for a few refunds, of a part or of all that is left, of an order that
// is paid by then if anybody wants to pay it.
func (w *world) ownerAsks(t *rapid.T) {
	w.press(w.pay)
	w.deliver(w.node(t))
	_, j, ok := w.journey(t)
	if !ok {
		return
	}
	for range rapid.IntRange(1, 3).Draw(t, "refunds") {
		w.ownerRefunds(w.node(t), j.order, one(t, "refund", []string{"r1", "r2", "r3"}), one(t, "amount", []int64{0, 800, 5000}))
	}
}

// ownerAsksOf the first paid order for one more refund.
func (w *world) ownerAsksOf(n *node) {
	for _, trade := range w.gateway.Trades() {
		if trade.OrderType == qfpaytest.Payment && trade.State == qfpaytest.Paid {
			w.ownerRefunds(n, trade.OutTradeNo, "r4", 800)
			return
		}
	}
}

func some(left int64) int64 { return min(left, 800) }

func (w *world) notify(t *rapid.T) {
	if len(w.notices) == 0 {
		return
	}
	l, n := one(t, "notice", w.notices), w.node(t)
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		n.take(l)
	}
}

// forge notifies of what did not happen: with the gateway's signature of
// another amount or an unknown number, or with a stranger's signature.
func (w *world) forge(t *rapid.T) {
	number := "UNKNOWN"
	if _, j, ok := w.journey(t); ok && rapid.Bool().Draw(t, "known") {
		number = j.order
	}
	n, syssn := w.node(t), rapid.IntRange(1, 3).Draw(t, "syssn")
	write := func(amount, key string) *notice {
		body := fmt.Sprintf(`{"status": "1", "notify_type": "payment", "syssn": "%d", "out_trade_no": "%s", "txamt": "%s", "txcurrcd": "HKD"}`,
			syssn, number, amount)
		return &notice{body: body, sign: signed(body, key)}
	}
	n.take(write("1", "TESTKEY"))
	stranger := write("12800", "GUESSED")
	n.take(stranger)
	assert.False(t, stranger.accepted)
}

func (w *world) wait(t *rapid.T) {
	w.pass(one(t, "time", []time.Duration{
		time.Second, 3 * time.Second, 20 * time.Second, 2 * time.Minute, 16 * time.Minute, 3 * time.Hour, 30 * time.Hour,
	}))
}

// waitForExpiry waits until a few seconds before or after the time of a
// journey is over.
func (w *world) waitForExpiry(t *rapid.T) {
	_, j, ok := w.journey(t)
	if !ok {
		return
	}
	around := time.Duration(rapid.IntRange(-8, 2).Draw(t, "seconds")) * time.Second
	w.reach(j.began().Add(15*time.Minute + around))
}

// lastMoment is that of a payer whose order's time runs out while the gateway is
// asked for the payment.
func (w *world) lastMoment(t *rapid.T) {
	w.pass(time.Second)
	p, n := w.payer(t), w.node(t)
	p.open(t, n, p.link)
	if len(p.journeys) == 0 {
		return
	}
	j := p.journeys[len(p.journeys)-1]
	w.reach(j.began().Add(15*time.Minute - time.Second))
	w.interrupt(n, rapid.IntRange(0, 9).Draw(t, "moments"), func() { w.pass(9 * time.Second); w.other(n).work(0) })
	p.open(t, n, j.goThrough(w))
	w.press(w.pay)
}

func (w *world) nodeWorks(t *rapid.T) {
	w.node(t).work(one(t, "for", []time.Duration{0, 10 * time.Second, 3 * time.Minute, 20 * time.Minute, 2 * time.Hour}))
}

// gatewayFails makes the next calls fail in a way that costs no time and tells
// no lie.
func (w *world) gatewayFails(t *rapid.T) {
	fault := qfpaytest.Fault{
		Call:  one(t, "call", []string{"openid", "payment", "query", "close"}),
		Kind:  one(t, "kind", faultKinds),
		Times: rapid.IntRange(1, 3).Draw(t, "times"),
	}
	if fault.Kind == qfpaytest.Respcd || fault.Kind == qfpaytest.RespcdAfter {
		fault.Respcd = one(t, "respcd", []string{"1100", "1102", "1104", "1143", "1145", "1203", "1251", "1260", "1298", "9999"})
	}
	w.gateway.Inject(fault)
}

// refundsFail makes the next refunds fail likewise: with a no only where nothing
// happened.
func (w *world) refundsFail(t *rapid.T) {
	fault := qfpaytest.Fault{Call: "refund", Kind: one(t, "kind", faultKinds), Times: rapid.IntRange(1, 2).Draw(t, "times")}
	switch fault.Kind {
	case qfpaytest.Respcd:
		fault.Respcd = one(t, "respcd", []string{"1100", "1143", "1155", "1203", "1265", "1272", "9999"})
	case qfpaytest.RespcdAfter:
		fault.Respcd = one(t, "respcd", []string{"1102", "1143", "1145", "1251", "1298", "9999"})
	}
	w.gateway.Inject(fault)
}

// faultKinds are those that cost no time.
var faultKinds = []qfpaytest.FaultKind{
	qfpaytest.DropBefore, qfpaytest.DropAfter, qfpaytest.Status5xx, qfpaytest.TooMany, qfpaytest.Garbage, qfpaytest.HTML,
	qfpaytest.Truncated, qfpaytest.Numbers, qfpaytest.Nulls, qfpaytest.BareRespcd, qfpaytest.MissingPayParams,
	qfpaytest.Respcd, qfpaytest.RespcdAfter,
}

// gatewayErrs has the gateway say that a trade does not exist or is over, while
// it is paid or can be.
func (w *world) gatewayErrs(t *rapid.T) {
	w.misled = true
	w.gateway.Inject(qfpaytest.Fault{
		Call: one(t, "call", []string{"query", "close"}), Kind: qfpaytest.Respcd,
		Respcd: one(t, "respcd", []string{"1136", "1142", "1181", "2007"}),
		Times:  rapid.IntRange(1, 3).Draw(t, "times"),
	})
}

// payTooLate pays what WeChat would not let anybody pay any more.
func (w *world) payTooLate(*rapid.T) {
	w.misled = true
	w.press(w.pay)
}

func (w *world) programFails(t *rapid.T) {
	w.program.fail(rapid.IntRange(1, 3).Draw(t, "times"), one(t, "status", []int{0, 302, 429, 500}))
}

// plan lets something befall one of a node's next operations on the ledger.
func (w *world) plan(t *rapid.T, planned plannedFault) {
	planned.operations = rapid.IntRange(0, 9).Draw(t, "operations")
	planned.late = rapid.Bool().Draw(t, "late")
	w.node(t).faults.arrange(&planned)
}

// settleDown lets the dust settle: nothing fails any more, and a node works
// for as long as anything can take. Notifications that no node has seen may stay
// lost, unless orders count as over that can be paid, or money went back by others
// while a refund was lost: nothing else tells of it then.
func (w *world) settleDown(t *rapid.T) {
	w.event = nil
	w.gateway.ClearFaults()
	w.program.fail(0, 0)
	for _, n := range w.nodes {
		n.faults.arrange(nil)
	}
	n := w.node(t)
	for _, l := range w.again {
		n.take(l)
	}
	w.workInPeace(t, n)
	if w.misled || slices.ContainsFunc(w.orders(), w.isHidden) {
		w.deliver(n)
		w.workInPeace(t, n)
	}
}

// hidden are the refunds of an order that never reached the gateway, where the row
// of its payment does not tell, because it shows that others gave a part back.
func (w *world) hidden(order string) (hidden ledger.Refunds) {
	trade, _ := w.gateway.Trade(order)
	_, refunds, _ := w.read(order)
	for _, refund := range refunds {
		_, arrived := w.gateway.Trade(refund.Number)
		if refund.Open() && !arrived && trade.Refunded > 0 && trade.Refunded < trade.Amount {
			hidden = append(hidden, refund)
		}
	}
	return hidden
}

func (w *world) isHidden(order string) bool { return len(w.hidden(order)) > 0 }

// isForAPerson reports whether refunds of an order stay hidden, because the month
// has changed since they were sent: only the owner can look in the gateway's portal.
func (w *world) isForAPerson(order string) bool {
	month := func(at time.Time) time.Month { return at.In(qfpay.HongKong).Month() }
	return slices.ContainsFunc(w.hidden(order), func(refund ledger.Refund) bool {
		return month(refund.Sent) != month(w.clock.now())
	})
}

func (w *world) workInPeace(t *rapid.T, n *node) {
	const longest = 15*time.Minute + giveUp + 4*24*time.Hour
	for _, trouble := range n.work(longest) {
		if failure, ok := errors.AsType[*qfpay.Error](trouble); ok && failure.Call == "close" && failure.NotFound() {
			continue // of an order of last month, which only time ends
		}
		require.NoError(t, trouble, "a node met trouble on a good day")
	}
}

// check is what is true at every moment.
func (w *world) check(t *rapid.T) {
	require.Empty(t, w.mistakes)
	w.checkWebhooks(t)
	for order, times := range w.asked {
		require.Equal(t, 1, times, "the gateway was asked for the payment of %s", order)
	}
	for _, order := range w.orders() {
		w.checkOrder(t, order)
	}
	w.checkLetters(t)
}

func (w *world) checkOrder(t *rapid.T, order string) {
	found, refunds, err := w.read(order)
	if err != nil {
		require.ErrorIs(t, err, ledger.ErrUnknown)
		require.Empty(t, w.highest[order])
		return
	}
	require.GreaterOrEqual(t, rank[found.Status], rank[w.highest[order]], "%s was %s, now it is %s", order, w.highest[order], found.Status)
	w.highest[order] = found.Status
	if found.Status.Paid() {
		require.True(t, w.paidAtGateway(order), "%s is paid in the ledger and not at the gateway", order)
		require.False(t, found.PaidAt.IsZero())
	}
	require.Equal(t, found.Status != ledger.StatusPending, !found.Ended.IsZero())
	unfinished := found.Status == ledger.StatusPending || len(refunds.Open()) > 0
	require.Equal(t, unfinished, !found.CheckAt.IsZero(), "%s is %s, with %d open refunds, and due at %v", order, found.Status, len(refunds.Open()), found.CheckAt)
	require.LessOrEqual(t, refunds.Done(), found.Intent.Amount, "more went back than was paid")
	require.LessOrEqual(t, found.Refunded, found.Intent.Amount)
	sent, ours := 0, int64(0)
	for _, refund := range refunds {
		if refund.RefundID != "" && refund.Status != ledger.RefundRefused {
			ours += refund.Amount
		}
		if refund.Status == ledger.RefundSent {
			sent++
		}
		require.True(t, refund.RefundID == "" || found.Status.Paid(), "nothing is refunded that was not paid")
	}
	require.LessOrEqual(t, ours, found.Intent.Amount, "more is asked for than was paid")
	require.LessOrEqual(t, sent, 1, "refunds of one payment are at the gateway one at a time")
}

// read is an order with its refunds, at one moment.
func (w *world) read(order string) (found ledger.Order, refunds ledger.Refunds, err error) {
	type both struct {
		ledger.Order
		ledger.Refunds
	}
	read, err := ledger.View(context.Background(), w.ledger, func(tx *ledger.Tx) (b both, err error) {
		if b.Order, err = tx.Order(order); err != nil {
			return b, err
		}
		b.Refunds, err = tx.Refunds(order)
		return b, err
	})
	return read.Order, read.Refunds, err
}

// rank orders the states: none leads to one of a lower rank.
var rank = map[ledger.Status]int{
	"": 0, ledger.StatusPending: 1, ledger.StatusFailed: 2, ledger.StatusClosed: 2,
	ledger.StatusPaid: 3, ledger.StatusPartiallyRefunded: 4, ledger.StatusRefunded: 5,
}

func (w *world) paidAtGateway(order string) bool {
	trade, ok := w.gateway.Trade(order)
	return ok && trade.State == qfpaytest.Paid
}

// checkLetters: what was acknowledged to the gateway is in storage.
func (w *world) checkLetters(t *rapid.T) {
	back := map[string]int64{}
	for _, l := range w.notices {
		switch {
		case !l.accepted:
		case l.about.Refund():
			back[l.about.OrigOutTradeNo] += l.about.Amount
		default:
			require.GreaterOrEqual(t, rank[w.highest[l.about.OutTradeNo]], rank[ledger.StatusPaid], "a notification was lost")
		}
	}
	for order, amount := range back {
		if rank[w.highest[order]] < rank[ledger.StatusPaid] {
			continue
		}
		trade, _ := w.gateway.Trade(order)
		least := ledger.StatusPartiallyRefunded
		if amount == trade.Amount {
			least = ledger.StatusRefunded
		}
		require.GreaterOrEqual(t, rank[w.highest[order]], rank[least], "a refund was lost")
	}
}

// checkWebhooks: a message means the same every time, and tells the truth.
func (w *world) checkWebhooks(t *rapid.T) {
	w.program.mu.Lock()
	defer w.program.mu.Unlock()
	require.Empty(t, w.program.mistakes)
	for id, meaning := range w.program.meaning {
		if order, paid := strings.CutPrefix(meaning, "order.paid "); paid {
			require.Equal(t, orders.MessageID(order, "paid"), id)
			require.True(t, w.paidAtGateway(order), "the shop was told of a payment of %s that was not made", order)
		}
	}
}

// checkTheEnd is what is true when the dust has settled.
func (w *world) checkTheEnd(t *rapid.T) {
	w.check(t)
	forAPerson := slices.ContainsFunc(w.orders(), w.isForAPerson)
	require.Equal(t, forAPerson, !nextDue(t, w.ledger, w.clock.now()).IsZero(), "something is left to do")
	sums := map[string]ledger.Sum{} // by day
	for _, order := range w.orders() {
		found, refunds, err := w.read(order)
		if err != nil {
			continue
		}
		w.checkSettled(t, found, refunds)
		more := ledger.Sum{Currency: "HKD", Orders: 1}
		if found.Status.Paid() {
			more.Paid, more.Gross, more.Refunded = 1, found.Intent.Amount, found.Refunded
		}
		day := ledger.DayOf(ledger.StartedAt(order)).String()
		sums[day] = more.Plus(sums[day])
	}
	w.checkSums(t, sums)
}

// checkSums: the sums that are kept are those of the orders.
func (w *world) checkSums(t *rapid.T, want map[string]ledger.Sum) {
	period := ledger.Period{First: ledger.DayOf(mornings[0]), Last: ledger.DayOf(w.clock.now())}
	sums, err := ledger.View(context.Background(), w.ledger, func(tx *ledger.Tx) ([]ledger.DaySum, error) {
		return tx.Sums(ledger.Search{Period: period, Shops: []string{w.nodes[0].Name}})
	})
	require.NoError(t, err)
	kept := map[string]ledger.Sum{}
	for _, sum := range sums {
		kept[sum.Day] = sum.Sum
	}
	require.Equal(t, want, kept)
}

func (w *world) checkSettled(t *rapid.T, order ledger.Order, refunds ledger.Refunds) {
	require.NotEqual(t, ledger.StatusPending, order.Status)
	require.Equal(t, w.paidAtGateway(order.ID), order.Status.Paid(), "%s is %s in the ledger", order.ID, order.Status)
	w.checkRefunds(t, order, refunds)
	w.checkTold(t, order)
}

// eventOf is what the shop is told of each kind of what happens to an order.
var eventOf = map[string]string{
	"paid": orders.EventPaid, "failed": orders.EventClosed, "closed": orders.EventClosed, "disputed": orders.EventDisputed,
	"refunded": orders.EventRefunded, "partially_refunded": orders.EventRefunded,
}

// checkTold: the shop was told of all that happened, or did not listen.
func (w *world) checkTold(t *rapid.T, order ledger.Order) {
	events, err := ledger.View(context.Background(), w.ledger, func(tx *ledger.Tx) ([]ledger.Event, error) { return tx.Events(order.ID) })
	require.NoError(t, err)
	deliveries, err := ledger.View(context.Background(), w.ledger, func(tx *ledger.Tx) ([]ledger.Delivery, error) { return tx.Deliveries(order.ID) })
	require.NoError(t, err)
	happened, told := map[string]int{}, map[string]int{}
	for _, event := range events {
		if name := eventOf[event.Kind]; name != "" {
			happened[name]++
		}
	}
	for _, d := range deliveries {
		told[d.Kind]++
		w.program.mu.Lock()
		heard, refused := w.program.told[d.MessageID], w.program.refused[d.MessageID]
		w.program.mu.Unlock()
		require.True(t, d.Status == ledger.DeliveryDelivered && heard > 0 || d.Status == ledger.DeliveryGaveUp && refused >= webhook.Attempts,
			"the shop was not told: %s is %s", d.MessageID, d.Status)
	}
	require.NotEmpty(t, happened)
	require.Equal(t, happened, told)
	require.Equal(t, order.Status.Paid(), happened[orders.EventPaid] == 1)
}

// checkRefunds: every refund that was asked for has come to the end that it has
// at the gateway, and no more went back than was paid.
func (w *world) checkRefunds(t *rapid.T, order ledger.Order, refunds ledger.Refunds) {
	trade, _ := w.gateway.Trade(order.ID)
	require.LessOrEqual(t, trade.Refunded, trade.Amount)
	require.LessOrEqual(t, refunds.Done(), trade.Refunded, "the ledger knows of more refunds of %s than the gateway", order.ID)
	require.LessOrEqual(t, order.Refunded, trade.Refunded)
	for _, refund := range refunds {
		if w.isForAPerson(order.ID) && refund.Open() {
			continue
		}
		require.False(t, refund.Open(), "the refund %s of %s has no end", refund.Number, order.ID)
		made, ok := w.gateway.Trade(refund.Number)
		if !ok && trade.Refunded == trade.Amount {
			continue // the payment's row tells no more than that all went back
		}
		require.Equal(t, ok && made.State == qfpaytest.Paid, refund.Status == ledger.RefundDone, "the refund %s of %s", refund.Number, order.ID)
	}
}

// orders are all that payers started, whatever became of them.
func (w *world) orders() []string {
	all := map[string]bool{}
	for _, p := range w.payers {
		for _, j := range p.journeys {
			all[j.order] = true // one that had to start again has two
		}
	}
	return slices.Sorted(maps.Keys(all))
}

package cluster

import (
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// chapter is a part of the life of a payment.
type chapter string

// The chapters. The shop learns of a payment in one of three ways, each enough
// alone, or nobody pays and the order ends.
const (
	theCallback     chapter = "the callback"
	theNotification chapter = "the notification"
	theReturn       chapter = "the return"
	theEnquiry      chapter = "the reconciler's enquiry"
	theRefund       chapter = "the refund"
	theEnd          chapter = "the end of an unpaid order"
)

// kill is where in a story node one is killed. The zero kill never happens.
type kill struct {
	number  int // of the point in the matrix, from 1
	chapter chapter
	act     int // of the chapter, from 1
	at      moment
}

// story is the life of one payment. Node one does all of the work, and node two,
// where there is one, sleeps until node one is killed. Where there is none, node one
// is started again.
type story struct {
	*cluster
	t       *testing.T
	watcher *watcher
	kill    kill
	way     chapter // how it goes on after the callback
	payer   *payer
	acts    map[chapter][]string
	deaths  int // from which node one was started again

	order     string   // that the payer could pay
	page      string   // where it can be paid
	callbacks []string // of the orders that came to no pay page
	lost      bool     // the refund was marked as sent, and the gateway never heard of it
}

func openStory(t *testing.T, server *postgrestest.Server, way chapter, kill kill) *story {
	t.Helper()
	c := newCluster(t, withNotifications, func(c *qfpaytest.Config) { c.TimeScale = 600 })
	c.more = "timeout 2s"
	if server == nil {
		c.keepInFile()
	} else {
		c.keepIn(server)
	}
	s := &story{cluster: c, t: t, kill: kill, way: way, payer: c.payer(), acts: make(map[chapter][]string)}
	c.gateway.SetNotifications(way == theNotification)
	s.watcher = newWatcher(t, s.turnToTheOther, func() { c.one.signal(syscall.SIGKILL) })
	c.one.watcher, c.one.line.watcher = s.watcher, s.watcher
	c.front.notify(c.one)
	c.start()
	eventually(t, "the check at the start is made", s.watcher.isReady)
	if c.two != nil {
		c.two.sleep()
	}
	return s
}

// turnToTheOther has node two go on.
func (s *story) turnToTheOther() {
	if s.two != nil {
		s.front.notify(s.two)
		s.two.wake()
	}
}

// revive starts node one again if it is dead and alone. It does not die a second
// time.
func (s *story) revive() {
	s.t.Helper()
	if s.two == nil && !s.one.alive() {
		s.watcher.disarm()
		s.deaths++
		s.one.start()
	}
}

// serving is the node to which all turn.
func (s *story) serving() *node {
	s.t.Helper()
	s.revive()
	return s.alive()[0]
}

// until waits for what the nodes will do.
func (s *story) until(what string, done func() bool) {
	s.t.Helper()
	eventually(s.t, what, func() bool {
		s.revive()
		return done()
	})
}

// tell makes the payment, whoever dies.
func (s *story) tell() {
	s.t.Helper()
	s.during(theCallback, s.comeToPay)
	s.comeBackToPay()
	if s.way == theEnd {
		s.during(theEnd, s.letEnd)
		return
	}
	s.during(s.way, s.learn)
	s.gateway.SetNotifications(false) // so that node one learns of the refund in one way
	s.during(theRefund, s.giveBack)
}

func (s *story) during(c chapter, do func()) {
	s.t.Helper()
	fatal := 0
	if s.kill.chapter == c {
		fatal = s.kill.act
	}
	s.watcher.arm(fatal, s.kill.at)
	defer func() { s.acts[c] = s.watcher.disarm() }()
	do()
	s.watcher.rest()
}

// comeToPay takes the payer to a pay page: with the same callback again while
// nobody answers, through the OAuth again if the shop leads there, and with
// another order if nobody knows what became of the first.
func (s *story) comeToPay() {
	s.t.Helper()
	callback, order := s.payer.start(s.t, s.serving())
	for began := time.Now(); ; {
		page := s.payer.get(s.serving(), callback)
		switch {
		case page.isPayPage():
			s.order, s.page = order, page.location
			return
		case page.isOAuth():
			callback = s.payer.get(anyNode, page.location).location
			require.Equal(s.t, order, orderIn(callback), "the order for which WeChat is asked again")
		case page.isChecking(order):
			s.callbacks = append(s.callbacks, callback)
			callback, order = s.payer.startAgain(s.t, s.serving(), order)
		case page.location == "/pay/return/"+order: // it ended while the payer waited
			s.callbacks = append(s.callbacks, callback)
			over := s.payer.get(s.serving(), page.location)
			require.Contains(s.t, over.body, catFood, "a way to start again")
			callback, order = s.payer.startAgain(s.t, s.serving(), order)
		default:
			require.Less(s.t, time.Since(began), patience, "no pay page, but %d %s %s", page.status, page.location, page.body)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// comeBackToPay opens what the payer has opened before, once more: there is one
// address at which one order can be paid.
func (s *story) comeBackToPay() {
	s.t.Helper()
	again := s.payer.get(s.serving(), "/pay/callback/"+s.order+"?code=again")
	require.Equal(s.t, s.page, again.location, "the pay page")
	for _, callback := range s.callbacks {
		require.False(s.t, s.payer.get(s.serving(), callback).isPayPage(), "a second pay page, for %s", orderIn(callback))
	}
}

// learn is over when the shop knows of the payment, has told its program, and has
// nothing left to do about the order.
func (s *story) learn() {
	s.t.Helper()
	pressed := s.payer.press(s.page, "pay")
	require.Equal(s.t, http.StatusSeeOther, pressed.status, pressed.body)
	if s.way == theReturn {
		s.until("the payer's return shows that the order is paid", func() bool {
			s.payer.get(s.serving(), pressed.location)
			time.Sleep(100 * time.Millisecond)
			return s.records()[s.order].Status.Paid()
		})
	}
	s.until("the shop is told of the payment", func() bool { return s.program.events()[paidEvent(s.order)] > 0 })
	s.until("nothing is left to do about the paid order", s.isDone)
}

// isDone reports whether nothing is left to do about the order.
func (s *story) isDone() bool {
	return !slices.ContainsFunc(s.leftToDo(), func(left string) bool { return strings.Contains(left, s.order) })
}

// refundAmount is less than was paid.
const refundAmount = 800

// giveBack asks for a refund until it is known what becomes of it.
func (s *story) giveBack() {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(500 * time.Millisecond) {
		status := s.serving().askRefund(s.order, "part", refundAmount)
		if status == http.StatusOK {
			break
		}
		require.Less(s.t, time.Since(began), patience, "no refund, but %d", status)
		died := s.deaths > 0 || !s.one.alive()
		if status == http.StatusAccepted && died && s.gateway.Calls("refund") == 0 {
			s.lost = true
			break
		}
	}
	if !s.lost {
		s.until("the shop is told of the refund", func() bool { return len(s.program.eventsOf(s.order)) > 1 })
	}
	s.until("nothing is left to do about the refunded order", s.isDone)
}

// letEnd ends the time of the order, which takes a minute at least, and waits for
// its end.
func (s *story) letEnd() {
	s.t.Helper()
	s.exec(`UPDATE orders SET expires_at = started_at, check_at = started_at WHERE id = '` + s.order + `'`)
	s.until("the shop is told that the order is over", func() bool { return s.program.events()[closedEvent(s.order)] > 0 })
	s.until("nothing is left to do about the order", s.isDone)
}

// exec runs a statement on the ledger.
func (s *story) exec(statement string) {
	s.t.Helper()
	if s.server != nil {
		s.server.Exec(s.ledger, statement)
		return
	}
	file, err := sql.Open("sqlite", "file:"+s.ledger+"?_pragma=busy_timeout(5000)")
	require.NoError(s.t, err)
	defer file.Close()
	_, err = file.Exec(statement)
	require.NoError(s.t, err)
}

// check compares the books when the story is over. Orders that came to no pay page
// end by themselves.
func (s *story) check() {
	s.t.Helper()
	if s.two != nil {
		s.two.wake()
	}
	s.until("nothing is left to do", func() bool { return len(s.leftToDo()) == 0 })
	rows := s.compareBooks()
	var paid []string
	for id, order := range rows {
		if order.isPaid() {
			paid = append(paid, id)
		}
	}
	if s.way == theEnd {
		assert.Empty(s.t, paid)
	} else {
		assert.Equal(s.t, []string{s.order}, paid)
		assert.Equal(s.t, s.lost, rows[s.order].Refunding, "a refund is under way")
		trade, _ := s.gateway.Trade(s.order)
		assert.Equal(s.t, !s.lost, trade.Refunded == refundAmount, "the gateway gave %d back", trade.Refunded)
	}
	for id, times := range s.program.events() {
		assert.LessOrEqual(s.t, times, 2, "%s is told again only if a node was killed before it could remember", id)
	}
}

package cluster

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// chapter is a part of the life of a payment in which a node writes.
type chapter string

// The chapters. The shop learns of a payment in one of three ways, each enough
// alone, and tells its own program of it.
const (
	theCallback     chapter = "the callback"
	theNotification chapter = "the notification"
	theReturn       chapter = "the return"
	theEnquiry      chapter = "the app's enquiry"
	theRefund       chapter = "the refund"
)

// crash is where in a story node one is killed. The zero crash never happens.
type crash struct {
	number  int // of the point in the matrix, from 1
	chapter chapter
	write   int // of the chapter, from 1
	at      moment
}

// story is the life of one payment. Node one serves the payer, gets the
// notification, looks after open orders and is asked for the refund. When it is
// killed, all turn to node two, which lives on.
type story struct {
	*cluster
	t       *testing.T
	cable   *cable
	crash   crash
	way     chapter // in which the shop learns of the payment
	payer   *payer
	written map[chapter][]string

	order     string   // that the payer could pay
	page      string   // where it can be paid
	callbacks []string // of the orders that came to no pay page
	lost      bool     // the refund was reserved, and nobody came to ask the gateway for it
}

// ledgerName is that of the ledger, and appears in the keys of Redis.
const ledgerName = "crashes"

func openStory(t *testing.T, way chapter, crash crash) *story {
	t.Helper()
	c := newCluster(t, withNotifications, func(c *qfpaytest.Config) { c.TimeScale = 600 })
	c.more = "timeout 2s\n\t\tname " + ledgerName
	s := &story{cluster: c, t: t, crash: crash, way: way, payer: c.payer(), written: make(map[chapter][]string)}
	c.gateway.SetNotifications(way == theNotification)
	s.cable = newCable(t, c.redis.address, func() {
		c.front.notify(c.two)
		c.one.kill()
	})
	c.front.notify(c.one)
	c.one.redis = s.cable.address()
	c.one.configure(c.caddyfile(c.one))
	c.two.configure(c.caddyfile(c.two))
	c.one.start()
	eventually(t, "node one looks after open orders", func() bool {
		return len(c.redis.list("KEYS", "shop/locks/qfpay_jsapi/"+ledgerName+"/lock/clerk")) > 0
	})
	c.two.start()
	return s
}

// tell makes the payment, whoever dies.
func (s *story) tell() {
	s.t.Helper()
	s.during(theCallback, s.comeToPay)
	s.comeBackToPay()
	s.during(s.way, s.learn)
	s.gateway.SetNotifications(false) // so that node one learns of the refund in one way
	s.during(theRefund, s.giveBack)
	s.closeWhatNobodyCanPay()
}

func (s *story) during(c chapter, act func()) {
	s.t.Helper()
	fatal := 0
	if s.crash.chapter == c {
		fatal = s.crash.write
	}
	s.cable.arm(fatal, s.crash.at)
	defer func() { s.written[c] = s.cable.disarm() }()
	act()
	s.cable.rest()
}

// serving is the node to which all turn.
func (s *story) serving() *node {
	if s.one.alive() {
		return s.one
	}
	return s.two
}

// comeToPay takes the payer to a pay page: with the same callback again while
// nobody answers, through the OAuth again if the shop leads there, and with
// another order if nobody knows what became of the first.
func (s *story) comeToPay() {
	s.t.Helper()
	callback, order := s.payer.start(s.t, s.serving())
	for tries := 1; ; tries++ {
		page := s.payer.get(s.serving(), callback)
		switch {
		case page.isPayPage():
			s.order, s.page = order, page.location
			return
		case page.isOAuth():
			s.callbacks = append(s.callbacks, callback)
			callback = s.payer.get(anyNode, page.location).location
			order = orderIn(callback)
		case page.isChecking(order):
			s.callbacks = append(s.callbacks, callback)
			callback, order = s.payer.startAgain(s.t, s.serving(), order)
		default:
			require.Less(s.t, tries, 20, "no pay page, but %d %s", page.status, page.body)
			time.Sleep(100 * time.Millisecond)
		}
	}
}

// comeBackToPay opens what the payer has opened before, once more: there is one
// address at which one order can be paid.
func (s *story) comeBackToPay() {
	s.t.Helper()
	for _, n := range s.alive() {
		again := s.payer.get(n, "/pay/callback/"+s.order+"?code=again")
		require.Equal(s.t, s.page, again.location, "the pay page at node %s", n.name)
		for _, callback := range s.callbacks {
			require.False(s.t, s.payer.get(n, callback).isPayPage(), "a second pay page at node %s, for %s", n.name, orderIn(callback))
		}
	}
}

// learn is over when the shop knows of the payment, has told its program, and
// has nothing left to do about the order.
func (s *story) learn() {
	s.t.Helper()
	pressed := s.payer.press(s.page, "pay")
	require.Equal(s.t, http.StatusSeeOther, pressed.status, pressed.body)
	if s.way == theReturn {
		eventually(s.t, "the payer's return shows that the order is paid", func() bool {
			s.payer.get(s.serving(), pressed.location)
			time.Sleep(100 * time.Millisecond)
			return s.two.export(s.t)[s.order].isPaid()
		})
	}
	eventually(s.t, "the shop is told of the payment", func() bool { return s.program.events()[paidEvent(s.order)] > 0 })
	eventually(s.t, "nothing is left to do about the paid order", func() bool { return !slices.Contains(s.open(), s.order) })
}

// refundAmount is less than was paid.
const refundAmount = 800

// giveBack asks for a refund until it is known what becomes of it.
func (s *story) giveBack() {
	s.t.Helper()
	for tries := 1; ; tries++ {
		status := s.serving().askRefund(s.order, "part", refundAmount)
		if status == http.StatusOK {
			break
		}
		require.Less(s.t, tries, 60, "no refund, but %d", status)
		require.Contains(s.t, s.two.export(s.t), s.order, "the owner's list, whatever a dead node left half written")
		time.Sleep(500 * time.Millisecond)
		if status == http.StatusAccepted && !s.one.alive() && s.requests(refundCall) == 0 {
			s.lost = true
			return
		}
	}
	eventually(s.t, "the shop is told of the refund", func() bool { return len(s.program.eventsOf(s.order)) > 1 })
	eventually(s.t, "nothing is left to do about the refunded order", func() bool { return !slices.Contains(s.open(), s.order) })
}

// closeWhatNobodyCanPay ends the orders that came to no pay page, and which the
// app would end when their time is over.
func (s *story) closeWhatNobodyCanPay() {
	s.t.Helper()
	for _, callback := range s.callbacks {
		eventually(s.t, "an order is closed by hand", func() bool {
			status := s.serving().closeOrder(orderIn(callback))
			time.Sleep(100 * time.Millisecond)
			return slices.Contains([]int{http.StatusOK, http.StatusNotFound, http.StatusConflict}, status)
		})
	}
}

// closeOrder asks a node's admin API to end an order.
func (n *node) closeOrder(order string) (status int) {
	answer, err := http.Post("http://"+n.admin+"/qfpay_jsapi/orders/"+order+"/close", "application/json", strings.NewReader("{}"))
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

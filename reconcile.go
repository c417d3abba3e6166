package qfpayjsapi

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/oklog/ulid/v2"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

// clerk works through the open orders of one ledger, on one node at a time.
type clerk struct {
	*books
	owner     owner
	endpoints []*webhook.Endpoint
	gone      gone
	heard     map[ledger.News]struct{} // news on the index that were seen there before
	logger    *zap.Logger
}

// How the clerk divides its time.
const (
	rescanInterval = 5 * time.Second // to find what other nodes opened
	troubleWait    = 5 * time.Second // after storage failed
	strayAge       = time.Hour       // of an index entry without an intent
	leadTerm       = time.Hour
	attendLimit    = 60 * time.Second // for one look at one order, or at the index
	workers        = 16               // orders looked at at once
)

// run keeps the ledger's lock while it works, so that only one node does. If
// the lock slips, two work: that tells twice, under the same ids, and breaks
// nothing. It ends when one of them gives the lock back after a term.
func (c *clerk) run(ctx context.Context) {
	for ctx.Err() == nil {
		unlock, err := c.ledger.Lock(ctx, "clerk")
		if err != nil {
			if ctx.Err() == nil {
				c.logger.Warn("the ledger's lock is not to be had; open orders wait", zap.Error(err))
				_ = sleep(ctx, troubleWait)
			}
			continue
		}
		c.serve(ctx, unlock)
	}
}

// serve works for a term and gives the lock back. A panic, as of a storage, ends
// the term and not the work: a lock that is held by nobody would keep the other
// nodes out as well.
func (c *clerk) serve(ctx context.Context, unlock func()) {
	defer unlock()
	c.account.leads.Add(1)
	defer c.account.leads.Add(-1)
	defer func() {
		if panicked := recover(); panicked != nil {
			c.logger.Error("panic", zap.String("in", "the work on open orders"), zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))
			_ = sleep(ctx, troubleWait)
		}
	}()
	c.lead(ctx)
}

// lead works for a term, or until the context ends. Every open order has a time
// at which it is looked at next.
func (c *clerk) lead(ctx context.Context) {
	due := newAgenda()
	busy := make(map[string]struct{})
	finished := make(chan appointment)
	defer func() {
		for range busy {
			<-finished
		}
	}()
	var rescan time.Time
	for end := c.now().Add(leadTerm); ctx.Err() == nil && c.now().Before(end); {
		now := c.now()
		if !now.Before(rescan) {
			c.scan(ctx, due, busy)
			rescan = now.Add(rescanInterval)
		}
		for subject, at := range c.account.woken.take() {
			if _, attended := busy[subject]; attended {
				c.account.woken.later(subject, at)
				continue
			}
			due.add(subject, at)
		}
		for len(busy) < workers {
			subject, any := due.take(now)
			if !any {
				break
			}
			busy[subject] = struct{}{}
			go c.attend(ctx, subject, finished)
		}
		select {
		case <-ctx.Done():
		case <-c.account.woken.bell:
		case done := <-finished:
			delete(busy, done.subject)
			if !done.next.IsZero() {
				due.add(done.subject, done.next)
			}
		case <-time.After(c.idle(due, len(busy), rescan)):
		}
	}
}

// idle is how long there is nothing to start.
func (c *clerk) idle(due *agenda, busy int, rescan time.Time) time.Duration {
	next := rescan
	if first, any := due.first(); any && busy < workers && first.Before(next) {
		next = first
	}
	return max(next.Sub(c.now()), 10*time.Millisecond)
}

// scan adds what is in the index and not yet on the clerk's list, and what there
// is news of, from whichever node.
func (c *clerk) scan(ctx context.Context, due *agenda, busy map[string]struct{}) {
	ctx, cancel := context.WithTimeout(ctx, attendLimit)
	defer cancel()
	subjects, news, err := c.ledger.Index(ctx)
	if err != nil {
		c.logger.Warn("the index of open orders cannot be read; it is tried again", zap.Error(err))
		return
	}
	openOrders.set(c.name, subjects)
	heard := make(map[ledger.News]struct{}, len(news))
	for _, n := range news {
		if c.hear(ctx, n, due, busy) {
			heard[n] = struct{}{}
		}
	}
	c.heard = heard
	for _, subject := range subjects {
		if _, attended := busy[subject]; !attended && !due.has(subject) {
			due.add(subject, c.now())
		}
	}
}

// hear has an order looked at of which there is news, once. Of one that is just
// being looked at, it hears another time.
func (c *clerk) hear(ctx context.Context, news ledger.News, due *agenda, busy map[string]struct{}) (heard bool) {
	if _, before := c.heard[news]; before {
		return true
	}
	if _, attended := busy[news.Order]; attended {
		return false
	}
	if err := c.ledger.Keep(ctx, news); err != nil {
		c.logger.Warn("news of an order wait for storage", zap.String("order", news.Order), zap.Error(err))
		return false
	}
	due.add(news.Order, c.now())
	return true
}

// attend looks at one open order or orphan, in a goroutine of its own. It
// always reports when to look again.
func (c *clerk) attend(ctx context.Context, subject string, finished chan<- appointment) {
	done := appointment{subject, c.now().Add(troubleWait)}
	defer func() { finished <- done }()
	defer func() {
		if panicked := recover(); panicked != nil {
			c.logger.Error("panic", zap.String("order", subject), zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))
			done.next = c.now().Add(time.Minute)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, attendLimit)
	defer cancel()
	next, err := c.look(ctx, subject)
	if err != nil {
		if ctx.Err() == nil {
			c.logger.Warn("an open order waits for storage", zap.String("order", subject), zap.Error(err))
		}
		return
	}
	done.next = next
}

// look does what is due about a subject and returns when to look again.
func (c *clerk) look(ctx context.Context, subject string) (next time.Time, err error) {
	if ledger.IsOrphan(subject) {
		return c.lookAtOrphan(ctx, subject)
	}
	history, err := c.ledger.History(ctx, subject)
	if errors.Is(err, ledger.ErrUnknown) {
		return c.lookAtStray(ctx, subject)
	}
	if err != nil {
		return time.Time{}, err
	}
	order, err := history.Order(subject)
	if err != nil {
		return time.Time{}, err
	}
	if order.Status() == ledger.StatusPending {
		if order, next, err = c.pursue(ctx, order); err != nil {
			return next, err
		}
		if order.Status() == ledger.StatusPending {
			told, err := c.tellDisputes(ctx, order)
			return earlier(next, told), err
		}
		if history, err = c.ledger.History(ctx, subject); err != nil { // with what came of it
			return time.Time{}, err
		}
	}
	return c.wrapUp(ctx, subject, history)
}

// lookAtStray looks after an index entry without an intent among the facts. A
// callback may be at work just now, at this node or another one: then the order
// has an intent in a moment. If it has none by the time at which the callback
// must have ended, the node stopped, and the gateway is asked.
func (c *clerk) lookAtStray(ctx context.Context, order string) (next time.Time, err error) {
	intent, err := c.ledger.Entered(ctx, order)
	if err != nil {
		return time.Time{}, err
	}
	if intent != nil {
		return c.lookAtEntered(ctx, order, *intent)
	}
	id, err := ulid.ParseStrict(order)
	if err != nil {
		return time.Time{}, c.ledger.Finish(ctx, order, nil)
	}
	if removal := ulid.Time(id.Time()).Add(c.orderTTL + strayAge); c.now().Before(removal) {
		return earlier(removal, c.now().Add(rescanInterval)), nil
	}
	return time.Time{}, c.ledger.Finish(ctx, order, nil)
}

// lookAtEntered looks after an order whose callback is at work, or died. One that
// the gateway has not heard of by then, nobody can pay: it is forgotten.
func (c *clerk) lookAtEntered(ctx context.Context, order string, intent ledger.Intent) (next time.Time, err error) {
	if ended := intent.Sent.Add(c.callbackTime()); c.now().Before(ended) {
		return earlier(ended, c.now().Add(rescanInterval)), nil
	}
	if later, err := c.account.pace.wait(ctx); err != nil || later > 0 {
		return c.now().Add(later), err
	}
	switch known, err := c.isKnown(ctx, order, intent); {
	case err != nil:
		return nextEnquiry(intent.Sent, c.now()), nil // which the log says already
	case !known:
		return time.Time{}, c.ledger.Finish(ctx, order, nil)
	}
	return c.now().Add(rescanInterval), c.adopt(ctx, order, intent)
}

// pursue asks the gateway about a pending order if it is time to, and ends the
// order if its time is over.
func (c *clerk) pursue(ctx context.Context, order ledger.Order) (ledger.Order, time.Time, error) {
	since := order.Intent.Sent
	if order.Prepared != nil {
		since = order.Prepared.At
	}
	if first := since.Add(enquiryTimes[0]); c.now().Before(first) {
		return order, first, nil
	}
	if later, err := c.account.pace.wait(ctx); err != nil || later > 0 {
		return order, c.now().Add(later), err
	}
	if c.now().Before(c.expiry(order)) {
		order = c.enquire(ctx, order)
		next := nextEnquiry(since, c.now())
		if expiry := c.expiry(order); expiry.Before(next) {
			next = expiry
		}
		return order, next, nil
	}
	order = c.expire(ctx, order)
	overdue := c.now().Sub(c.expiry(order))
	return order, c.now().Add(min(max(overdue, 15*time.Second), 2*time.Hour)), nil
}

// enquiryTimes are when a pending order is first asked about, counted from when
// it became payable; after the last one it is asked about every
// laterEnquiries.
var enquiryTimes = []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute}

const laterEnquiries = 5 * time.Minute

// nextEnquiry is the first time after now at which an order is asked about.
func nextEnquiry(since, now time.Time) time.Time {
	for _, after := range enquiryTimes {
		if at := since.Add(after); at.After(now) {
			return at
		}
	}
	return now.Add(laterEnquiries)
}

// earlier returns the earlier time; the zero time stands for never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

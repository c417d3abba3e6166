// Package outbox delivers what the shop is to be told. A delivery is a row of
// the ledger, written in the transaction of its event. The outbox takes those
// that are due, sends each to its endpoint, and writes what came of it, until
// the delivery has arrived or there is no attempt left.
//
// Several processes may work on one ledger: a delivery is leased for an attempt,
// and free again when the lease ends, should whoever leased it have died. Each
// message arrives at least once, under the same id. The order in which messages
// arrive is not promised.
package outbox

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

const (
	// lookInterval is how long the outbox waits at most before it looks for what
	// is due: other processes add deliveries too.
	lookInterval = 5 * time.Second

	// lookLimit bounds a query for what is due, and a lease.
	lookLimit = 5 * time.Second
)

// What Observer is told of.
const (
	Delivered = "delivered"
	Failed    = "failed"
	Gone      = "gone"     // the endpoint wants nothing more
	GaveUp    = "given_up" // not an attempt: there is none left
)

// Observer counts. It is safe for concurrent use.
type Observer interface {
	// Attempted is called once for each attempt, and once more, with GaveUp, for
	// each delivery that is given up. The delivery is as it is being saved; the kind is
	// that of its receiver, webhook or mail.
	Attempted(d ledger.Delivery, kind, outcome string)
}

// Config is what an outbox works with.
type Config struct {
	Ledger   ledger.Ledger
	Log      *zap.Logger      // may be nil
	Observer Observer         // may be nil
	Now      func() time.Time // nil is time.Now

	// GaveUp is called in the step in which a delivery is given up, with the name of
	// its receiver; nil does nothing.
	GaveUp func(tx *ledger.Tx, d ledger.Delivery, receiver string, now time.Time) error

	// Sleep waits and reports whether the context goes on; nil waits by the clock.
	Sleep func(ctx context.Context, wait time.Duration) bool
}

// Outbox makes the deliveries of one ledger in this process, for all shops. It is
// safe for concurrent use.
type Outbox struct {
	ledger   ledger.Ledger
	log      *zap.Logger
	observer Observer
	now      func() time.Time
	gaveUp   func(tx *ledger.Tx, d ledger.Delivery, receiver string, now time.Time) error
	sleep    func(ctx context.Context, wait time.Duration) bool

	wake     chan struct{}
	attempts sync.WaitGroup
	slots    slots
}

// New returns an outbox without endpoints. [Outbox.Run] makes it work.
func New(config Config) *Outbox {
	o := &Outbox{
		ledger:   config.Ledger,
		log:      config.Log,
		observer: config.Observer,
		now:      config.Now,
		gaveUp:   config.GaveUp,
		sleep:    config.Sleep,
		wake:     make(chan struct{}, 1),
	}
	if o.log == nil {
		o.log = zap.NewNop()
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.sleep == nil {
		o.sleep = sleep
	}
	return o
}

// SetEndpoints says which endpoints there are, in the place of those before.
// Deliveries for any other endpoint are left alone: they may be another
// process's. An endpoint that answered 410 Gone is tried again.
func (o *Outbox) SetEndpoints(endpoints map[ledger.Destination]Receiver) {
	o.closeIdle() // of those before
	o.slots.replace(endpoints)
	o.Wake()
}

// Wake says that deliveries were added. It waits for nothing.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default: // the outbox is going to look anyway
	}
}

// Run works until the context ends, and returns when nothing of it runs any more.
// Attempts that are cut by that do not count. The ledger must stay open until Run
// has returned. Only one Run may work at a time.
func (o *Outbox) Run(ctx context.Context) {
	defer o.closeIdle()
	defer o.attempts.Wait()
	for ctx.Err() == nil {
		timer := time.NewTimer(o.safeLook(ctx))
		select {
		case <-ctx.Done():
		case <-o.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// safeLook survives what should not happen.
func (o *Outbox) safeLook(ctx context.Context) (wait time.Duration) {
	defer func() {
		if cause := recover(); cause != nil {
			o.log.Error("panic", zap.String("in", "the outbox"), zap.Any("panic", cause), zap.ByteString("stack", debug.Stack()))
			wait = lookInterval
		}
	}()
	return o.look(ctx)
}

func (o *Outbox) closeIdle() {
	for _, receiver := range o.slots.receivers() {
		receiver.CloseIdle()
	}
}

// Deliver makes all attempts that are due now, waits for them, and returns when the
// next one is due; zero if none ever is. It is for those who do not let Run work.
func (o *Outbox) Deliver(ctx context.Context) (next time.Time, err error) {
	for ctx.Err() == nil {
		o.look(ctx)
		o.attempts.Wait()
		due, next, err := o.due(ctx, o.now())
		if err != nil || !o.slots.knows(due) {
			return next, err
		}
	}
	return time.Time{}, ctx.Err()
}

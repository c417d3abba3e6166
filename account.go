package qfpayjsapi

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// account is what all blocks with one ledger share in this process, also
// across reloads: the old configuration's requests in flight and the new
// one's know of each other.
type account struct {
	callbacks singleflight.Group // by order
	enquiries singleflight.Group // by order
	asked     recently
	glances   *rate.Limiter // enquiries that browsers cause
	refusals  *quota
	unvouched *quota
	pace      *pace
	woken     woken
	storages  storages
	leads     atomic.Int32 // how many clerks of this process are at work; more than one while a reload goes on
	refunds   sync.Mutex   // held while one is reserved, so that nodes contend for storage's lock, not requests
	noted     noted
}

func newAccount() *account {
	return &account{
		glances: rate.NewLimiter(glanceRate, glanceBurst), refusals: refusals(), unvouched: unvouched(),
		pace: newPace(), woken: woken{bell: make(chan struct{}, 1)},
	}
}

// wake tells the app that there is something to do about an order or orphan.
func (a *account) wake(subject string) { a.wakeAt(subject, time.Time{}) }

// wakeAt tells the app that there will be something to do at a time.
func (a *account) wakeAt(subject string, at time.Time) { a.woken.add(subject, at) }

var accounts = caddy.NewUsagePool()

func joinAccount(name string) (*account, error) {
	shared, _, err := accounts.LoadOrNew(name, func() (caddy.Destructor, error) { return newAccount(), nil })
	if err != nil {
		return nil, err
	}
	return shared.(*account), nil
}

func leaveAccount(name string) error {
	_, err := accounts.Delete(name)
	return err
}

// Destruct implements caddy.Destructor. There is nothing to stop.
func (*account) Destruct() error { return nil }

// accountName derives the ledger's name from the merchant's account, so that
// blocks with the same account share one ledger.
func accountName(appCode, mchID string) string {
	sum := sha256.Sum256([]byte(appCode + "\x00" + mchID))
	return hex.EncodeToString(sum[:8])
}

// Browsers that look at their orders, however many of however many orders, take
// about half of what the gateway lets a merchant do. Otherwise somebody with many
// orders could keep others from paying. What they do not ask, the app does.
const (
	glanceRate  = 3 // a second
	glanceBurst = 60
)

// enquiryInterval is the least time between two enquiries about one order.
const enquiryInterval = 2 * time.Second

// recently remembers when orders were last asked about. It holds an order for
// [enquiryInterval] only, and the gateway's own limit of 100 calls per second
// bounds how many those are.
type recently struct {
	mu    sync.Mutex
	times map[string]time.Time
}

// due reports whether an order may be asked about now, and if so, notes it.
func (a *recently) due(order string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Before(a.times[order].Add(enquiryInterval)) {
		return false
	}
	if len(a.times) >= recentlyMost {
		a.forget(now)
	}
	if len(a.times) >= recentlyMost {
		return false
	}
	if a.times == nil {
		a.times = make(map[string]time.Time)
	}
	a.times[order] = now
	return true
}

// isDue is due without noting anything.
func (a *recently) isDue(order string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !now.Before(a.times[order].Add(enquiryInterval))
}

// recentlyMost is above what the gateway's limit lets in within the interval.
const recentlyMost = 1024

func (a *recently) forget(now time.Time) {
	for order, at := range a.times {
		if !now.Before(at.Add(enquiryInterval)) {
			delete(a.times, order)
		}
	}
}

// first reports whether something is noted for the first time, so that it is
// logged and counted once, whoever learns it again at the same moment or later.
func (a *account) first(what string) bool { return a.noted.add(what) }

// noted remembers what was noted lately, in two generations; a full young one
// replaces the old one.
type noted struct {
	mu         sync.Mutex
	young, old map[string]struct{}
}

const notedMost = 4096 // per generation

func (n *noted) add(what string) (isNew bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, young := n.young[what]
	_, old := n.old[what]
	if young {
		return false
	}
	if n.young == nil || len(n.young) >= notedMost {
		n.old, n.young = n.young, make(map[string]struct{})
	}
	n.young[what] = struct{}{}
	return !old
}

// woken are the orders and orphans that the app should look at, and when. It
// loses nothing by being bounded: the app finds them in the index as well.
type woken struct {
	bell chan struct{} // holds one token while there is something

	mu       sync.Mutex
	subjects map[string]time.Time
}

const wokenMost = 4096

func (q *woken) add(subject string, at time.Time) {
	q.later(subject, at)
	select {
	case q.bell <- struct{}{}:
	default:
	}
}

// later keeps a subject without ringing.
func (q *woken) later(subject string, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.subjects == nil {
		q.subjects = make(map[string]time.Time)
	}
	before, known := q.subjects[subject]
	if known && before.Before(at) || !known && len(q.subjects) >= wokenMost {
		return
	}
	q.subjects[subject] = at
}

func (q *woken) take() map[string]time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	subjects := q.subjects
	q.subjects = nil
	return subjects
}

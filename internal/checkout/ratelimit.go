package checkout

import (
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// newRefusals is how often the gateway may refuse callbacks of a client, so that
// nobody burns the shop's share of it with made-up codes. A payer causes a
// refusal now and then, by going back to an old page; many phones may share an
// address.
func newRefusals() *quota { return newQuota(10, 6*time.Second) }

// newPayments is how often a client may make a payment for whose payer nobody
// vouches, so that a program that presses Pay neither takes the gateway from
// others nor fills the ledger.
func newPayments() *quota { return newQuota(30, 2*time.Second) }

// newHandoffs is how often a client may have the ledger keep what it hands to a
// phone. Beyond that, all of it goes into the code.
func newHandoffs() *quota { return newQuota(30, 10*time.Second) }

// How many handoffs the ledger keeps for all clients of a shop together, so that
// nobody who has many addresses fills the disk.
const (
	keptRate  = 5 // a second
	keptBurst = 300
)

// quota bounds how often each client does something: burst times at once, and
// then once every interval. It remembers the latest [quotaClients].
type quota struct {
	burst    int
	interval time.Duration
	clients  *lru.Cache[netip.Prefix, *allowance]
}

const quotaClients = 8192

const (
	// mostUnderWay bounds what a client has under way, which may all have to be
	// counted when it is done. It binds only clients that are distrusted: many honest
	// payers may share an address, and before the first is refused nothing tells
	// them from a flood.
	mostUnderWay = 30

	// distrustTime is how long a client is, after something of it was counted.
	distrustTime = time.Hour

	// underWayWait is when a client may try again that has so much under way.
	underWayWait = 2 * time.Second

	// quotaDebt is how far a client may get ahead of its quota: as far as all that
	// it has under way leads when one is left. For refused callbacks that makes three
	// minutes: others, who share the client's address, wait no longer.
	quotaDebt = mostUnderWay - 1
)

func newQuota(burst int, interval time.Duration) *quota {
	clients, _ := lru.New[netip.Prefix, *allowance](quotaClients) // fails for sizes below 1 only
	return &quota{burst, interval, clients}
}

// enter lets a client do it, or returns how long it must wait. Who was let in
// leaves; what counts is counted before that.
func (q *quota) enter(client string, now time.Time) (a *allowance, wait time.Duration) {
	a = q.allowance(client)
	a.mu.Lock()
	defer a.mu.Unlock()
	wait = a.wait(now, q.interval)
	if a.underWay >= mostUnderWay && now.Sub(a.counted) < distrustTime {
		wait = max(wait, underWayWait)
	}
	if wait == 0 {
		a.underWay++
	}
	return a, wait
}

// wait returns how long a client must wait until it may do it again; 0 means
// that it may now.
func (q *quota) wait(client string, now time.Time) time.Duration {
	a := q.allowance(client)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wait(now, q.interval)
}

// count notes that a client did it, also when it was more than it may.
func (q *quota) count(client string, now time.Time) { q.allowance(client).count(now) }

func (q *quota) allowance(client string) *allowance {
	key := clientNetwork(client)
	if a, known := q.clients.Get(key); known {
		return a
	}
	a := &allowance{tokens: rate.NewLimiter(rate.Every(q.interval), q.burst)}
	if other, known, _ := q.clients.PeekOrAdd(key, a); known {
		return other
	}
	return a
}

// allowance is what a quota leaves to one client.
type allowance struct {
	mu       sync.Mutex
	tokens   *rate.Limiter
	underWay int       // how many entered and did not leave
	counted  time.Time // the last
}

func (a *allowance) wait(now time.Time, interval time.Duration) time.Duration {
	tokens := a.tokens.TokensAt(now)
	if tokens >= 1 {
		return 0
	}
	return time.Duration((1 - tokens) * float64(interval))
}

func (a *allowance) count(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counted = now
	if a.tokens.TokensAt(now)-1 >= -quotaDebt {
		a.tokens.ReserveN(now, 1)
	}
}

func (a *allowance) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.underWay--
}

// clientNetwork is the IPv4 address, or the /64 that one IPv6 client commands.
// What is no address counts as one client.
func clientNetwork(client string) netip.Prefix {
	address, err := netip.ParseAddr(client)
	if err != nil {
		return netip.Prefix{}
	}
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	network, _ := address.Prefix(bits)
	return network
}

package checkout

import (
	"net/netip"
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
	clients  *lru.Cache[netip.Prefix, *rate.Limiter]
}

const quotaClients = 8192

// quotaDebt is how far a client may get ahead of its quota by doing many things
// at once, none of which had been counted when the others were let in. It waits
// for all of them, an hour at most for refused callbacks: others may share its
// address.
const quotaDebt = 600

func newQuota(burst int, interval time.Duration) *quota {
	clients, _ := lru.New[netip.Prefix, *rate.Limiter](quotaClients) // fails for sizes below 1 only
	return &quota{burst, interval, clients}
}

// wait returns how long a client must wait until it may do it again; 0 means
// that it may now.
func (q *quota) wait(client string, now time.Time) time.Duration {
	tokens := q.limiter(client).TokensAt(now)
	if tokens >= 1 {
		return 0
	}
	return time.Duration((1 - tokens) * float64(q.interval))
}

// count notes that a client did it, also when it was more than it may.
func (q *quota) count(client string, now time.Time) {
	if limiter := q.limiter(client); limiter.TokensAt(now) > -quotaDebt {
		limiter.ReserveN(now, 1)
	}
}

func (q *quota) limiter(client string) *rate.Limiter {
	key := clientNetwork(client)
	if limiter, known := q.clients.Get(key); known {
		return limiter
	}
	limiter := rate.NewLimiter(rate.Every(q.interval), q.burst)
	if other, known, _ := q.clients.PeekOrAdd(key, limiter); known {
		return other
	}
	return limiter
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

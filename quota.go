package qfpayjsapi

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// refusals is how often the gateway may refuse callbacks of a client, so that
// nobody burns the shop's share of it with made-up codes. A payer causes a
// refusal now and then, by going back to an old page; many phones may share an
// address.
func refusals() *quota { return &quota{burst: 10, interval: 6 * time.Second} }

// unvouched is how often a client may make a payment for whose payer nobody
// vouches, so that a program that presses Pay neither takes the gateway from
// others nor fills the ledger.
func unvouched() *quota { return &quota{burst: 30, interval: 2 * time.Second} }

// quota bounds how often each client does something: burst times at once, and
// then once every interval. It keeps two generations of clients; a full young one
// replaces the old one.
type quota struct {
	burst    int
	interval time.Duration

	mu         sync.Mutex
	young, old map[netip.Prefix]*rate.Limiter
}

const quotaClients = 4096 // per generation

// quotaDebt is how far a client may get ahead of its quota by doing many things
// at once, none of which had been counted when the others were let in. It waits
// for all of them, an hour at most for refused callbacks: others may share its
// address.
const quotaDebt = 600

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
	q.mu.Lock()
	defer q.mu.Unlock()
	if limiter, ok := q.young[key]; ok {
		return limiter
	}
	limiter, ok := q.old[key]
	if !ok {
		limiter = rate.NewLimiter(rate.Every(q.interval), q.burst)
	}
	if q.young == nil || len(q.young) >= quotaClients {
		q.old, q.young = q.young, make(map[netip.Prefix]*rate.Limiter)
	}
	q.young[key] = limiter
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

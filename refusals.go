package qfpayjsapi

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Each client address may cause this many refused callbacks at once, and then
// one more every interval. A payer causes one now and then, by going back to
// an old page; many phones may share an address.
const (
	refusalBurst    = 10
	refusalInterval = 6 * time.Second
	refusalClients  = 4096 // per generation
)

// refusals counts the callbacks per client address that the gateway refused,
// so that nobody burns the shop's share of the gateway with made-up codes. It
// keeps two generations of clients; a full young one replaces the old one.
type refusals struct {
	mu         sync.Mutex
	young, old map[netip.Prefix]*rate.Limiter
}

// wait returns how long a client must wait before its next callback; 0 means
// that it may go on.
func (f *refusals) wait(client string, now time.Time) time.Duration {
	tokens := f.limiter(client).TokensAt(now)
	if tokens >= 1 {
		return 0
	}
	return time.Duration((1 - tokens) * float64(refusalInterval))
}

// count notes that the gateway refused a callback of this client.
func (f *refusals) count(client string, now time.Time) {
	f.limiter(client).AllowN(now, 1)
}

func (f *refusals) limiter(client string) *rate.Limiter {
	key := clientNetwork(client)
	f.mu.Lock()
	defer f.mu.Unlock()
	if limiter, ok := f.young[key]; ok {
		return limiter
	}
	limiter, ok := f.old[key]
	if !ok {
		limiter = rate.NewLimiter(rate.Every(refusalInterval), refusalBurst)
	}
	if f.young == nil || len(f.young) >= refusalClients {
		f.old, f.young = f.young, make(map[netip.Prefix]*rate.Limiter)
	}
	f.young[key] = limiter
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

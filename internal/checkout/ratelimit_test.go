package checkout

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func address(i int) string {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()
}

func TestAQuotaIsCountedPerNetworkAndBounded(t *testing.T) {
	q := newRefusals()
	now := time.Now()
	for range q.burst {
		assert.Zero(t, q.wait("192.0.2.1", now))
		q.count("192.0.2.1", now)
	}
	assert.Positive(t, q.wait("192.0.2.1", now))
	assert.Zero(t, q.wait("192.0.2.2", now), "another client goes on")
	assert.Zero(t, q.wait("192.0.2.1", now.Add(q.interval)), "after a while it may try again")
	for range q.burst {
		q.count("2001:db8::1", now)
	}
	assert.Positive(t, q.wait("2001:db8::2", now), "one IPv6 client commands a /64")
	for i := range 2 * quotaClients {
		q.count(address(i), now)
	}
	assert.Equal(t, quotaClients, q.clients.Len())
}

func TestAClientThatDoesMuchAtOnceWaitsForAllOfIt(t *testing.T) {
	q := newRefusals()
	now := time.Now()
	for range q.burst + 90 { // let in before the first of them was counted
		q.count("192.0.2.1", now)
	}
	assert.Positive(t, q.wait("192.0.2.1", now.Add(90*q.interval)), "not as many again with every interval")
	assert.Zero(t, q.wait("192.0.2.1", now.Add(91*q.interval)))
	for range 100 * quotaDebt {
		q.count("192.0.2.1", now)
	}
	assert.LessOrEqual(t, q.wait("192.0.2.1", now), time.Hour+q.interval)
}

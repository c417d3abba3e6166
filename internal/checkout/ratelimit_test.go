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

func TestAClientThatDoesMuchAtOnceWaitsForItButNoLongerThanThreeMinutes(t *testing.T) {
	q := newRefusals()
	now := time.Now()
	for range q.burst + 20 { // let in before the first of them was counted
		q.count("192.0.2.1", now)
	}
	assert.Positive(t, q.wait("192.0.2.1", now.Add(20*q.interval)), "not as many again with every interval")
	assert.Zero(t, q.wait("192.0.2.1", now.Add(21*q.interval)))
	for range 1000 {
		q.count("192.0.2.1", now)
	}
	assert.LessOrEqual(t, q.wait("192.0.2.1", now), 3*time.Minute)
	assert.Zero(t, q.wait("192.0.2.1", now.Add(3*time.Minute)))
}

// enterOften has a client enter until it has to wait.
func enterOften(q *quota, client string, now time.Time, most int) (inside []*allowance, wait time.Duration) {
	for range most {
		a, wait := q.enter(client, now)
		if wait > 0 {
			return inside, wait
		}
		inside = append(inside, a)
	}
	return inside, 0
}

func TestAClientOfWhomOneWasCountedMayDoLessAtOnce(t *testing.T) {
	q := newRefusals()
	now := time.Now()
	inside, wait := enterOften(q, "192.0.2.1", now, 200)
	assert.Zero(t, wait, "before the first is counted, nothing tells it from many payers")
	assert.Len(t, inside, 200)
	for _, a := range inside {
		a.leave()
	}

	q.count("192.0.2.1", now)
	inside, wait = enterOften(q, "192.0.2.1", now, 200)
	assert.Len(t, inside, mostUnderWay)
	assert.Equal(t, underWayWait, wait)
	inside[0].leave()
	_, wait = q.enter("192.0.2.1", now)
	assert.Zero(t, wait, "one has ended")
	_, wait = enterOften(q, "192.0.2.2", now, 200)
	assert.Zero(t, wait, "another client goes on")
	_, wait = enterOften(q, "192.0.2.1", now.Add(distrustTime), 200)
	assert.Zero(t, wait, "it is forgotten")
}

// A client that does as much at once as it may, again and again, gets no further
// ahead by that.
func TestOfWhatAClientDoesAtOnceNothingGoesUncounted(t *testing.T) {
	q := newRefusals()
	began := time.Now()
	q.count("192.0.2.1", began)
	done := 1
	for passed := time.Duration(0); passed <= time.Hour; passed += time.Second {
		inside, _ := enterOften(q, "192.0.2.1", began.Add(passed), 200)
		for _, a := range inside {
			a.count(began.Add(passed))
			a.leave()
		}
		done += len(inside)
		assert.LessOrEqual(t, done, q.burst+int(passed/q.interval)+mostUnderWay, passed)
	}
}

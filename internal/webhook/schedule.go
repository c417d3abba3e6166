package webhook

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Attempts is how often one message is tried at most.
const Attempts = 10

// waits holds the wait before each attempt: 75 h 35 min 5 s in all, the example
// schedule of the Standard Webhooks specification.
var waits = [Attempts]time.Duration{
	0,
	5 * time.Second,
	5 * time.Minute,
	30 * time.Minute,
	2 * time.Hour,
	5 * time.Hour,
	10 * time.Hour,
	14 * time.Hour,
	20 * time.Hour,
	24 * time.Hour,
}

// Span is how long after an event the last attempt can be due, without what
// endpoints ask for by Retry-After.
const Span = 4 * 24 * time.Hour

// Next returns when attempt n (1 is the first) of the message called id is
// due, given when the attempt before it was made, or for the first one, when
// the event happened. ok is false when there is no such attempt.
func Next(id string, n int, last time.Time) (due time.Time, ok bool) {
	if n < 1 || n > Attempts {
		return time.Time{}, false
	}
	wait := waits[n-1]
	return last.Add(wait + jitter(id, n, wait)), true
}

// jitter spreads messages that failed together: -10 % to +10 % of wait. It
// follows from its arguments alone, so that a restart, or another node of a
// cluster, comes to the same moment.
func jitter(id string, n int, wait time.Duration) time.Duration {
	spread := wait / 10
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", id, n))
	draw := binary.BigEndian.Uint64(sum[:]) % uint64(2*spread+1)
	return time.Duration(draw) - spread
}

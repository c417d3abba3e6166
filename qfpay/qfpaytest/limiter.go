package qfpaytest

import "time"

// The documented limits of one merchant.
const (
	perSecond = 100
	perMinute = 400
)

// limiter remembers when the last requests were admitted, in a ring.
type limiter struct {
	admitted [perMinute]time.Time
	next     int
}

// admit says whether one more request is within both limits, and otherwise how
// long to wait. What is turned away does not count.
func (l *limiter) admit(now time.Time) (wait time.Duration, ok bool) {
	wait = max(
		l.wait(now, perMinute, time.Minute),
		l.wait(now, perSecond, time.Second),
	)
	if wait > 0 {
		return wait, false
	}
	l.admitted[l.next] = now
	l.next = (l.next + 1) % perMinute
	return 0, true
}

func (l *limiter) wait(now time.Time, limit int, window time.Duration) time.Duration {
	oldest := l.admitted[(l.next+perMinute-limit)%perMinute]
	if oldest.IsZero() {
		return 0
	}
	return max(0, window-now.Sub(oldest))
}

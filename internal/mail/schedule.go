package mail

import "time"

// Attempts is how often one mail is tried at most.
const Attempts = 10

// waits holds the wait before each attempt: 23 h 21 min in all. A server that wants
// to see a mail twice before it takes it is asked again within minutes.
var waits = [Attempts]time.Duration{
	0,
	time.Minute,
	5 * time.Minute,
	15 * time.Minute,
	time.Hour,
	2 * time.Hour,
	4 * time.Hour,
	4 * time.Hour,
	6 * time.Hour,
	6 * time.Hour,
}

// Span is how long after an event the last attempt can be due.
const Span = 24 * time.Hour

// Next returns when attempt n (1 is the first) is due, given when the attempt before
// it was made, or for the first one, when the event happened. ok is false when there
// is no such attempt.
func Next(n int, last time.Time) (due time.Time, ok bool) {
	if n < 1 || n > Attempts {
		return time.Time{}, false
	}
	return last.Add(waits[n-1]), true
}

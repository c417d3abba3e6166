package outbox

import (
	"context"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Receiver is a place that messages are sent to. It is safe for concurrent use.
type Receiver interface {
	// Terms say how the receiver is treated. They do not change.
	Terms() Terms

	// Send makes one attempt, at now, and ends soon after ctx. The message is the
	// same at every attempt.
	Send(ctx context.Context, d ledger.Delivery, now time.Time) Result

	// String names the receiver for logs, without secrets.
	String() string

	// CloseIdle closes the connections that no attempt is using.
	CloseIdle()
}

// Terms are how one kind of receivers is treated.
type Terms struct {
	Kind  string        // for logs: webhook or mail
	Slots int           // how many attempts at one receiver run at once
	Limit time.Duration // bounds an attempt, from when it is sent
	Span  time.Duration // how long after an event the last attempt can be due

	// Next returns when attempt n (1 is the first) of a message is due, given when
	// the attempt before it was made; ok is false when there is none.
	Next func(id string, n int, last time.Time) (due time.Time, ok bool)
}

// leaseTime is longer than leasing, sending and saving take together.
func (t Terms) leaseTime() time.Duration { return lookLimit + t.Limit + saveLimit + 5*time.Second }

// Result is what came of one attempt.
type Result struct {
	Delivered  bool
	Gone       bool          // the receiver wants nothing more, ever
	Final      bool          // the receiver will never take this message
	Status     int           // its answer's, of HTTP or SMTP; 0 if none came
	RetryAfter time.Duration // what the receiver asked to wait from now on; 0 if it did not ask
	Err        error         // why the message was not delivered, without secrets; nil when delivered
}

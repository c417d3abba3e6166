package remote

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Outcome is what is known about a call that did not succeed.
type Outcome int

const (
	// Refused is a no: nothing happened.
	Refused Outcome = iota + 1
	// Unknown is not a no: it may or may not have happened.
	Unknown
)

// String returns refused or unknown.
func (o Outcome) String() string {
	switch o {
	case Refused:
		return "refused"
	case Unknown:
		return "unknown"
	default:
		return "Outcome(" + strconv.Itoa(int(o)) + ")"
	}
}

// Fault is where the cause lies.
type Fault int

const (
	// FaultPayer is a used or expired code, or an order that is over: the payer
	// starts again.
	FaultPayer Fault = iota + 1
	// FaultShop is the configuration: a key, or an account that is not allowed to
	// do this. The operator has to act.
	FaultShop
	// FaultRequest is what was sent.
	FaultRequest
	// FaultBusy is maintenance or a rate limit: try later.
	FaultBusy
	// FaultBroken is a service that broke or answered garbage.
	FaultBroken
	// FaultSilent is a service that could not be reached or did not answer in
	// time, or a caller who gave up.
	FaultSilent
)

// String returns payer, shop, request, busy, broken or silent.
func (f Fault) String() string {
	switch f {
	case FaultPayer:
		return "payer"
	case FaultShop:
		return "shop"
	case FaultRequest:
		return "request"
	case FaultBusy:
		return "busy"
	case FaultBroken:
		return "broken"
	case FaultSilent:
		return "silent"
	default:
		return "Fault(" + strconv.Itoa(int(f)) + ")"
	}
}

// Failure is why a call did not succeed, but for the codes that each service has
// of its own. It is the common part of the services' errors.
type Failure struct {
	Outcome Outcome
	Fault   Fault

	// Status is the HTTP status, or 0 if there was none.
	Status int

	// RetryAfter is how long the service asks to be left alone, at most an hour;
	// 0 if it does not say.
	RetryAfter time.Duration

	// Err is why there was no reply that could be read, if that is so. It is
	// without the request's URL, and an ended context is found in it by
	// [errors.Is].
	Err error
}

// Invalid is a mistake that is found before anything is sent.
func Invalid(err error) *Failure {
	return &Failure{Outcome: Refused, Fault: FaultRequest, Err: err}
}

// Garbage is a reply with status 200 that cannot be understood.
func Garbage(err error) *Failure {
	return &Failure{Outcome: Unknown, Fault: FaultBroken, Status: http.StatusOK, Err: err}
}

// Ended returns what is known, and where the cause lies.
func (f Failure) Ended() (Outcome, Fault) { return f.Outcome, f.Fault }

// Unwrap returns Err.
func (f Failure) Unwrap() error { return f.Err }

// Describe says in one line what was called, how it ended, and everything known
// about why. said is what the service answered, part by part; empty parts are
// left out.
func (f Failure) Describe(call string, said ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (%s)", call, f.Outcome, f.Fault)
	if f.Status != 0 && f.Status != http.StatusOK {
		fmt.Fprintf(&b, ": HTTP status %d", f.Status)
	}
	for _, part := range said {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if f.Err != nil {
		b.WriteString(": " + f.Err.Error())
	}
	return b.String()
}

// Ended returns how the call ended that err is the error of, whichever service
// it went to. Both are zero for any other error.
func Ended(err error) (Outcome, Fault) {
	failed, ok := errors.AsType[interface {
		error
		Ended() (Outcome, Fault)
	}](err)
	if !ok {
		return 0, 0
	}
	return failed.Ended()
}

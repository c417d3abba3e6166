package qfpay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
)

// Outcome is what is known about a call that did not succeed.
type Outcome int

const (
	// Refused is a no: nothing happened.
	Refused Outcome = iota + 1
	// Unknown is not a no: it may or may not have happened. Ask again with the
	// same number.
	Unknown
)

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
	// FaultShop is the configuration: the key, or an account that is not allowed
	// to do this.
	FaultShop
	// FaultRequest is what was sent: bad parameters or a duplicate number.
	FaultRequest
	// FaultBusy is maintenance or the rate limit: try later.
	FaultBusy
	// FaultGateway is a gateway that broke or answered garbage.
	FaultGateway
	// FaultSilent is a gateway that could not be reached or did not answer in
	// time, or a caller who gave up.
	FaultSilent
)

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
	case FaultGateway:
		return "gateway"
	case FaultSilent:
		return "silent"
	default:
		return "Fault(" + strconv.Itoa(int(f)) + ")"
	}
}

// Error is the error of every call. It never holds the URL, the payer's code or
// openid, the client key or a payer's real name, and may be logged.
type Error struct {
	// Call is "openid", "payment", "query", "close" or "refund"; mistakes that are found
	// while an address is made say "oauth" or "paypage".
	Call string

	// Respcd is the gateway's response code, or empty if it gave none.
	Respcd string

	// Message is the gateway's own wording, at most 200 bytes of printable
	// characters. It is meant for the shop, not for the payer.
	Message string

	// Status is the HTTP status, or 0 if there was none.
	Status int

	Outcome Outcome
	Fault   Fault

	// RetryAfter is how long the gateway asks to be left alone, at most an
	// hour; 0 if it does not say.
	RetryAfter time.Duration

	// Err is the underlying error, if any.
	Err error
}

// Error says what was asked, how it ended, and everything known about why.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "qfpay: %s: %s (%s)", e.Call, e.Outcome, e.Fault)
	if e.Status != 0 && e.Status != http.StatusOK {
		fmt.Fprintf(&b, ": HTTP status %d", e.Status)
	}
	if e.Respcd != "" {
		fmt.Fprintf(&b, ": respcd %s", quote.Line(e.Respcd))
	}
	for _, part := range []string{Meaning(e.Respcd), e.Message} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns Err. After a cancelled or expired context, it is that context's
// error.
func (e *Error) Unwrap() error { return e.Err }

// Duplicate reports whether the gateway says that it has seen the number before:
// an earlier call with it may have succeeded. 1251 is documented as a
// misconfigured shop but was observed for duplicates.
func (e *Error) Duplicate() bool {
	return e.Respcd == "1102" || e.Respcd == "2011" || e.Respcd == "1251"
}

// Paid reports whether the gateway says that the payment has been made already.
// 1298, that it may have been, is not enough.
func (e *Error) Paid() bool {
	return e.Respcd == "1260"
}

// NotFound reports whether the gateway says that it does not know the trade.
func (e *Error) NotFound() bool {
	return e.Respcd == "1136" || e.Respcd == "1268"
}

// invalid is a mistake that is found before anything is sent.
func invalid(call string, err error) *Error {
	return &Error{Call: call, Outcome: Refused, Fault: FaultRequest, Err: err}
}

// transportError is the lack of a reply.
func transportError(ctx context.Context, call string, err error) *Error {
	e := &Error{Call: call, Outcome: Unknown, Fault: FaultSilent, Err: quote.Cause(ctx, err)}
	if ctx.Err() == nil && neverConnected(err) {
		e.Outcome = Refused
	}
	return e
}

// neverConnected reports whether err is a failed dial: of that alone is it
// certain that nothing has reached the gateway.
func neverConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// statusError is a reply that is not 200. Its body is not looked at.
func statusError(call string, resp *http.Response) *Error {
	e := &Error{
		Call:       call,
		Status:     resp.StatusCode,
		Outcome:    Unknown,
		Fault:      FaultGateway,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		e.Outcome, e.Fault = Refused, FaultBusy
	}
	return e
}

// retryAfter reads seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	const longest = time.Hour
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(longest/time.Second))) * time.Second
	}
	date, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, min(date.Sub(now), longest))
}

// bodyError is a reply that broke off.
func bodyError(ctx context.Context, call string, err error) *Error {
	if ctx.Err() != nil {
		e := transportError(ctx, call, err)
		e.Status = http.StatusOK
		return e
	}
	return garbage(call, err)
}

// garbage is a reply that cannot be understood.
func garbage(call string, err error) *Error {
	return &Error{Call: call, Status: http.StatusOK, Outcome: Unknown, Fault: FaultGateway, Err: err}
}

// answer is a reply whose respcd is not success.
func answer(call, respcd, message string) *Error {
	e := &Error{Call: call, Respcd: respcd, Message: message, Status: http.StatusOK}
	e.Outcome, e.Fault = judgement(call, respcd)
	return e
}

// hideIn is the error of a call without secrets.
func hideIn(err error, hide quote.Redactor) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return hide.Error(err)
	}
	clean := *e
	clean.Respcd = hide.Line(clean.Respcd)
	if clean.Err != nil {
		clean.Err = hide.Error(clean.Err)
	}
	return &clean
}

package wechat

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
)

// The calls of an account, by the names that errors give them.
const (
	callAuthorize = "authorize"
	callOpenID    = "openid"
)

// Outcome is what is known about a call that did not succeed.
type Outcome int

const (
	// Refused is a no: the payer has no openid from this call.
	Refused Outcome = iota + 1
	// Unknown is not a no: the code may or may not have been used up.
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
	// FaultPayer is a code that is used, expired or invalid: the payer starts
	// again.
	FaultPayer Fault = iota + 1
	// FaultShop is the configuration: the app id, the app secret, the list of IP
	// addresses, or an account that is not allowed to do this. The operator has
	// to act.
	FaultShop
	// FaultRequest is what was sent.
	FaultRequest
	// FaultBusy is too much at once: try later.
	FaultBusy
	// FaultWeChat is a WeChat that broke or answered garbage.
	FaultWeChat
	// FaultSilent is a WeChat that could not be reached or did not answer in
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
	case FaultWeChat:
		return "wechat"
	case FaultSilent:
		return "silent"
	default:
		return "Fault(" + strconv.Itoa(int(f)) + ")"
	}
}

// Error is the error of every call. It never holds the URL, the payer's code, the
// openid or the app secret, and may be logged.
type Error struct {
	// Call is "openid", or "authorize" for mistakes that are found while an
	// address is made.
	Call string

	// Errcode is WeChat's return code, or 0 if it gave none.
	Errcode int

	// Message is WeChat's own wording, at most 200 bytes of printable characters.
	// It is meant for the shop, not for the payer, and its rid is what WeChat's
	// support asks for.
	Message string

	// Status is the HTTP status, or 0 if there was none.
	Status int

	Outcome Outcome
	Fault   Fault

	// Err is why there was no reply that could be read, if that is so: the
	// wording of the cause alone, without the values that caused it, except that
	// an ended context is still found by [errors.Is].
	Err error
}

// Error says what was asked, how it ended, and everything known about why.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "wechat: %s: %s (%s)", e.Call, e.Outcome, e.Fault)
	if e.Status != 0 && e.Status != http.StatusOK {
		fmt.Fprintf(&b, ": HTTP status %d", e.Status)
	}
	if e.Errcode != 0 {
		fmt.Fprintf(&b, ": errcode %d", e.Errcode)
	}
	for _, part := range []string{Meaning(e.Errcode), e.Message} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// invalid is a mistake that is found before anything is sent.
func invalid(call string, err error) *Error {
	return &Error{Call: call, Outcome: Refused, Fault: FaultRequest, Err: err}
}

// silence is the lack of a reply.
func silence(ctx context.Context, err error, hide quote.Redactor) *Error {
	e := &Error{Call: callOpenID, Outcome: Unknown, Fault: FaultSilent, Err: hide.Error(quote.Cause(ctx, err))}
	if ctx.Err() == nil && neverConnected(err) {
		e.Outcome = Refused
	}
	return e
}

// neverConnected reports whether err is a failed dial: of that alone is it
// certain that nothing has reached WeChat.
func neverConnected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// statusError is a reply that is not 200, as WeChat's own always are. Its body is
// not looked at.
func statusError(status int) *Error {
	e := &Error{Call: callOpenID, Status: status, Outcome: Unknown, Fault: FaultWeChat}
	if status == http.StatusTooManyRequests {
		e.Outcome, e.Fault = Refused, FaultBusy
	}
	return e
}

// brokenOff is a reply that ended early.
func brokenOff(ctx context.Context, err error, hide quote.Redactor) *Error {
	e := garbage(hide.Error(quote.Cause(ctx, err)))
	if ctx.Err() != nil {
		e.Fault = FaultSilent
	}
	return e
}

// garbage is a reply that cannot be understood.
func garbage(err error) *Error {
	return &Error{Call: callOpenID, Status: http.StatusOK, Outcome: Unknown, Fault: FaultWeChat, Err: err}
}

// refusal is a reply with an errcode.
func refusal(errcode int, message string) *Error {
	e := &Error{Call: callOpenID, Errcode: errcode, Message: message, Status: http.StatusOK}
	e.Outcome, e.Fault = judgement(errcode)
	return e
}

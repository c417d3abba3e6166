package qfpay

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// Outcome is what is known about a call that did not succeed. Its String is
// "refused" or "unknown".
type Outcome = remote.Outcome

const (
	// Refused is a no: nothing happened.
	Refused Outcome = remote.Refused
	// Unknown is not a no: it may or may not have happened. Ask again with the
	// same number.
	Unknown Outcome = remote.Unknown
)

// Fault is where the cause lies. Its String is one word: "payer", "shop",
// "request", "busy", "broken" or "silent".
type Fault = remote.Fault

const (
	// FaultPayer is a used or expired code, a wallet or bank that refuses, or an
	// order that is over: the payer starts again.
	FaultPayer Fault = remote.FaultPayer
	// FaultShop is the configuration: the key, or an account that is not allowed
	// to do this.
	FaultShop Fault = remote.FaultShop
	// FaultRequest is what was sent: bad parameters or a duplicate number.
	FaultRequest Fault = remote.FaultRequest
	// FaultBusy is maintenance or the rate limit: try later.
	FaultBusy Fault = remote.FaultBusy
	// FaultGateway is a gateway that broke or answered garbage.
	FaultGateway Fault = remote.FaultBroken
	// FaultSilent is a gateway that could not be reached or did not answer in
	// time, or a caller who gave up.
	FaultSilent Fault = remote.FaultSilent
)

// Error is the error of every call. It never holds the URL, the client key, nor the
// payer's code, openid, IP address or real name, and may be logged.
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
	respcd := ""
	if e.Respcd != "" {
		respcd = "respcd " + redact.Line(e.Respcd)
	}
	failure := remote.Failure{Outcome: e.Outcome, Fault: e.Fault, Status: e.Status, Err: e.Err}
	return failure.Describe("qfpay: "+e.Call, respcd, e.Meaning(), e.Message)
}

// Meaning says in a few English words, for the owner of the shop, what Respcd
// means as the reply to this call and with this Message; "" if it is not known.
func (e *Error) Meaning() string {
	if e.Respcd == "" {
		return ""
	}
	return understand(e.Call, e.Respcd, e.Message).meaning
}

// Ended returns Outcome and Fault.
func (e *Error) Ended() (Outcome, Fault) { return e.Outcome, e.Fault }

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

// Tomorrow reports whether a refund was refused for now alone (1269 and 1265): no
// money went back, and the same refund may be made tomorrow, under a new number.
func (e *Error) Tomorrow() bool {
	known, ok := refusalOf(e.Respcd, e.Message)
	return ok && known.tomorrow && e.Call == callRefund
}

// failed is the error of a call without an answer of the gateway's.
func failed(call string, f *remote.Failure) *Error {
	return &Error{Call: call, Status: f.Status, Outcome: f.Outcome, Fault: f.Fault, RetryAfter: f.RetryAfter, Err: f.Err}
}

// invalid is a mistake that is found before anything is sent.
func invalid(call string, err error) *Error { return failed(call, remote.Invalid(err)) }

// garbage is a reply that cannot be understood.
func garbage(call string, err error) *Error { return failed(call, remote.Garbage(err)) }

// answer is a reply whose respcd is not success.
func answer(call, respcd, message string) *Error {
	e := &Error{Call: call, Respcd: respcd, Message: message, Status: http.StatusOK}
	meant := understand(call, respcd, message)
	e.Outcome, e.Fault = meant.outcome, meant.fault
	return e
}

// hideIn is the error of a call without secrets.
func hideIn(err error, hide redact.Redactor) error {
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

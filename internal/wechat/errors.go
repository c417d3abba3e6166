package wechat

import (
	"fmt"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// The calls of an account, by the names that errors give them.
const (
	callAuthorize = "authorize"
	callOpenID    = "openid"
)

// Error is the error of every call. It never holds the URL, the payer's code, the
// openid or the app secret, and may be logged.
//
// Refused means that the payer has no openid from this call; Unknown, that the
// code may or may not have been used up. Err is the wording of the cause alone,
// without the values that caused it, except that an ended context is still found
// by [errors.Is].
type Error struct {
	remote.Failure

	// Call is "openid", or "authorize" for mistakes that are found while an
	// address is made.
	Call string

	// Errcode is WeChat's return code, or 0 if it gave none.
	Errcode int

	// Message is WeChat's own wording, at most 200 bytes of printable characters.
	// It is meant for the shop, not for the payer, and its rid is what WeChat's
	// support asks for.
	Message string
}

// Error says what was asked, how it ended, and everything known about why.
func (e *Error) Error() string {
	errcode := ""
	if e.Errcode != 0 {
		errcode = fmt.Sprint("errcode ", e.Errcode)
	}
	return e.Describe("wechat: "+e.Call, errcode, Meaning(e.Errcode), e.Message)
}

// invalid is a mistake that is found before anything is sent.
func invalid(call string, err error) *Error {
	return &Error{Call: call, Failure: *remote.Invalid(err)}
}

// failed is a call without a reply that could be read.
func failed(f *remote.Failure, hide redact.Redactor) *Error {
	if f.Err != nil {
		f.Err = hide.Error(f.Err)
	}
	return &Error{Call: callOpenID, Failure: *f}
}

// garbage is a reply that cannot be understood.
func garbage(err error) *Error {
	return &Error{Call: callOpenID, Failure: *remote.Garbage(err)}
}

// refusal is a reply with an errcode.
func refusal(errcode int, message string) *Error {
	outcome, fault := judgement(errcode)
	return &Error{
		Call: callOpenID, Errcode: errcode, Message: message,
		Failure: remote.Failure{Outcome: outcome, Fault: fault, Status: http.StatusOK},
	}
}

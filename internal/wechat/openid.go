package wechat

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

const (
	// maxCode bounds the payer's code in bytes, as WeChat documents it. Real ones
	// have 32.
	maxCode = 512

	// maxReply bounds a reply in bytes, far above the largest.
	maxReply = 64 << 10
)

var errCode = errors.New("the code must be 1 to 512 ASCII characters without white space")

// OpenID exchanges the payer's code for the openid that the payment needs. A code
// works once and for five minutes (WeChat's documentation). The openid has 1 to
// 128 visible ASCII characters, and is the payer's for this account, whatever the
// code.
//
// Errors are [*Error] and hold neither the code, nor the openid, nor the app
// secret. Nothing is lost by starting again after any of them, but for
// [remote.FaultShop] it is of no use before somebody has corrected the configuration.
func (a *Account) OpenID(ctx context.Context, code string) (string, error) {
	if !visible(code, maxCode) {
		return "", &Error{Call: callOpenID, Failure: remote.Failure{Outcome: remote.Refused, Fault: remote.FaultPayer, Err: errCode}}
	}
	hide := redact.Hiding(a.secret(), code)
	body, err := a.exchange(ctx, code, hide)
	if err != nil {
		return "", err
	}
	return readOpenID(body, hide)
}

// exchange returns the body of WeChat's reply, good or bad. net/http may repeat a
// GET by itself, when a kept connection dies before it has answered. At worst, the
// code was used up by the first try, the second is refused, and the payer starts
// again.
func (a *Account) exchange(ctx context.Context, code string, hide redact.Redactor) ([]byte, error) {
	req, err := a.tokenRequest(ctx, code)
	if err != nil {
		return nil, invalid(callOpenID, hide.Error(redact.Cause(ctx, err)))
	}
	body, failure := a.caller.Do(req)
	if failure != nil {
		return nil, failed(failure, hide)
	}
	return body, nil
}

// tokenRequest has the parameters in the order in which WeChat documents them.
func (a *Account) tokenRequest(ctx context.Context, code string) (*http.Request, error) {
	address := a.tokenURL +
		"?appid=" + escape(a.appID) +
		"&secret=" + escape(a.secret()) +
		"&code=" + escape(code) +
		"&grant_type=authorization_code"
	return http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
}

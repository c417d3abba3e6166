package wechat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
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
// [FaultShop] it is of no use before somebody has corrected the configuration.
func (a *Account) OpenID(ctx context.Context, code string) (string, error) {
	if !visible(code, maxCode) {
		return "", &Error{Call: callOpenID, Outcome: Refused, Fault: FaultPayer, Err: errCode}
	}
	hide := quote.Hiding(a.secret(), code)
	body, err := a.exchange(ctx, code, hide)
	if err != nil {
		return "", err
	}
	return readOpenID(body, hide)
}

// exchange returns the body of WeChat's reply, good or bad.
//
// It goes to the transport directly, without an http.Client: that follows
// redirects, and puts the URL into its errors. net/http may repeat a GET by
// itself, when a kept connection dies before it has answered. At worst, the code
// was used up by the first try, the second is refused, and the payer starts
// again.
func (a *Account) exchange(ctx context.Context, code string, hide quote.Redactor) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	req, err := a.tokenRequest(ctx, code)
	if err != nil {
		return nil, invalid(callOpenID, hide.Error(quote.Cause(ctx, err)))
	}
	resp, err := a.transport.RoundTrip(req)
	if err != nil {
		return nil, silence(ctx, err, hide)
	}
	defer closeBody(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, statusError(resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case err != nil:
		return nil, brokenOff(ctx, err, hide)
	case len(body) > maxReply:
		return nil, garbage(fmt.Errorf("reply is longer than %d bytes", maxReply))
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

// closeBody reads what little may be left, so that the connection can be kept.
func closeBody(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, 4<<10)
	_ = body.Close()
}

package checkout

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// signInURL is where WeChat vouches for the payer of an order: through the
// gateway's official account, or the shop's own.
func (c *Checkout) signInURL(site Origin, order string) (string, error) {
	back := string(site) + c.callbackPath(order)
	if c.WeChat != nil {
		return c.WeChat.AuthorizeURL(back, c.Seal.State(order))
	}
	return c.Orders.OAuthURL(back)
}

// openID is the payer for whom WeChat vouched with a code.
func (c *Checkout) openID(ctx context.Context, code string) (openID string, err error) {
	if c.WeChat == nil {
		return c.Orders.OpenID(ctx, code)
	}
	defer func(began time.Time) { c.Observer.Called(c.Name, "wechat_openid", time.Since(began), err) }(time.Now())
	return c.WeChat.OpenID(ctx, code)
}

// busyWait is when a payer may try again, if the other side does not say.
const busyWait = 5 * time.Second

// signInProblem is what the payer is told of a code that gave no openid, and
// whether another code may do better.
func signInProblem(err error) (kind pages.Kind, wait time.Duration, again bool) {
	failure, ok := errors.AsType[*wechat.Error](err)
	if !ok {
		kind, wait = gatewayProblem(err)
		return kind, wait, kind == pages.PayerRefused
	}
	switch failure.Fault {
	case remote.FaultPayer:
		return pages.CodeRefused, 0, true
	case remote.FaultBusy:
		return pages.GatewayBusy, busyWait, false
	case remote.FaultSilent:
		return pages.GatewaySilent, 0, false
	case remote.FaultBroken:
		return pages.GatewayBroke, 0, false
	default: // the shop's configuration: another code would do no better
		return pages.CodeRefused, 0, false
	}
}

// gatewayProblem is what the payer is told of a failed call to the gateway.
func gatewayProblem(err error) (kind pages.Kind, wait time.Duration) {
	failure, ok := errors.AsType[*qfpay.Error](err)
	if !ok {
		return pages.Internal, 0
	}
	switch failure.Fault {
	case remote.FaultBusy:
		return pages.GatewayBusy, max(failure.RetryAfter, busyWait)
	case remote.FaultSilent:
		return pages.GatewaySilent, 0
	case remote.FaultBroken:
		return pages.GatewayBroke, 0
	case remote.FaultPayer:
		return pages.PayerRefused, 0
	default:
		return pages.GatewayRefused, 0
	}
}

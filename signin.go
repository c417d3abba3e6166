package qfpayjsapi

import (
	"context"
	"errors"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
)

// signInURL is where WeChat vouches for the payer of an order: through the
// gateway's official account, or the shop's own.
func (h *Handler) signInURL(site origin, order string) (string, error) {
	back := string(site) + h.callbackPath(order)
	if h.wechat != nil {
		return h.wechat.AuthorizeURL(back, h.seal.State(order))
	}
	return h.gateway.OAuthURL(back)
}

// openID is the payer for whom WeChat vouched with a code. A hosted payment
// names none.
func (h *Handler) openID(ctx context.Context, code string) (openID string, err error) {
	switch {
	case h.Hosted:
		return "", nil
	case h.wechat != nil:
		defer func(began time.Time) { observe(h.name, "wechat_openid", began, err) }(time.Now())
		return h.wechat.OpenID(ctx, code)
	default:
		return h.gateway.OpenID(ctx, code)
	}
}

// signInProblem is what the payer is told of a code that gave no openid, and
// whether another code may do better.
func signInProblem(err error) (kind pages.Kind, wait time.Duration, again bool) {
	var failure *wechat.Error
	if !errors.As(err, &failure) {
		kind, wait = gatewayProblem(err)
		return kind, wait, kind == pages.GatewayRefused
	}
	switch failure.Fault {
	case wechat.FaultPayer:
		return pages.CodeRefused, 0, true
	case wechat.FaultBusy:
		return pages.GatewayBusy, 5 * time.Second, false
	case wechat.FaultSilent:
		return pages.GatewaySilent, 0, false
	case wechat.FaultWeChat:
		return pages.GatewayBroke, 0, false
	default: // the shop's configuration: another code would do no better
		return pages.CodeRefused, 0, false
	}
}

// Package simulator is the Caddy directive qfpay_simulator: the gateway simulator
// of package qfpaytest as a handler, for demos and tests. It moves no money and
// does not belong in a production build.
package simulator

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

func init() {
	caddy.RegisterModule(Handler{})
	httpcaddyfile.RegisterHandlerDirective("qfpay_simulator", parseCaddyfile)
	httpcaddyfile.RegisterDirectiveOrder("qfpay_simulator", httpcaddyfile.Before, "file_server")
}

// Handler answers every request that reaches it as the simulated gateway, or with
// 404; it calls no next handler. Its trades survive a reload of the configuration
// that leaves its own settings as they are. Its control page is at /control/.
//
// It plays QFPay, the pay page and WeChat's wallet, and WeChat itself for shops
// with an official account of their own. It moves no money: it is for demos and
// tests, and not part of a build that does not name this package.
type Handler struct {
	// The merchant's public id. Required. Takes placeholders.
	AppCode string `json:"app_code,omitempty"`

	// The merchant's secret. Required. Takes placeholders.
	ClientKey string `json:"client_key,omitempty"`

	// The merchant's mchid: if set, every call must carry it; if not, none may.
	// Takes placeholders. Default: none.
	MchID string `json:"mchid,omitempty"`

	// The id of the shop's own official account at WeChat, whose two endpoints are
	// then at /connect/oauth2/authorize and /sns/oauth2/access_token. Required if
	// there is an app secret. Takes placeholders.
	WeChatAppID string `json:"wechat_app_id,omitempty"`

	// The secret of the shop's own official account. Required if there is an app
	// id. Takes placeholders.
	WeChatAppSecret string `json:"wechat_app_secret,omitempty"`

	// Refuse what the gateway is known, or said, to overlook: unknown, misplaced and
	// empty parameters, times that are not UTC+8, and others that a careful client
	// does not send. For testing a client of one's own. Default: false.
	Strict bool `json:"strict,omitempty"`

	// The merchant is one of Canada: payments carry no openid, and are answered with
	// an address on the same host to pay at, instead of parameters for WeChat.
	// Default: false.
	Hosted bool `json:"hosted,omitempty"`

	// The ways of paying in a phone's own browser that are activated for the merchant:
	// wechat (WeChat Pay H5), alipayhk, unionpay, payme. Payments by another are
	// refused. Default: none.
	Wallets []string `json:"wallets,omitempty"`

	// The merchant may check real names: payments may carry extend_info. Default: false.
	RealName bool `json:"real_name,omitempty"`

	// Where everything random comes from: the same seed, clock and requests give the
	// same replies. Default: chance, so that a simulator that is started again gives
	// no number twice.
	Seed uint64 `json:"seed,omitempty"`

	// The address that is notified of payments that name none. Takes placeholders.
	// Default: none.
	NotifyURL string `json:"notify_url,omitempty"`

	// How many times faster than real time notifications are retried. Default: 1.
	TimeScale float64 `json:"time_scale,omitempty"`

	// How many trades are remembered. Default: 100,000.
	MaxTrades int `json:"max_trades,omitempty"`

	// The file in which the newest 1,000 trades are kept, so that a simulator that is
	// started again knows them. It belongs to one simulator. A relative path starts in
	// the working directory. Takes placeholders. Default: none; a simulator that is
	// started again knows no trades.
	File string `json:"file,omitempty"`

	// How soon after one refund of a payment the next is refused, as the gateway does
	// within about a second. Default: never.
	RefundGap caddy.Duration `json:"refund_gap,omitempty"`

	// Notify of refunds in the shape of 2019 instead of that of 2025. Default: false.
	Refunds2019 bool `json:"refunds_2019,omitempty"`

	// Leave the currency out of the rows of enquiries, as the gateway has done.
	// Default: false.
	EmptyCurrency bool `json:"empty_currency,omitempty"`

	// Admit browsers other than WeChat's, but not WeCom's. Default: false.
	AnyBrowser bool `json:"any_browser,omitempty"`

	// Admit notification addresses on ports other than 80 and 443. Default: false.
	AnyPort bool `json:"any_port,omitempty"`

	// Admit openids that the simulator did not issue. Default: false.
	AnyOpenID bool `json:"any_openid,omitempty"`

	// Append "?code=" to redirect_uri even where it has a query. Default: false.
	BlindCode bool `json:"blind_code,omitempty"`

	// Lift the limit of 100 requests a second and 400 a minute. Default: false.
	NoRateLimit bool `json:"no_rate_limit,omitempty"`

	// Start with notifications switched off. Default: false.
	NotifyOff bool `json:"notify_off,omitempty"`

	key  poolKey
	held bool
	gate *qfpaytest.Simulator

	// shared is an address of the configuration on which another program listens
	// too; "" if none is known.
	shared string
}

// CaddyModule returns the Caddy module information.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.qfpay_simulator",
		New: func() caddy.Module { return new(Handler) },
	}
}

// Provision takes the simulator out of the pool or puts a new one there.
func (h *Handler) Provision(ctx caddy.Context) error {
	if h.shared = sharedAddress(ctx); h.shared != "" {
		logger().Error("another program, such as a second demo, listens on an address of this configuration too; "+
			"the simulator answers nothing: stop both, and start one", zap.String("address", h.shared))
	}
	settings, err := h.settings(caddy.NewReplacer())
	if err != nil {
		return err
	}
	if h.gate, err = acquire(settings); err != nil {
		return err
	}
	h.key, h.held = settings, true
	return nil
}

// settings are those of the handler with the placeholders expanded.
func (h *Handler) settings(replacer *caddy.Replacer) (poolKey, error) {
	key := poolKey{
		Seed:          h.Seed,
		TimeScale:     h.TimeScale,
		MaxTrades:     h.MaxTrades,
		RefundGap:     time.Duration(h.RefundGap),
		Wallets:       strings.Join(h.Wallets, " "),
		Strict:        h.Strict,
		Hosted:        h.Hosted,
		RealName:      h.RealName,
		Refunds2019:   h.Refunds2019,
		EmptyCurrency: h.EmptyCurrency,
		AnyBrowser:    h.AnyBrowser,
		AnyPort:       h.AnyPort,
		AnyOpenID:     h.AnyOpenID,
		BlindCode:     h.BlindCode,
		NoRateLimit:   h.NoRateLimit,
		NotifyOff:     h.NotifyOff,
	}
	for _, field := range []struct {
		name, value string
		expanded    *string
	}{
		{"app_code", h.AppCode, &key.AppCode},
		{"client_key", h.ClientKey, &key.ClientKey},
		{"mchid", h.MchID, &key.MchID},
		{"wechat_app_id", h.WeChatAppID, &key.WeChatAppID},
		{"wechat_app_secret", h.WeChatAppSecret, &key.WeChatAppSecret},
		{"notify_url", h.NotifyURL, &key.NotifyURL},
		{"file", h.File, &key.File},
	} {
		if field.value == "" {
			continue
		}
		expanded, err := replacer.ReplaceOrErr(field.value, true, true)
		if err != nil {
			return poolKey{}, fmt.Errorf("%s: %w", field.name, err)
		}
		*field.expanded = expanded
	}
	return key, nil
}

// Cleanup gives the simulator back; the last handler to do so closes it.
func (h *Handler) Cleanup() error {
	if !h.held {
		return nil
	}
	h.held = false
	return release(h.key)
}

// ServeHTTP implements caddyhttp.MiddlewareHandler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	if h.shared != "" {
		http.Error(w, "Another program on this machine listens on "+h.shared+" too, such as a second demo, so that a request reaches\n"+
			"one or the other by chance. Stop both, and start one.", http.StatusServiceUnavailable)
		return nil
	}
	h.gate.ServeHTTP(w, r)
	return nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
	_ caddyfile.Unmarshaler       = (*Handler)(nil)
	_ slog.Handler                = currentLog{}
)

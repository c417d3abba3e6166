package simulator

import (
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func parseCaddyfile(helper httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Handler)
	err := handler.UnmarshalCaddyfile(helper.Dispenser)
	return handler, err
}

// UnmarshalCaddyfile sets up the handler from Caddyfile tokens. Syntax:
//
//	qfpay_simulator [<matcher>] {
//		app_code         <text>
//		client_key       <text>
//		mchid            <text>
//		seed             <number>
//		notify_url       <URL>
//		time_scale       <factor>
//		max_trades       <number>
//		file             <path>
//		refund_gap       <duration>
//		official_account <app_id> <app_secret>
//		wallets          <wallet>...
//		strict
//		hosted
//		real_name
//		refunds_2019
//		empty_currency
//		any_browser
//		any_port
//		any_openid
//		blind_code
//		no_rate_limit
//		notify_off
//	}
//
// official_account is the shop's own at WeChat. WeChat's two endpoints are then at
// the paths that they have at WeChat, /connect/oauth2/authorize and
// /sns/oauth2/access_token.
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive
	if d.NextArg() {
		return d.ArgErr()
	}
	seen := make(map[string]bool)
	for d.NextBlock(0) {
		name := d.Val()
		if seen[name] {
			return d.Errf("%s is given twice", name)
		}
		seen[name] = true
		if err := h.unmarshalLine(d, name); err != nil {
			return err
		}
	}
	for _, required := range []string{"app_code", "client_key"} {
		if !seen[required] {
			return d.Errf("%s is required", required)
		}
	}
	return nil
}

func (h *Handler) unmarshalLine(d *caddyfile.Dispenser, name string) error {
	if flag := h.flags()[name]; flag != nil {
		return unmarshalFlag(d, flag)
	}
	switch name {
	case "official_account":
		return h.unmarshalOfficialAccount(d)
	case "wallets":
		return h.unmarshalWallets(d)
	}
	set := h.setters()[name]
	if set == nil {
		return d.Errf("unrecognized subdirective %q", name)
	}
	var value string
	if !d.AllArgs(&value) || value == "" {
		return d.ArgErr()
	}
	if wrong := set(value); wrong != "" {
		return d.Errf("%s: %s", name, wrong)
	}
	return nil
}

func unmarshalFlag(d *caddyfile.Dispenser, flag *bool) error {
	if d.NextArg() {
		return d.ArgErr()
	}
	*flag = true
	return nil
}

// unmarshalOfficialAccount repeats neither value in its errors: the two are easily
// mistaken for each other.
func (h *Handler) unmarshalOfficialAccount(d *caddyfile.Dispenser) error {
	if !d.AllArgs(&h.WeChatAppID, &h.WeChatAppSecret) || h.WeChatAppID == "" || h.WeChatAppSecret == "" {
		return d.Err("official_account: not an app id and an app secret")
	}
	return nil
}

// unmarshalWallets leaves it to Provision to know their names.
func (h *Handler) unmarshalWallets(d *caddyfile.Dispenser) error {
	if h.Wallets = d.RemainingArgs(); len(h.Wallets) == 0 {
		return d.ArgErr()
	}
	return nil
}

func (h *Handler) flags() map[string]*bool {
	return map[string]*bool{
		"strict":         &h.Strict,
		"hosted":         &h.Hosted,
		"real_name":      &h.RealName,
		"refunds_2019":   &h.Refunds2019,
		"empty_currency": &h.EmptyCurrency,
		"any_browser":    &h.AnyBrowser,
		"any_port":       &h.AnyPort,
		"any_openid":     &h.AnyOpenID,
		"blind_code":     &h.BlindCode,
		"no_rate_limit":  &h.NoRateLimit,
		"notify_off":     &h.NotifyOff,
	}
}

// setter takes the value of a subdirective, or says what is wrong with it.
type setter func(value string) (wrong string)

func (h *Handler) setters() map[string]setter {
	return map[string]setter{
		"app_code":   text(&h.AppCode),
		"client_key": text(&h.ClientKey),
		"mchid":      text(&h.MchID),
		"notify_url": text(&h.NotifyURL),
		"seed":       h.setSeed,
		"time_scale": h.setTimeScale,
		"max_trades": h.setMaxTrades,
		"file":       text(&h.File),
		"refund_gap": h.setRefundGap,
	}
}

func text(field *string) setter {
	return func(value string) string {
		*field = value
		return ""
	}
}

func (h *Handler) setSeed(value string) string {
	seed, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return "not a whole number"
	}
	h.Seed = seed
	return ""
}

func (h *Handler) setTimeScale(value string) string {
	scale, err := strconv.ParseFloat(value, 64)
	if err != nil || !(scale > 0) {
		return "not a positive number"
	}
	h.TimeScale = scale
	return ""
}

func (h *Handler) setRefundGap(value string) string {
	gap, err := caddy.ParseDuration(value)
	if err != nil || gap <= 0 {
		return "not a positive duration, such as 1s"
	}
	h.RefundGap = caddy.Duration(gap)
	return ""
}

func (h *Handler) setMaxTrades(value string) string {
	trades, err := strconv.Atoi(value)
	if err != nil || trades < 1 {
		return "not a positive whole number"
	}
	h.MaxTrades = trades
	return ""
}

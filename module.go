// Package qfpayjsapi is a Caddy plugin with which a static shop takes WeChat
// Pay through QFPay, without a backend of its own.
//
// It brings four modules, which find each other by themselves:
//
//   - [Handler], http.handlers.qfpay_jsapi, is the directive qfpay_jsapi: it takes
//     payments.
//   - [App], qfpay_jsapi, finishes what payers leave behind, and tells the shop's
//     programs.
//   - [Orders], http.handlers.qfpay_orders, is the directive qfpay_orders: a page
//     for the shop's owner.
//   - [Admin], admin.api.qfpay_jsapi, is the same work by program, and what the
//     command caddy qfpay-jsapi talks to.
//
// The gateway's protocol is the package qfpay, and its simulator qfpay/qfpaytest;
// neither needs Caddy. How to use it all is in the README, how it works in
// docs/how-it-works.md.
package qfpayjsapi

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func init() {
	caddy.RegisterModule(Handler{})
}

// Handler takes WeChat Pay for a static shop through QFPay's JSAPI. It answers
// the pay paths, by default `/pay/…`, and hands every other request to the next
// handler untouched.
//
// A link such as `/pay/cat-food`, opened inside WeChat, leads the payer through
// QFPay's OAuth, a signed payment and WeChat's own pay sheet, and back to a
// receipt that is shown only when the gateway itself has confirmed the payment.
// Orders are remembered in Caddy's storage.
//
// In a Caddyfile, which needs no `order` option:
//
//	qfpay_jsapi {
//		app_code      {env.QFPAY_APP_CODE}
//		client_key    {env.QFPAY_CLIENT_KEY}
//		merchant_name "Harbour Pets"
//		currency      HKD
//		item          cat-food 128.00 "Cat food"
//		public_url    https://shop.example.com
//		webhook       https://programs.example.com/paid {env.QFPAY_WEBHOOK_SECRET}
//	}
//
// For access logs there are the placeholders `{http.qfpay_jsapi.order}`,
// `{http.qfpay_jsapi.status}`, `{http.qfpay_jsapi.amount}`,
// `{http.qfpay_jsapi.currency}` and `{http.qfpay_jsapi.station}`. Caddy's event
// handlers hear `order.paid`, `order.closed`, `order.refunded`,
// `payment.disputed` and `payment.orphaned`.
//
// Nothing of it has been run against the live gateway by its authors, but all of
// it against a simulator.
//
// Strings take global placeholders such as `{env.QFPAY_CLIENT_KEY}` and
// `{file./run/secrets/client_key}`. They are expanded when the configuration is
// loaded; an unset one is an error.
type Handler struct {
	// The gateway to use: `production` (the default), `testing` or `sandbox`;
	// a region `hk`, `jp`, `th`, `sg`, `id`, `db`, `eur`, or `testing-` before
	// one of them (not `jp`); `mainland`; or the base URL of a gateway.
	Environment string `json:"environment,omitempty"`

	// The public id of the merchant's app, issued by QFPay. Required.
	AppCode string `json:"app_code,omitempty"`

	// The secret that signs requests, issued by QFPay. Required. Write a
	// placeholder here, never the secret itself: configurations are shown by
	// the admin API and saved to disk.
	ClientKey string `json:"client_key,omitempty"`

	// The merchant id, at most 16 characters. Only if QFPay issued one: then it
	// goes into every call, otherwise it must be absent. Default: none.
	MchID string `json:"mchid,omitempty"`

	// How requests are signed: `md5` (the default) or `sha256`.
	SignType string `json:"sign_type,omitempty"`

	// The page to which the payer is sent with the parameters of the payment.
	// Default: `https://o2-hk.qfapi.com/q/direct`, in the environments `th` and
	// `testing-th` `https://o2-th.qfapi.com/q/direct`.
	PayPage string `json:"pay_page,omitempty"`

	// How long one call to the gateway may take, 1s to 60s. Default: 10s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// More parameters of the payment request, by name: `udid`, `rmb_tag`, and
	// what else QFPay agreed with the merchant. They are signed with the rest.
	// Parameters that the module sets itself cannot be given. Default: none.
	Params map[string]string `json:"params,omitempty"`

	// QFPay's `limit_pay`, with which credit cards can be refused. Default: none.
	LimitPay string `json:"limit_pay,omitempty"`

	// Whether payers give their name and identity card, for the real-name check
	// of mainland China, which QFPay has to activate: `off` (the default),
	// `optional` or `required`. They come as user_truename and user_creid in the
	// form of a POST, go to the gateway, and are never stored, logged or shown.
	RealName string `json:"real_name,omitempty"`

	// The shop's own official account at WeChat, instead of QFPay's. Default:
	// QFPay's.
	OfficialAccount *OfficialAccount `json:"official_account,omitempty"`

	// Take payments as merchants in Canada do: nobody is asked who the payer is;
	// a page with a Pay button leads on to an address of the gateway's. Default:
	// false.
	Hosted bool `json:"hosted,omitempty"`

	// The shop's name as WeChat and the payer's pages show it, at most 128
	// bytes of UTF-8. Required.
	MerchantName string `json:"merchant_name,omitempty"`

	// The currency of all prices: AED AUD CAD CNY EUR HKD IDR JPY MMK MYR SGD
	// THB or USD. Required.
	Currency string `json:"currency,omitempty"`

	// What is sold. Items may come from here, from the catalog, or both. There
	// must be something to pay: an item, an open amount or invoices. Default: none.
	Items []checkout.Item `json:"items,omitempty"`

	// A JSON file with more items: an array of objects with `id`, `price`,
	// `name` and `max_quantity`. It is read when the configuration is loaded and
	// again when it changes; if it cannot be read then, the last good one stays
	// in force. Default: none.
	Catalog string `json:"catalog,omitempty"`

	// Lets payers name the amount themselves, as for a donation: links such as
	// `/pay?amount=12.50`, or a page that asks for it. Default: they cannot.
	OpenAmount *OpenAmount `json:"open_amount,omitempty"`

	// The secret, of at least 32 bytes, with which the shop signs invoice links
	// `/pay?invoice=<token>`: JSON Web Tokens by HS256. Write a placeholder here.
	// Default: there are no invoice links.
	InvoiceKey string `json:"invoice_key,omitempty"`

	// What the shop asks of the payer, such as a name and an address. Values come
	// in the form of a POST, travel with the order into the ledger and the
	// webhooks, and are never shown. At most 20. Default: nothing.
	Fields []checkout.Field `json:"fields,omitempty"`

	// How long a payer has to finish a payment, 1m to 2h (WeChat's own limit).
	// Default: 15m.
	OrderTTL caddy.Duration `json:"order_ttl,omitempty"`

	// The path under which the module answers: this path itself and all below
	// it. Default: `/pay`.
	Path string `json:"path,omitempty"`

	// The path at which the gateway's notifications are taken. Register it with
	// QFPay, after the site's address, if QFPay asks for a notification address.
	// Default: the path, and `/notify`.
	NotifyPath string `json:"notify_path,omitempty"`

	// The notification address that is sent with each payment: a URL of at most
	// 256 characters on port 80 or 443, or `off` to send none. Default: the
	// public URL and the notify path, if that is on port 443 of https or port 80
	// of http; otherwise none.
	NotifyURL string `json:"notify_url,omitempty"`

	// Scheme and host under which payers reach the site, without a path.
	// Default: those of the request; behind a trusted proxy, those that the
	// proxy forwards. Set it when the site answers to any host name.
	PublicURL string `json:"public_url,omitempty"`

	// Where a payer goes after a payment that the gateway confirmed: a URL or a
	// path of the site, to which `order=<id>` is added. Default: a built-in
	// receipt.
	SuccessURL string `json:"success_url,omitempty"`

	// Where a payer goes when a payment failed, likewise. Default: a built-in
	// page.
	FailureURL string `json:"failure_url,omitempty"`

	// What happens to pay links that are opened outside WeChat: `handoff` (the
	// default) shows a page with a QR code for WeChat, `allow` goes on as if it
	// were WeChat (for tests with a simulator), `pass` hands the request to the
	// next handler, and a URL or path redirects there.
	OutsideWeChat string `json:"outside_wechat,omitempty"`

	// Who answers errors: `page` (the default) writes a page in the payer's
	// language, or JSON where the client prefers it; `pass` hands them to the
	// site's error routes (`handle_errors`).
	Errors string `json:"errors,omitempty"`

	// A folder with pages of the shop's own, in the place of built-in ones of the
	// same file name. It is read when the configuration is loaded; a mistake in
	// any of them is an error then. Default: the built-in pages.
	Templates string `json:"templates,omitempty"`

	// The name of the ledger in storage: 1 to 64 of A-Z a-z 0-9 _ . - without a
	// dot in front. Blocks with the same name share one ledger. Default:
	// derived from app_code and mchid.
	Name string `json:"name,omitempty"`

	// The storage for the ledger, a `caddy.storage` module. Default: the
	// storage that Caddy itself is configured to use.
	StorageRaw json.RawMessage `json:"storage,omitempty" caddy:"namespace=caddy.storage inline_key=module"`

	// The shop's own programs that are told of paid, closed and refunded orders,
	// of disputes and orphans, by Standard Webhooks 1.0.0. Default: none.
	Webhooks []Webhook `json:"webhooks,omitempty"`

	*books  // shared with the app, which finishes what payers leave behind
	owner   owner
	storage *lastingStorage
	catalog *checkout.CatalogFile
	shop    checkout.Shop // without the catalogue
	seal    *checkout.Seal
	pages   *pages.Set
	wechat  *wechat.Account // nil without an official account of the shop's own
}

// Webhook is a program of the shop that is told what happens to orders.
type Webhook struct {
	// Where events are posted: http or https. Private and local addresses are
	// told only if the URL names them itself. Required.
	URL string `json:"url,omitempty"`

	// The secret that signs the events: `whsec_` and 24 to 64 bytes in base64.
	// Required. Write a placeholder here.
	Secret string `json:"secret,omitempty"`
}

// OfficialAccount is an official account of WeChat's. Register with WeChat the
// site's domain for web page authorization, and `<path>/callback/` as a payment
// directory.
type OfficialAccount struct {
	// The public id, such as wx0123456789abcdef. Required.
	AppID string `json:"app_id,omitempty"`

	// The secret of the account. Required. Write a placeholder here.
	AppSecret string `json:"app_secret,omitempty"`

	// Where payers are sent first. Default: WeChat's own address,
	// `https://open.weixin.qq.com/connect/oauth2/authorize`.
	AuthorizeURL string `json:"authorize_url,omitempty"`

	// Where codes are exchanged. Default: WeChat's own address,
	// `https://api.weixin.qq.com/sns/oauth2/access_token`.
	TokenURL string `json:"token_url,omitempty"`
}

// OpenAmount bounds the amounts that payers may name, as decimals in the shop's
// currency such as "5.00".
type OpenAmount struct {
	// The least amount. Required.
	Min checkout.Price `json:"min,omitempty"`

	// The most. Required.
	Max checkout.Price `json:"max,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.qfpay_jsapi",
		New: func() caddy.Module { return new(Handler) },
	}
}

// Provision expands placeholders, checks the configuration and sets up what a
// payment needs. It calls nobody and starts nothing.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.books = &books{logger: ctx.Logger(), now: time.Now, meanwhile: meanwhile}
	if err := registerMetrics(ctx); err != nil {
		return err
	}
	h.warnOfLiteralSecrets()
	if err := h.expand(); err != nil {
		return err
	}
	if err := h.check(expanded); err != nil {
		return err
	}
	h.applyDefaults()
	if err := h.openPages(); err != nil {
		return err
	}
	if err := h.openShop(); err != nil {
		return err
	}
	if err := h.openGateway(); err != nil {
		return err
	}
	if err := h.join(); err != nil {
		return err
	}
	if err := h.openLedger(ctx); err != nil {
		return err
	}
	return h.register(ctx)
}

// Cleanup leaves what is shared with other blocks of the same account.
func (h *Handler) Cleanup() error {
	if h.books == nil || h.account == nil {
		return nil
	}
	h.account.storages.remove(h.storage)
	return leaveAccount(h.Name)
}

func (h *Handler) openPages() (err error) {
	h.pages = pages.Builtin()
	if h.Templates == "" {
		return nil
	}
	if h.pages, err = pages.ReadSet(h.Templates); err != nil {
		return fieldError{"templates", err}
	}
	return nil
}

func (h *Handler) applyDefaults() {
	h.PayPage = cmp.Or(h.PayPage, qfpay.PayPage(h.Environment))
	h.Timeout = cmp.Or(h.Timeout, caddy.Duration(10*time.Second))
	h.OrderTTL = cmp.Or(h.OrderTTL, caddy.Duration(15*time.Minute))
	h.Path = cmp.Or(h.Path, defaultPath)
	h.NotifyPath = cmp.Or(h.NotifyPath, h.Path+"/notify")
	h.OutsideWeChat = cmp.Or(h.OutsideWeChat, "handoff")
	h.Name = cmp.Or(h.Name, accountName(h.AppCode, h.MchID))
}

// gatewayURL is the base URL of the gateway.
func (h *Handler) gatewayURL() string {
	if base, named := qfpay.Gateway(cmp.Or(h.Environment, "production")); named {
		return base
	}
	return h.Environment
}

func (h *Handler) openGateway() error {
	base := h.gatewayURL()
	if gateway, err := url.Parse(base); err == nil && gateway.Scheme == "http" && !isLoopback(gateway.Hostname()) {
		h.logger.Warn("the gateway is reached over http: payments can be read and altered on the way", zap.String("environment", base))
	}
	client, err := qfpay.NewClient(qfpay.Config{
		Gateway:   base,
		AppCode:   h.AppCode,
		ClientKey: h.ClientKey,
		MchID:     h.MchID,
		SignType:  qfpay.SignType(cmp.Or(h.SignType, string(qfpay.MD5))),
		Timeout:   time.Duration(h.Timeout),
	})
	if err != nil {
		return err
	}
	h.gateway.client = client
	h.timeout = time.Duration(h.Timeout)
	h.orderTTL = time.Duration(h.OrderTTL)
	if h.seal, err = checkout.NewSeal(h.ClientKey); err != nil {
		return err
	}
	if own := h.OfficialAccount; own != nil {
		h.wechat, err = wechat.New(wechat.Config{
			AppID: own.AppID, AppSecret: own.AppSecret,
			AuthorizeURL: own.AuthorizeURL, TokenURL: own.TokenURL, Timeout: h.timeout,
		})
	}
	return err
}

func (h *Handler) openLedger(ctx caddy.Context) error {
	h.owner = owner{h.AppCode, h.MchID, h.gatewayURL(), string(h.StorageRaw)} // which loading it empties
	storage, err := h.openStorage(ctx)
	if err != nil {
		return fieldError{"storage", err}
	}
	h.storage = storage
	h.ledger = ledger.New(storage, h.Name)
	return nil
}

// join shares the work with other blocks of the same account.
func (h *Handler) join() error {
	shared, err := joinAccount(h.Name)
	if err != nil {
		return err
	}
	h.name = h.Name
	h.account = shared
	h.gateway.pace = shared.pace
	h.gateway.name = h.Name
	return nil
}

// register hands what payers leave behind to the app.
func (h *Handler) register(ctx caddy.Context) error {
	h.emit = emitter(ctx)
	endpoints, err := h.endpoints()
	if err != nil {
		return err
	}
	app, err := ctx.App("qfpay_jsapi")
	if err != nil {
		return err
	}
	if err := app.(*App).employ(h, endpoints); err != nil {
		return err
	}
	showZeros(h.Name, h.Currency)
	return nil
}

func (h *Handler) endpoints() ([]*webhook.Endpoint, error) {
	endpoints := make([]*webhook.Endpoint, len(h.Webhooks))
	for i, hook := range h.Webhooks {
		endpoint, err := webhook.New(hook.URL, hook.Secret)
		if err != nil {
			return nil, fieldError{"webhooks[" + strconv.Itoa(i) + "]", err}
		}
		endpoints[i] = endpoint
	}
	return endpoints, nil
}

// emitter returns what tells Caddy's event handlers. Requests may outlive the
// configuration they came in with, whose events nobody hears any more: theirs
// go to the configuration that is active then.
func emitter(ctx caddy.Context) func(string, map[string]any) {
	return func(event string, data map[string]any) {
		hearing := ctx
		if ctx.Err() != nil {
			hearing = caddy.ActiveContext()
		}
		if app, err := hearing.AppIfConfigured("events"); err == nil {
			app.(*caddyevents.App).Emit(hearing, event, data)
		}
	}
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.CleanerUpper          = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)

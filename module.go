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
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
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
// Orders are remembered in a database: SQLite by default.
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
// `{http.qfpay_jsapi.currency}` and `{http.qfpay_jsapi.step}`. Caddy's event
// handlers hear `order.paid`, `order.closed`, `order.refunded`,
// `order.fulfilled`, `payment.disputed` and `payment.orphaned`.
//
// Nothing of it has been run against the live gateway by its authors, but all of
// it against a simulator.
//
// Strings take global placeholders such as `{env.QFPAY_CLIENT_KEY}` and
// `{file./run/secrets/client_key}`. They are expanded when the configuration is
// loaded; an unset one is an error.
type Handler struct {
	// The gateway to use: `production` (the default), `testing` or `sandbox`;
	// a region `hk`, `jp`, `th`, `sg`, `id`, `db`, `eur`, `kh`, or `testing-`
	// before one of them (not `jp` and `kh`); `mainland` or `mainland-testing`; or
	// the base URL of a gateway. An account belongs to one of them: those of
	// Singapore, Malaysia, Canada and the Philippines to `sg`.
	Environment string `json:"environment,omitempty"`

	// The public id of the merchant's app, issued by QFPay. Required.
	AppCode string `json:"app_code,omitempty"`

	// The secret that signs requests, issued by QFPay. Required. Write a
	// placeholder here, never the secret itself: configurations are shown by
	// the admin API and saved to disk.
	ClientKey redact.Secret `json:"client_key,omitempty"`

	// The merchant id, at most 16 characters. Only if QFPay issued one: then it
	// goes into every call, otherwise it must be absent. Default: none.
	MchID string `json:"mchid,omitempty"`

	// How requests are signed: `md5` (the default) or `sha256`.
	SignType string `json:"sign_type,omitempty"`

	// The page to which the payer is sent with the parameters of the payment.
	// Default: `https://o2-hk.qfapi.com/q/direct`; in the environments `th` and
	// `testing-th` `https://o2-th.qfapi.com/q/direct`, in `mainland` and
	// `mainland-testing` `https://o2.qfpay.com/q/direct`.
	PayPage string `json:"pay_page,omitempty"`

	// How long one call to the gateway may take, 1s to 60s. Default: 10s.
	Timeout Duration `json:"timeout,omitempty"`

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

	// The wallets that payers may choose from on a phone outside WeChat, where
	// nobody can scan their own screen: `wechat`, `alipayhk`, `unionpay`, `payme`.
	// QFPay has to activate each. They need `outside_wechat` `handoff`, and cannot
	// be combined with `real_name`. Default: none.
	Wallets []string `json:"wallets,omitempty"`

	// The shop's name as WeChat and the payer's pages show it, at most 128
	// bytes of UTF-8. Required.
	MerchantName string `json:"merchant_name,omitempty"`

	// The currency of all prices: AED AUD CAD CNY EUR HKD IDR JPY MMK MYR SGD
	// THB or USD. Required.
	Currency string `json:"currency,omitempty"`

	// What is sold. Items may come from here, from the catalog, or both. There
	// must be something to pay: an item, an open amount or invoices. Default: none.
	Items []shop.Item `json:"items,omitempty"`

	// A JSON file with more items: an array of objects with `id`, `price`,
	// `name`, `max_quantity` and `stock`. It is read when the configuration is loaded and
	// again when it changes; if it cannot be read then, the last good one stays
	// in force. Default: none.
	Catalog string `json:"catalog,omitempty"`

	// Lets payers name the amount themselves, as for a donation: links such as
	// `/pay?amount=12.50`, or a page that asks for it. Default: they cannot.
	OpenAmount *OpenAmount `json:"open_amount,omitempty"`

	// The secret, of at least 32 bytes, with which the shop signs invoice links
	// `/pay?invoice=<token>`: JSON Web Tokens by HS256. Write a placeholder here.
	// Default: there are no invoice links.
	InvoiceKey redact.Secret `json:"invoice_key,omitempty"`

	// What the shop asks of the payer, such as a name and an address. Values come
	// in the form of a POST, travel with the order into the ledger and the
	// webhooks, and are shown to the owner alone. All values of one name are kept,
	// as of checkboxes. At most 20. Default: nothing.
	Fields []shop.Field `json:"fields,omitempty"`

	// How long after its end an order keeps what its payer told the shop, 1h to
	// 87600h (ten years). Then that is erased, and the order's history says so. An
	// order ends when it is fulfilled or money goes back, whichever is last; before
	// that, when it is paid; unpaid, when it fails or is closed. Default: it is kept.
	KeepFields Duration `json:"keep_fields,omitempty"`

	// How long a payer has to finish a payment, 1m to 2h (WeChat's own limit).
	// Default: 15m.
	OrderTTL Duration `json:"order_ttl,omitempty"`

	// The time zone, by its IANA name, of the days and times in lists, sums,
	// receipts and CSV, such as `Europe/Berlin`. The gateway's own days stay those
	// of UTC+8. Default: `Asia/Hong_Kong`.
	TimeZone string `json:"time_zone,omitempty"`

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
	// proxy forwards. Set it when the site answers to any host name. A start that
	// comes under another name goes to this one first.
	PublicURL string `json:"public_url,omitempty"`

	// Where a payer goes after a payment that the gateway confirmed: a URL or a
	// path of the site, to which `order=<id>` is added. Default: a built-in
	// receipt.
	SuccessURL string `json:"success_url,omitempty"`

	// Where a payer goes when a payment failed, likewise. Default: a built-in
	// page.
	FailureURL string `json:"failure_url,omitempty"`

	// What happens to pay links that are opened outside WeChat: `handoff` (the
	// default) shows a page with a QR code for WeChat, or on a phone a link to copy
	// and the `wallets`; `allow` goes on as if it
	// were WeChat (for tests with a simulator), `pass` hands the request to the
	// next handler, and a URL or path redirects there.
	OutsideWeChat string `json:"outside_wechat,omitempty"`

	// Who answers errors: `page` (the default) writes a page in the payer's
	// language, or JSON where the client prefers it; `pass` hands them to the
	// site's error routes (`handle_errors`).
	Errors string `json:"errors,omitempty"`

	// A folder with pages and mails of the shop's own, in the place of built-in ones
	// of the same file name. It is read when the configuration is loaded; a mistake in
	// any of them is an error then. Default: the built-in ones.
	Templates string `json:"templates,omitempty"`

	// The shop's name in the ledger: 1 to 64 of A-Z a-z 0-9 _ . - without a dot
	// in front. Blocks with the same name are one shop, and must agree in all that
	// concerns its orders. Default: derived from app_code.
	Name string `json:"name,omitempty"`

	// Where orders are remembered, a `qfpay_jsapi.ledger` module: `sqlite`, a file
	// on this machine, or `postgres`, for several machines. Default: `sqlite` with
	// the file `qfpay_jsapi/ledger.db` in Caddy's data folder.
	LedgerRaw json.RawMessage `json:"ledger,omitempty" caddy:"namespace=qfpay_jsapi.ledger inline_key=engine"`

	// The shop's own programs that are told of paid, closed and refunded orders,
	// of disputes and orphans, by Standard Webhooks 1.0.0. Default: none.
	Webhooks []Webhook `json:"webhooks,omitempty"`

	// Whom the shop tells by mail what happens to its orders: the owner, and payers
	// who want a receipt. Default: nobody.
	Mail *Mail `json:"mail,omitempty"`

	app      *App
	checkout *checkout.Checkout
	orders   *orders.Service // shared by the blocks of one shop
	ledger   *ledgerHandle
	shared   *checkout.Shared // with the blocks of the same shop in other configurations
	logger   *zap.Logger
	now      func() time.Time
	zone     *time.Location
	hosts    []string          // the site's own; nil if they are not known
	server   *caddyhttp.Server // nil if it is not known

	strippedNoted *sync.Once // see noteStripped

	shop   *shop.Shop
	seal   *checkout.Seal
	pages  *pages.Set
	mailer *mail.Mailer    // nil without mail
	wechat *wechat.Account // nil without an official account of the shop's own
	client *qfpay.Client
}

// Webhook is a program of the shop that is told what happens to orders.
type Webhook struct {
	// Where events are posted: http or https. Private and local addresses are
	// told only if the URL names them itself. Required.
	URL string `json:"url,omitempty"`

	// The secret that signs the events: `whsec_` and 24 to 64 bytes in base64.
	// Required. Write a placeholder here.
	Secret redact.Secret `json:"secret,omitempty"`
}

// OfficialAccount is an official account of WeChat's. Register with WeChat the
// site's domain for web page authorization, and `<path>/callback/` as a payment
// directory.
type OfficialAccount struct {
	// The public id, such as wx0123456789abcdef. Required.
	AppID string `json:"app_id,omitempty"`

	// The secret of the account. Required. Write a placeholder here.
	AppSecret redact.Secret `json:"app_secret,omitempty"`

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
	Min shop.Price `json:"min,omitempty"`

	// The most. Required.
	Max shop.Price `json:"max,omitempty"`
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
	h.logger, h.now, h.strippedNoted = ctx.Logger(), time.Now, new(sync.Once)
	return setOff(h.provision(ctx), h.title(), h.logger)
}

func (h *Handler) provision(ctx caddy.Context) error {
	h.warnOfLiteralSecrets()
	if err := h.expand(); err != nil {
		return err
	}
	if err := h.check(expanded); err != nil {
		return err
	}
	h.warnOfPlainWebhooks()
	h.applyDefaults()
	for _, open := range []func(caddy.Context) error{
		h.openZone, h.learnHosts, h.warnOfPaths, h.openPages, h.openMail, h.openShop, h.openGateway, h.openLedger, h.joinShop, h.openCheckout,
	} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// methods are the ways in which the shop's payers can pay.
func (h *Handler) methods() []qfpay.Method {
	if h.Hosted {
		return append(h.wallets(), qfpay.MethodHosted)
	}
	return append(h.wallets(), qfpay.MethodJSAPI)
}

func (h *Handler) wallets() (wallets []qfpay.Method) {
	for _, wallet := range h.Wallets {
		wallets = append(wallets, qfpay.Method(wallet))
	}
	return wallets
}

// Cleanup leaves what is shared with other configurations.
func (h *Handler) Cleanup() error {
	var errs []error
	if h.shared != nil {
		_, err := sharedByShops.Delete(h.Name)
		errs = append(errs, err)
	}
	if h.ledger != nil {
		errs = append(errs, h.ledger.leave())
	}
	return errors.Join(errs...)
}

func (h *Handler) openPages(caddy.Context) (err error) {
	h.pages = pages.Builtin()
	if h.Templates == "" {
		return nil
	}
	if h.pages, err = pages.ReadSet(h.Templates); err != nil {
		return fieldError{"templates", err}
	}
	return nil
}

// openShop sets up all that can be bought.
func (h *Handler) openShop(caddy.Context) error {
	h.shop = &shop.Shop{Merchant: h.MerchantName, Currency: h.Currency, Fields: h.Fields, Rules: h.Mail.fieldRules()}
	if h.OpenAmount != nil {
		bounds, err := shop.ParseBounds(string(h.OpenAmount.Min), string(h.OpenAmount.Max), h.Currency)
		if err != nil {
			return fieldError{"open_amount", err}
		}
		h.shop.OpenAmount = &bounds
		h.warnOfRisk("open_amount", bounds.Min)
	}
	if h.InvoiceKey != "" {
		key, err := shop.NewInvoiceKey(string(h.InvoiceKey), h.now)
		if err != nil {
			return fieldError{"invoice_key", err}
		}
		h.shop.Invoices = key
	}
	return h.openCatalog()
}

func (h *Handler) openCatalog() (err error) {
	place := "items" // which the rules found good already, but for one another and the file's
	if h.Catalog != "" {
		place = "catalog"
	}
	notify := strings.TrimPrefix(h.NotifyPath, h.Path+"/") // elsewhere, it is no item's id
	if h.shop.Catalog, err = shop.OpenCatalog(h.Catalog, h.Currency, h.Items, h.logger, notify); err != nil {
		return fieldError{place, err}
	}
	catalogue := h.shop.Catalog.Catalogue(h.now())
	if id, characters := catalogue.LongestName(); characters > shop.GoodsNameCharacters {
		h.logger.Warn(fmt.Sprintf("an item's name is longer than the %d characters that QFPay's documentation allows: check how WeChat shows it, or shorten it", shop.GoodsNameCharacters),
			zap.String("item", id), zap.Int("characters", characters))
	}
	switch id, price := catalogue.Cheapest(); {
	case id != "":
		h.warnOfRisk(id, price)
	case h.OpenAmount == nil && h.InvoiceKey == "":
		return fieldError{"catalog", errors.New("nothing is sold: the file has no items")}
	}
	return nil
}

func (h *Handler) warnOfRisk(item string, txamt int64) {
	if txamt < shop.RiskControlAmount {
		h.logger.Warn(fmt.Sprintf("an item costs less than %d minor units: the gateway's risk control may refuse such payments", shop.RiskControlAmount),
			zap.String("item", item), zap.Int64("txamt", txamt))
	}
}

func (h *Handler) applyDefaults() {
	h.PayPage = cmp.Or(h.PayPage, qfpay.PayPage(h.Environment))
	h.Timeout = cmp.Or(h.Timeout, Duration(10*time.Second))
	h.OrderTTL = cmp.Or(h.OrderTTL, Duration(15*time.Minute))
	h.TimeZone = cmp.Or(h.TimeZone, "Asia/Hong_Kong")
	h.Path = cmp.Or(h.Path, defaultPath)
	h.NotifyPath = cmp.Or(h.NotifyPath, h.Path+"/notify")
	h.OutsideWeChat = cmp.Or(h.OutsideWeChat, "handoff")
	h.Name = cmp.Or(h.Name, shopName(h.AppCode))
}

// shopName derives the name of a shop that has none from the account, so that the
// blocks of one account are one shop.
func shopName(appCode string) string {
	sum := sha256.Sum256([]byte(appCode))
	return hex.EncodeToString(sum[:8])
}

// gatewayURL is the base URL of the gateway.
func (h *Handler) gatewayURL() string {
	if base, named := qfpay.Gateway(cmp.Or(h.Environment, "production")); named {
		return base
	}
	return h.Environment
}

// warnOfHostedElsewhere warns of hosted payments at a gateway that has no accounts of
// merchants in Canada. A base URL of one's own may be anything.
func (h *Handler) warnOfHostedElsewhere() {
	environment := cmp.Or(h.Environment, "production")
	_, isNamed := qfpay.Gateway(environment)
	if h.Hosted && isNamed && environment != "sg" && environment != "testing-sg" {
		h.logger.Warn("hosted is for merchants in Canada, whose accounts are at the gateway in Singapore: set environment sg or testing-sg",
			zap.String("environment", environment))
	}
}

// warnOfPlainWebhooks warns of what leaves this machine unencrypted. It shows no URL,
// which may hold a token.
func (h *Handler) warnOfPlainWebhooks() {
	for i, hook := range h.Webhooks {
		if goesOutPlain(hook.URL) {
			h.logger.Warn("a webhook goes over http: orders, and what payers told the shop, can be read on the way: use https",
				zap.String("field", "webhooks["+strconv.Itoa(i)+"].url"))
		}
	}
}

// goesOutPlain reports whether what is sent to a URL leaves this machine without TLS.
func goesOutPlain(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http" && !remote.IsLoopback(u.Hostname())
}

func (h *Handler) openGateway(caddy.Context) error {
	base := h.gatewayURL()
	if goesOutPlain(base) {
		h.logger.Warn("the gateway is reached over http: payments can be read and altered on the way", zap.String("environment", base))
	}
	h.warnOfHostedElsewhere()
	client, err := qfpay.NewClient(qfpay.Config{
		Gateway:   base,
		AppCode:   h.AppCode,
		ClientKey: h.ClientKey,
		MchID:     h.MchID,
		SignType:  qfpay.SignType(cmp.Or(h.SignType, string(qfpay.MD5))),
		Timeout:   time.Duration(h.Timeout),

		WrongReplySignature: func() {
			h.logger.Warn("a reply from the gateway carries a signature that does not match; such replies are accepted all the same, because QFPay documents two rules and TLS proves where they come from; this is logged once",
				zap.String("environment", base))
		},
	})
	if err != nil {
		return err
	}
	h.client = client
	if h.seal, err = checkout.NewSeal(string(h.ClientKey), h.Name, h.Path); err != nil {
		return err
	}
	if own := h.OfficialAccount; own != nil {
		h.wechat, err = wechat.New(wechat.Config{
			AppID: own.AppID, AppSecret: own.AppSecret,
			AuthorizeURL: own.AuthorizeURL, TokenURL: own.TokenURL, Timeout: time.Duration(h.Timeout),
		})
	}
	return err
}

func (h *Handler) openLedger(ctx caddy.Context) (err error) {
	h.ledger, err = loadLedger(ctx, h)
	return err
}

// sharedByShops is what the blocks of a shop have in common across reloads, by the
// shop's name.
var sharedByShops = caddy.NewUsagePool()

// joinShop makes the block one of a shop, whose orders the app looks after.
func (h *Handler) joinShop(ctx caddy.Context) error {
	shared, _, err := sharedByShops.LoadOrNew(h.Name, func() (caddy.Destructor, error) { return checkout.NewShared(), nil })
	if err != nil {
		return err
	}
	h.shared = shared.(*checkout.Shared)
	endpoints, err := h.endpoints()
	if err != nil {
		return err
	}
	app, err := ctx.App("qfpay_jsapi")
	if err != nil {
		return err
	}
	h.app = app.(*App)
	h.orders, err = h.app.addBlock(h, endpoints)
	return err
}

// bodyTime is how long a client may take to send a body, far above what a form
// takes on a poor line.
var bodyTime = 20 * time.Second

// openCheckout sets up what answers the payers.
func (h *Handler) openCheckout(caddy.Context) error {
	h.checkout = checkout.New(checkout.Config{
		Name:          h.Name,
		Shop:          h.shop,
		Path:          h.Path,
		NotifyPath:    h.NotifyPath,
		PublicURL:     h.PublicURL,
		Hosts:         h.hosts,
		NotifyURL:     h.NotifyURL,
		SuccessURL:    h.SuccessURL,
		FailureURL:    h.FailureURL,
		OutsideWeChat: h.OutsideWeChat,
		PassErrors:    h.Errors == "pass",
		OrderTTL:      time.Duration(h.OrderTTL),
		Zone:          h.zone,
		Timeout:       time.Duration(h.Timeout),
		BodyTime:      bodyTime,
		Hosted:        h.Hosted,
		Wallets:       h.wallets(),
		RealName:      h.RealName,
		PayPage:       h.PayPage,
		LimitPay:      h.LimitPay,
		Params:        h.Params,
		Seal:          h.seal,
		Pages:         h.pages,
		Orders:        h.orders,
		WeChat:        h.wechat,
		Shared:        h.shared,
		Verify: func(body []byte, sign string) bool {
			return qfpay.VerifyNotification(body, sign, string(h.ClientKey), qfpay.SignType(h.SignType))
		},
		Server:   caddyServer{},
		Observer: h.app.observer,
		Log:      h.logger,
		Now:      h.now,
	})
	return nil
}

// account names the merchant's account at a gateway: those with one account may
// hear of each other's orders.
func (h *Handler) account() string {
	gateway, err := url.Parse(h.gatewayURL())
	if err != nil {
		return h.AppCode
	}
	return h.AppCode + "@" + gateway.Host
}

func (h *Handler) endpoints() ([]*webhook.Endpoint, error) {
	endpoints := make([]*webhook.Endpoint, len(h.Webhooks))
	for i, hook := range h.Webhooks {
		endpoint, err := webhook.New(hook.URL, string(hook.Secret))
		if err != nil {
			return nil, fieldError{"webhooks[" + strconv.Itoa(i) + "]", err}
		}
		endpoints[i] = endpoint
	}
	return endpoints, nil
}

// Interface guards
var (
	_ caddy.Provisioner  = (*Handler)(nil)
	_ caddy.CleanerUpper = (*Handler)(nil)
)

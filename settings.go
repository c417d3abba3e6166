package qfpayjsapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// setting is one subdirective of the block: how a Caddyfile writes it, which
// strings it holds and what is right and wrong.
type setting struct {
	name  string                   // in a Caddyfile
	read  func(*blockParser) error // reads what stands behind the name
	parts []part                   // its strings, each of which takes placeholders
	check func(values) error       // judges it as a whole, after its parts; may be nil
}

// part is one string of the configuration.
type part struct {
	field    string // in JSON, such as client_key or items[0].price
	value    *string
	rule     func(string) error // judges a value without placeholders; may be nil
	required bool
	secret   bool   // is never shown, and had better not be written out
	changed  func() // is called after value was replaced; may be nil
}

// settings is the table of all settings. It drives the grammar of Caddyfiles, the
// expansion of placeholders, the rules and the warning of secrets that are written
// out.
func (h *Handler) settings() []setting {
	return []setting{
		// the merchant's account
		text("environment", &h.Environment, checkEnvironment),
		required(text("app_code", &h.AppCode, credential(64))),
		required(secret("client_key", &h.ClientKey, credential(256))),
		text("mchid", &h.MchID, credential(16)),
		text("sign_type", &h.SignType, oneOf("md5", "sha256")),
		text("pay_page", &h.PayPage, checkURL),
		duration("timeout", &h.Timeout, time.Second, time.Minute),
		{name: "param", read: (*blockParser).param, parts: h.paramParts(), check: h.checkParams},
		text("limit_pay", &h.LimitPay, oneLine(64)),
		text("real_name", &h.RealName, oneOf("off", "optional", "required")),
		{name: "official_account", read: (*blockParser).officialAccount, parts: h.OfficialAccount.parts(), check: h.checkMethod},
		toggle("hosted", &h.Hosted),
		{name: "wallets", read: (*blockParser).wallets, parts: h.walletParts(), check: h.checkWallets},

		// what is sold
		required(text("merchant_name", &h.MerchantName, oneLine(128))),
		required(text("currency", &h.Currency, checkCurrency)),
		{name: "item", read: (*blockParser).item, parts: h.itemParts(), check: h.checkItems},
		text("catalog", &h.Catalog, nil),
		{name: "open_amount", read: (*blockParser).openAmount, parts: h.OpenAmount.parts(), check: h.checkOpenAmount},
		secret("invoice_key", &h.InvoiceKey, checkInvoiceKey),
		{name: "field", read: (*blockParser).field, check: h.checkFields},
		duration("keep_fields", &h.KeepFields, time.Hour, 10*365*24*time.Hour),
		duration("order_ttl", &h.OrderTTL, time.Minute, 2*time.Hour),
		text("time_zone", &h.TimeZone, checkTimeZone),

		// where it lives
		text("path", &h.Path, checkPath),
		text("notify_path", &h.NotifyPath, checkPath),
		text("notify_url", &h.NotifyURL, checkNotifyURL),
		text("public_url", &h.PublicURL, checkOrigin),
		text("success_url", &h.SuccessURL, checkResult),
		text("failure_url", &h.FailureURL, checkResult),
		text("outside_wechat", &h.OutsideWeChat, checkOutsideWeChat),
		text("errors", &h.Errors, oneOf("page", "pass")),
		text("templates", &h.Templates, nil),

		// what is remembered, who is told
		text("name", &h.Name, checkName),
		{name: "ledger", read: (*blockParser).ledger}, // a module, which knows its own settings
		{name: "webhook", read: (*blockParser).webhook, parts: h.webhookParts(), check: h.checkWebhooks},
		{name: "mail", read: (*blockParser).mail, parts: h.Mail.parts(), check: h.checkMail},
	}
}

// goneSettings are those of the past, with what to use instead.
var goneSettings = map[string]string{
	"storage": "orders are kept in a database; use ledger sqlite <file> or ledger postgres <URL>",
}

// text is a setting with one string. The rule may be nil.
func text(name string, value *string, rule func(string) error) setting {
	return setting{
		name:  name,
		read:  func(b *blockParser) error { return b.text(name, value) },
		parts: []part{{field: name, value: value, rule: rule}},
	}
}

// secret is a text that must not be shown.
func secret(name string, value *redact.Secret, rule func(string) error) setting {
	s := text(name, (*string)(value), rule)
	s.parts[0].secret = true
	return s
}

// required is a text that must be given.
func required(s setting) setting {
	s.parts[0].required = true
	return s
}

// duration is a setting with one length of time, which may be left out.
func duration(name string, value *Duration, least, most time.Duration) setting {
	return setting{
		name:  name,
		read:  func(b *blockParser) error { return b.duration(name, value) },
		check: func(values) error { return checkDuration(name, time.Duration(*value), least, most) },
	}
}

// toggle is a setting without a value.
func toggle(name string, value *bool) setting {
	return setting{name: name, read: func(b *blockParser) error { return b.toggle(name, value) }}
}

// paramParts are the values, in the order of their names. A map does not say where
// it keeps them, so they are put back.
func (h *Handler) paramParts() (parts []part) {
	for _, name := range slices.Sorted(maps.Keys(h.Params)) {
		value := h.Params[name]
		parts = append(parts, part{
			field: "params." + name, value: &value, rule: oneLine(512),
			changed: func() { h.Params[name] = value },
		})
	}
	return parts
}

func (h *Handler) itemParts() (parts []part) {
	for i := range h.Items {
		item, field := &h.Items[i], "items["+strconv.Itoa(i)+"]."
		parts = append(parts,
			part{field: field + "id", value: &item.ID},
			part{field: field + "price", value: (*string)(&item.Price)},
			part{field: field + "name", value: &item.Name})
	}
	return parts
}

func (h *Handler) walletParts() (parts []part) {
	for i := range h.Wallets {
		parts = append(parts, part{
			field: "wallets[" + strconv.Itoa(i) + "]", value: &h.Wallets[i], rule: oneOf(namesOf(qfpay.Wallets())...), required: true,
		})
	}
	return parts
}

func namesOf(methods []qfpay.Method) []string {
	names := make([]string, len(methods))
	for i, method := range methods {
		names[i] = string(method)
	}
	return names
}

func (a *OfficialAccount) parts() []part {
	if a == nil {
		return nil
	}
	return []part{
		{field: "official_account.app_id", value: &a.AppID, rule: wechat.CheckAppID, required: true},
		{field: "official_account.app_secret", value: (*string)(&a.AppSecret), rule: wechat.CheckAppSecret, required: true, secret: true},
		{field: "official_account.authorize_url", value: &a.AuthorizeURL, rule: wechat.CheckURL},
		{field: "official_account.token_url", value: &a.TokenURL, rule: wechat.CheckURL},
	}
}

func (o *OpenAmount) parts() []part {
	if o == nil {
		return nil
	}
	return []part{
		{field: "open_amount.min", value: (*string)(&o.Min)},
		{field: "open_amount.max", value: (*string)(&o.Max)},
	}
}

func (h *Handler) webhookParts() (parts []part) {
	for i := range h.Webhooks {
		hook, field := &h.Webhooks[i], "webhooks["+strconv.Itoa(i)+"]."
		parts = append(parts,
			part{field: field + "url", value: &hook.URL, rule: webhook.CheckURL, required: true},
			part{field: field + "secret", value: (*string)(&hook.Secret), rule: webhook.CheckSecret, required: true, secret: true})
	}
	return parts
}

// expand replaces placeholders in all strings of the configuration. One that
// is unset or empty is an error that names its field.
func (h *Handler) expand() error {
	replacer := caddy.NewReplacer()
	for _, setting := range h.settings() {
		for _, part := range setting.parts {
			expanded, err := replacer.ReplaceOrErr(*part.value, true, true)
			if err != nil {
				return fieldError{part.field, placeholderError(*part.value, err)}
			}
			*part.value = expanded
			if part.changed != nil {
				part.changed()
			}
		}
	}
	return nil
}

// warnOfLiteralSecrets warns of secrets that stand in the configuration itself.
func (h *Handler) warnOfLiteralSecrets() {
	for _, setting := range h.settings() {
		for _, part := range setting.parts {
			if part.secret && *part.value != "" && !strings.Contains(*part.value, "{") {
				warnOfLiteralSecret(h.logger, part.field)
			}
		}
	}
	if h.Mail != nil && hasLiteralPassword(string(h.Mail.URL)) { // its URL alone is no secret
		warnOfLiteralSecret(h.logger, "mail.url")
	}
}

func warnOfLiteralSecret(log *zap.Logger, field string) {
	log.Warn("a secret is written out in the configuration, where the admin API and the autosave file show it: use a placeholder such as {env.QFPAY_CLIENT_KEY}",
		zap.String("field", field))
}

package qfpayjsapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("qfpay_jsapi", parseCaddyfile)
	httpcaddyfile.RegisterDirectiveOrder("qfpay_jsapi", httpcaddyfile.After, "redir")
	httpcaddyfile.RegisterHandlerDirective("qfpay_orders", parseOrdersCaddyfile)
	httpcaddyfile.RegisterDirectiveOrder("qfpay_orders", httpcaddyfile.Before, "respond")
}

func parseCaddyfile(helper httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h := new(Handler)
	return h, h.UnmarshalCaddyfile(helper.Dispenser)
}

// UnmarshalCaddyfile implements caddyfile.Unmarshaler. Syntax:
//
//	qfpay_jsapi [<matcher>] {
//	    # the merchant's account
//	    environment    production|testing|sandbox|<region>|<base URL>
//	    app_code       <text>
//	    client_key     <text>
//	    mchid          <text>
//	    sign_type      md5|sha256
//	    pay_page       <URL>
//	    timeout        <duration>
//	    param          <name> <value>
//	    limit_pay      <value>
//	    real_name      off|optional|required
//	    official_account <app_id> <app_secret> {
//	        authorize_url <URL>
//	        token_url     <URL>
//	    }
//	    hosted
//	    wallets        wechat|alipayhk|unionpay|payme…
//
//	    # what is sold
//	    merchant_name  <text>
//	    currency       <code>
//	    item           <id> <price> [<name>]
//	    item <id> {
//	        price        <decimal>
//	        name         <text>
//	        max_quantity <n>
//	        stock
//	    }
//	    catalog        <file.json>
//	    open_amount    <min> <max>
//	    invoice_key    <secret>
//	    field          <name> [required]
//	    keep_fields    <duration>
//	    order_ttl      <duration>
//	    time_zone      <IANA name>
//
//	    # where it lives
//	    path           <path>
//	    notify_path    <path>
//	    notify_url     off|<URL>
//	    public_url     <URL>
//	    success_url    <URL or path>
//	    failure_url    <URL or path>
//	    outside_wechat handoff|allow|pass|<URL or path>
//	    errors         page|pass
//	    templates      <folder>
//
//	    # what is remembered, who is told
//	    name           <text>
//	    ledger         sqlite [<file>]
//	    ledger         postgres <URL>
//	    webhook        <URL> <secret>
//	    mail           <SMTP URL> {
//	        from       <address>
//	        to         <address>…
//	        receipt    <field>
//	        language   <tag>
//	        orders_url <URL>
//	    }
//	}
//
// `param`, `item`, `field` and `webhook` may be repeated. A mistake that shows in the
// block itself is an error with its file and line.
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	block := &blockParser{Handler: h, d: d, places: map[string]caddyfile.Dispenser{"": *d}, settings: h.settings()}
	if d.NextArg() {
		return d.Errf(noMatcher, "qfpay_jsapi", d.Val())
	}
	for d.NextBlock(0) {
		if err := block.subdirective(d.Val()); err != nil {
			return err
		}
	}
	return block.place(h.check(written))
}

// noMatcher is what is wrong with something behind the name of a directive.
const noMatcher = "%s: unexpected %q; a path to match begins with /"

// blockParser reads one block into a Handler and remembers where each field
// was written.
type blockParser struct {
	*Handler
	d      *caddyfile.Dispenser
	places map[string]caddyfile.Dispenser

	settings []setting
}

func (b *blockParser) subdirective(name string) error {
	for _, setting := range b.settings {
		if setting.name == name {
			return setting.read(b)
		}
	}
	if instead, gone := goneSettings[name]; gone {
		return b.d.Errf("%s was removed: %s", name, instead)
	}
	return b.d.Errf("unknown subdirective %q of qfpay_jsapi", name)
}

// once notes where a field is written and refuses a second time.
func (b *blockParser) once(field string) error {
	if _, again := b.places[field]; again {
		return b.d.Errf("%s is given twice", field)
	}
	b.places[field] = *b.d
	return nil
}

func (b *blockParser) text(field string, value *string) error {
	if err := b.once(field); err != nil {
		return err
	}
	if !b.d.NextArg() || b.d.Val() == "" {
		return b.lacks("%s needs a value", field)
	}
	*value = b.d.Val()
	if strings.Contains(*value, "\n") {
		return b.d.Errf("%s: %w", field, errOverLines)
	}
	if b.d.NextArg() {
		return b.d.Errf("%s takes one value; put quotes around one with spaces", field) // which may be a part of a secret
	}
	return b.noBlock(field)
}

// args are the values that stand behind the name of a setting.
func (b *blockParser) args(setting string) (args []string, err error) {
	for b.d.NextArg() {
		if strings.Contains(b.d.Val(), "\n") {
			return nil, b.d.Errf("%s: %w", setting, errOverLines)
		}
		args = append(args, b.d.Val())
	}
	return args, nil
}

// exactly are the n values of a setting. The error of too few or many says what it needs.
func (b *blockParser) exactly(n int, setting, needs string) ([]string, error) {
	args, err := b.args(setting)
	if err == nil && len(args) != n {
		err = b.lacks("%s needs %s", setting, needs)
	}
	return args, err
}

// list reads a setting with any number of values.
func (b *blockParser) list(field string, values *[]string) (err error) {
	if err := b.once(field); err != nil {
		return err
	}
	if *values, err = b.args(field); err != nil {
		return err
	}
	return b.noBlock(field)
}

// lacks is the error that a line has too few values, and names a variable that was to
// give one.
func (b *blockParser) lacks(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if name := unsetVariable(b.d.File(), b.d.Line()); name != "" {
		return b.d.Errf("%s: the variable {$%s} is unset or empty", message, name)
	}
	return b.d.Err(message)
}

func (b *blockParser) duration(field string, value *Duration) error {
	var text string
	if err := b.text(field, &text); err != nil {
		return err
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil {
		return b.d.Errf("%s: %q is not a duration such as 10s or 15m", field, text)
	}
	if duration == 0 {
		return b.d.Errf("%s must not be zero", field)
	}
	*value = Duration(duration)
	return nil
}

func (b *blockParser) toggle(field string, value *bool) error {
	if err := b.once(field); err != nil {
		return err
	}
	if b.d.NextArg() {
		return b.d.Errf("%s takes no value", field)
	}
	*value = true
	return b.noBlock(field)
}

// noBlock refuses a block that nothing would read.
func (b *blockParser) noBlock(field string) error {
	if b.d.NextBlock(b.d.Nesting()) {
		return b.d.Errf("%s takes no block", field)
	}
	return nil
}

func (b *blockParser) officialAccount() error {
	if err := b.once("official_account"); err != nil {
		return err
	}
	args, err := b.exactly(2, "official_account", "the app id and the app secret")
	if err != nil {
		return err
	}
	b.OfficialAccount = &OfficialAccount{AppID: args[0], AppSecret: redact.Secret(args[1])}
	for nesting := b.d.Nesting(); b.d.NextBlock(nesting); {
		switch detail := b.d.Val(); detail {
		case "authorize_url":
			err = b.text("official_account.authorize_url", &b.OfficialAccount.AuthorizeURL)
		case "token_url":
			err = b.text("official_account.token_url", &b.OfficialAccount.TokenURL)
		default:
			err = b.d.Errf("unknown detail %q of official_account: it has authorize_url and token_url", detail)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *blockParser) wallets() error {
	if err := b.list("wallets", &b.Wallets); err != nil {
		return err
	}
	if len(b.Wallets) == 0 {
		return b.lacks("wallets needs one or more of %s", strings.Join(namesOf(qfpay.Wallets()), ", "))
	}
	return nil
}

func (b *blockParser) param() error {
	args, err := b.exactly(2, "param", "a name and a value")
	if err != nil {
		return err
	}
	if err := b.once("params." + args[0]); err != nil {
		return err
	}
	if b.Params == nil {
		b.Params = make(map[string]string)
	}
	b.Params[args[0]] = args[1]
	return b.noBlock("param")
}

func (b *blockParser) item() error {
	field := "items[" + strconv.Itoa(len(b.Items)) + "]"
	b.places[field] = *b.d
	args, err := b.args("item")
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return b.lacks("item needs an id")
	}
	if len(args) > 3 {
		return b.d.Errf("item: unexpected %q; put quotes around a name with spaces", args[3])
	}
	item := shop.Item{ID: args[0]}
	if len(args) > 1 {
		item.Price = shop.Price(args[1])
	}
	if len(args) > 2 {
		item.Name = args[2]
	}
	for nesting := b.d.Nesting(); b.d.NextBlock(nesting); {
		if len(args) > 1 {
			return b.d.Errf("item %s: give the price and the name either after the id or in the block", item.ID)
		}
		if err := b.itemDetail(field, &item); err != nil {
			return err
		}
	}
	b.Items = append(b.Items, item)
	return nil
}

func (b *blockParser) itemDetail(field string, item *shop.Item) error {
	switch detail := b.d.Val(); detail {
	case "price":
		return b.text(field+".price", (*string)(&item.Price))
	case "name":
		return b.text(field+".name", &item.Name)
	case "max_quantity":
		var text string
		if err := b.text(field+".max_quantity", &text); err != nil {
			return err
		}
		quantity, err := strconv.Atoi(text)
		if err != nil || quantity < 1 {
			return b.d.Errf("max_quantity: %q is not a number from 1 to %d", text, shop.MaxQuantity)
		}
		item.MaxQuantity = shop.Quantity(quantity)
		return nil
	case "stock":
		return b.toggle(field+".stock", (*bool)(&item.Stock))
	default:
		return b.d.Errf("unknown detail %q of item %s: it has price, name, max_quantity and stock", detail, item.ID)
	}
}

func (b *blockParser) openAmount() error {
	if err := b.once("open_amount"); err != nil {
		return err
	}
	args, err := b.exactly(2, "open_amount", "the least and the greatest amount")
	if err != nil {
		return err
	}
	b.OpenAmount = &OpenAmount{Min: shop.Price(args[0]), Max: shop.Price(args[1])}
	return b.noBlock("open_amount")
}

func (b *blockParser) field() error {
	b.places["fields["+strconv.Itoa(len(b.Fields))+"]"] = *b.d
	args, err := b.args("field")
	if err != nil {
		return err
	}
	if len(args) == 0 || len(args) > 2 || len(args) == 2 && args[1] != "required" {
		return b.lacks("field needs a name, and optionally the word required after it")
	}
	b.Fields = append(b.Fields, shop.Field{Name: args[0], Required: len(args) == 2})
	return b.noBlock("field")
}

func (b *blockParser) ledger() error {
	if err := b.once("ledger"); err != nil {
		return err
	}
	if !b.d.NextArg() {
		return b.lacks("ledger needs an engine: sqlite, optionally with a file, or postgres with a URL")
	}
	engine := b.d.Val()
	if engine != "sqlite" && engine != "postgres" {
		return b.d.Errf("ledger: %q is neither sqlite nor postgres", engine)
	}
	module, err := caddyfile.UnmarshalModule(b.d, "qfpay_jsapi.ledger."+engine)
	if err != nil {
		return err
	}
	b.LedgerRaw = caddyconfig.JSONModuleObject(module, "engine", engine, nil)
	return nil
}

func (b *blockParser) webhook() error {
	b.places["webhooks["+strconv.Itoa(len(b.Webhooks))+"]"] = *b.d
	args, err := b.exactly(2, "webhook", "a URL and a secret")
	if err != nil {
		return err
	}
	b.Webhooks = append(b.Webhooks, Webhook{URL: args[0], Secret: redact.Secret(args[1])})
	return b.noBlock("webhook")
}

func (b *blockParser) mail() error {
	if err := b.once("mail"); err != nil {
		return err
	}
	args, err := b.exactly(1, "mail", "one URL, such as smtps://user:password@mail.example.com") // what is there may be a part of a password
	if err != nil {
		return err
	}
	b.Mail = &Mail{URL: redact.Secret(args[0])}
	for nesting := b.d.Nesting(); b.d.NextBlock(nesting); {
		if err := b.mailDetail(); err != nil {
			return err
		}
	}
	return nil
}

func (b *blockParser) mailDetail() error {
	switch detail := b.d.Val(); detail {
	case "from":
		return b.text("mail.from", &b.Mail.From)
	case "to":
		return b.list("mail.to", &b.Mail.To)
	case "receipt":
		return b.text("mail.receipt", &b.Mail.Receipt)
	case "language":
		return b.text("mail.language", &b.Mail.Language)
	case "orders_url":
		return b.text("mail.orders_url", &b.Mail.OrdersURL)
	default:
		return b.d.Errf("unknown detail %q of mail: it has from, to, receipt, language and orders_url", detail)
	}
}

// place turns a mistake in a field into an error at the line where the field
// was written, or where the block begins if it was not.
func (b *blockParser) place(err error) error {
	var mistake fieldError
	if !errors.As(err, &mistake) {
		return err
	}
	at := mistake.field
	for {
		if place, ok := b.places[at]; ok {
			return place.Errf("%s: %w", mistake.field, mistake.err)
		}
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
}

func parseOrdersCaddyfile(helper httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	o := new(Orders)
	return o, o.UnmarshalCaddyfile(helper.Dispenser)
}

// UnmarshalCaddyfile implements caddyfile.Unmarshaler. Syntax:
//
//	qfpay_orders [<matcher>] {
//	    name <shop>
//	    insecure_without_auth
//	}
//
// It belongs behind basic_auth or forward_auth:
//
//	handle /orders {
//	    basic_auth {
//	        owner <hash>
//	    }
//	    qfpay_orders
//	}
func (o *Orders) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	if d.NextArg() {
		return d.Errf(noMatcher, "qfpay_orders", d.Val())
	}
	for d.NextBlock(0) {
		switch subdirective := d.Val(); subdirective {
		case "name":
			if o.Name != "" {
				return d.Err("name is given twice")
			}
			if !d.AllArgs(&o.Name) || o.Name == "" {
				return d.Err("name needs the name of one shop")
			}
		case "insecure_without_auth":
			if d.NextArg() {
				return d.Errf("insecure_without_auth: unexpected %q; it takes no value", d.Val())
			}
			o.InsecureWithoutAuth = true
		default:
			return d.Errf("unknown subdirective %q of qfpay_orders: it has name and insecure_without_auth", subdirective)
		}
		if d.NextBlock(d.Nesting()) {
			return d.Err("subdirectives of qfpay_orders take no block")
		}
	}
	return nil
}

// Interface guards
var (
	_ caddyfile.Unmarshaler = (*Handler)(nil)
	_ caddyfile.Unmarshaler = (*Orders)(nil)
)

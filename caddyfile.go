package qfpayjsapi

import (
	"errors"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
)

func init() {
	httpcaddyfile.RegisterHandlerDirective("qfpay_jsapi", parseCaddyfile)
	httpcaddyfile.RegisterDirectiveOrder("qfpay_jsapi", httpcaddyfile.After, "redir")
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
//
//	    # what is sold
//	    merchant_name  <text>
//	    currency       <code>
//	    item           <id> <price> [<name>]
//	    item <id> {
//	        price        <decimal>
//	        name         <text>
//	        max_quantity <n>
//	    }
//	    catalog        <file.json>
//	    open_amount    <min> <max>
//	    invoice_key    <secret>
//	    field          <name> [required]
//	    order_ttl      <duration>
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
//	    storage        <module> { … }
//	    webhook        <URL> <secret>
//	}
//
// `param`, `item`, `field` and `webhook` may be repeated. A mistake that shows in the block itself
// is an error with its file and line.
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name
	block := &blockParser{Handler: h, d: d, places: map[string]caddyfile.Dispenser{"": *d}}
	if d.NextArg() {
		return d.ArgErr()
	}
	for d.NextBlock(0) {
		if err := block.subdirective(d.Val()); err != nil {
			return err
		}
	}
	return block.place(h.check(written))
}

// blockParser reads one block into a Handler and remembers where each field
// was written.
type blockParser struct {
	*Handler
	d      *caddyfile.Dispenser
	places map[string]caddyfile.Dispenser
}

func (b *blockParser) subdirective(name string) error {
	parse, ok := b.grammar()[name]
	if !ok {
		return b.d.Errf("unknown subdirective %q of qfpay_jsapi", name)
	}
	return parse()
}

// grammar holds what parses each subdirective.
func (b *blockParser) grammar() map[string]func() error {
	grammar := map[string]func() error{
		"timeout":          func() error { return b.duration("timeout", &b.Timeout) },
		"order_ttl":        func() error { return b.duration("order_ttl", &b.OrderTTL) },
		"official_account": b.officialAccount,
		"hosted":           b.hosted,
		"param":            b.param,
		"item":             b.item,
		"open_amount":      b.openAmount,
		"field":            b.field,
		"storage":          b.storage,
		"webhook":          b.webhook,
	}
	for name, value := range map[string]*string{
		"environment":    &b.Environment,
		"app_code":       &b.AppCode,
		"client_key":     &b.ClientKey,
		"mchid":          &b.MchID,
		"sign_type":      &b.SignType,
		"pay_page":       &b.PayPage,
		"limit_pay":      &b.LimitPay,
		"real_name":      &b.RealName,
		"merchant_name":  &b.MerchantName,
		"currency":       &b.Currency,
		"catalog":        &b.Catalog,
		"invoice_key":    &b.InvoiceKey,
		"path":           &b.Path,
		"notify_path":    &b.NotifyPath,
		"notify_url":     &b.NotifyURL,
		"public_url":     &b.PublicURL,
		"success_url":    &b.SuccessURL,
		"failure_url":    &b.FailureURL,
		"outside_wechat": &b.OutsideWeChat,
		"errors":         &b.Errors,
		"templates":      &b.Templates,
		"name":           &b.Name,
	} {
		grammar[name] = func() error { return b.text(name, value) }
	}
	return grammar
}

// once notes where a field is written and refuses a second time.
func (b *blockParser) once(field string) error {
	if _, again := b.places[field]; again {
		return b.d.Errf("%s is given twice", field)
	}
	b.places[field] = *b.d
	return nil
}

func (b *blockParser) hosted() error {
	b.Hosted = true
	if err := b.once("hosted"); err != nil {
		return err
	}
	return b.noMore("hosted")
}

func (b *blockParser) text(field string, value *string) error {
	if err := b.once(field); err != nil {
		return err
	}
	if !b.d.NextArg() {
		return b.d.Errf("%s needs a value", field)
	}
	*value = b.d.Val()
	if *value == "" {
		return b.d.Errf("%s must not be empty", field)
	}
	return b.noMore(field)
}

func (b *blockParser) duration(field string, value *caddy.Duration) error {
	var text string
	if err := b.text(field, &text); err != nil {
		return err
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil {
		return b.d.Errf("%s: %q is no duration such as 10s or 15m", field, text)
	}
	if duration == 0 {
		return b.d.Errf("%s must not be zero", field)
	}
	*value = caddy.Duration(duration)
	return nil
}

// noMore refuses arguments and blocks that nothing would read.
func (b *blockParser) noMore(field string) error {
	if b.d.NextArg() {
		return b.d.Errf("%s: unexpected %q; put quotes around a value with spaces", field, b.d.Val())
	}
	for nesting := b.d.Nesting(); b.d.NextBlock(nesting); {
		return b.d.Errf("%s takes no block", field)
	}
	return nil
}

func (b *blockParser) officialAccount() error {
	if err := b.once("official_account"); err != nil {
		return err
	}
	args := b.d.RemainingArgs()
	if len(args) != 2 {
		return b.d.Errf("official_account needs the app id and the app secret")
	}
	b.OfficialAccount = &OfficialAccount{AppID: args[0], AppSecret: args[1]}
	for nesting := b.d.Nesting(); b.d.NextBlock(nesting); {
		var err error
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

func (b *blockParser) param() error {
	args := b.d.RemainingArgs()
	if len(args) != 2 {
		return b.d.Errf("param needs a name and a value")
	}
	if err := b.once("params." + args[0]); err != nil {
		return err
	}
	if b.Params == nil {
		b.Params = make(map[string]string)
	}
	b.Params[args[0]] = args[1]
	return b.noMore("param")
}

func (b *blockParser) item() error {
	field := "items[" + strconv.Itoa(len(b.Items)) + "]"
	b.places[field] = *b.d
	args := b.d.RemainingArgs()
	if len(args) == 0 {
		return b.d.Errf("item needs an id")
	}
	if len(args) > 3 {
		return b.d.Errf("item: unexpected %q; put quotes around a name with spaces", args[3])
	}
	item := checkout.Item{ID: args[0]}
	if len(args) > 1 {
		item.Price = checkout.Price(args[1])
	}
	if len(args) > 2 {
		item.Name = args[2]
	}
	for nesting := b.d.Nesting(); b.d.NextBlock(nesting); {
		if len(args) > 1 {
			return b.d.Errf("item %s: give the price and the name either behind the id or in the block", item.ID)
		}
		if err := b.itemDetail(field, &item); err != nil {
			return err
		}
	}
	b.Items = append(b.Items, item)
	return nil
}

func (b *blockParser) itemDetail(field string, item *checkout.Item) error {
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
			return b.d.Errf("max_quantity: %q is no number from 1 to %d", text, checkout.MaxQuantity)
		}
		item.MaxQuantity = quantity
		return nil
	default:
		return b.d.Errf("unknown detail %q of item %s: it has price, name and max_quantity", detail, item.ID)
	}
}

func (b *blockParser) openAmount() error {
	if err := b.once("open_amount"); err != nil {
		return err
	}
	args := b.d.RemainingArgs()
	if len(args) != 2 {
		return b.d.Errf("open_amount needs the least and the most that may be paid")
	}
	b.OpenAmount = &OpenAmount{Min: checkout.Price(args[0]), Max: checkout.Price(args[1])}
	return b.noMore("open_amount")
}

func (b *blockParser) field() error {
	b.places["fields["+strconv.Itoa(len(b.Fields))+"]"] = *b.d
	args := b.d.RemainingArgs()
	if len(args) == 0 || len(args) > 2 || len(args) == 2 && args[1] != "required" {
		return b.d.Errf("field needs a name, and nothing or the word required behind it")
	}
	b.Fields = append(b.Fields, checkout.Field{Name: args[0], Required: len(args) == 2})
	return b.noMore("field")
}

func (b *blockParser) storage() error {
	if err := b.once("storage"); err != nil {
		return err
	}
	if !b.d.NextArg() {
		return b.d.Errf("storage needs the name of a module, such as file_system")
	}
	name := b.d.Val()
	module, err := caddyfile.UnmarshalModule(b.d, "caddy.storage."+name)
	if err != nil {
		return err
	}
	if _, ok := module.(caddy.StorageConverter); !ok {
		return b.d.Errf("module caddy.storage.%s is no storage", name)
	}
	b.StorageRaw = caddyconfig.JSONModuleObject(module, "module", name, nil)
	return nil
}

func (b *blockParser) webhook() error {
	b.places["webhooks["+strconv.Itoa(len(b.Webhooks))+"]"] = *b.d
	args := b.d.RemainingArgs()
	if len(args) != 2 {
		return b.d.Errf("webhook needs a URL and a secret")
	}
	b.Webhooks = append(b.Webhooks, Webhook{URL: args[0], Secret: args[1]})
	return b.noMore("webhook")
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
		at = at[:max(strings.LastIndex(at, "."), 0)]
	}
}

// Interface guard
var _ caddyfile.Unmarshaler = (*Handler)(nil)

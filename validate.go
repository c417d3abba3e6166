package qfpayjsapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// fieldError is a mistake in the configuration and the JSON field it is in.
type fieldError struct {
	field string
	err   error
}

func (e fieldError) Error() string { return "qfpay_jsapi: " + e.field + ": " + e.err.Error() }
func (e fieldError) Unwrap() error { return e.err }

// values says whether placeholders in a configuration still await expansion.
type values bool

const (
	written  values = false // as in the file: what holds a placeholder cannot be judged yet
	expanded values = true
)

// judgeable reports whether a value can be judged now. Empty values are for
// the rules about what is required.
func (v values) judgeable(value string) bool {
	return value != "" && (v == expanded || !strings.Contains(value, "{"))
}

const defaultPath = "/pay"

// check finds the first mistake in the configuration. It serves Caddyfiles
// before placeholders are expanded and every configuration after.
func (h *Handler) check(v values) error {
	settings := h.settings()
	for _, setting := range settings {
		if err := setting.checkRequired(); err != nil {
			return err
		}
	}
	if err := h.checkSomethingIsSold(); err != nil {
		return err
	}
	for _, setting := range settings {
		if err := setting.judge(v); err != nil {
			return err
		}
	}
	return h.checkOverlaps(v)
}

func (s setting) checkRequired() error {
	for _, part := range s.parts {
		if part.required && *part.value == "" {
			return fieldError{part.field, errors.New("required, but missing")}
		}
	}
	return nil
}

func (s setting) judge(v values) error {
	for _, part := range s.parts {
		isVariable := shellVariable.MatchString(*part.value)
		if part.rule == nil || !v.judgeable(*part.value) && !isVariable {
			continue
		}
		err := part.rule(*part.value)
		if (err != nil || part.secret) && isVariable {
			err = errShellVariable
		}
		if err != nil {
			return fieldError{part.field, err}
		}
	}
	if s.check == nil {
		return nil
	}
	return s.check(v)
}

func (h *Handler) checkSomethingIsSold() error {
	if len(h.Items) == 0 && h.Catalog == "" && h.OpenAmount == nil && h.InvoiceKey == "" {
		return fieldError{"items", errors.New("nothing is sold: add an item, or a catalog with items, open_amount or invoice_key")}
	}
	return nil
}

// checkMethod refuses two ways of taking payments in one block.
func (h *Handler) checkMethod(values) error {
	if h.Hosted && h.OfficialAccount != nil {
		return fieldError{"hosted", errors.New("official_account is given too: choose one of them")}
	}
	return nil
}

// checkWallets refuses wallets twice, and where their page would never be shown:
// with a real name, which is checked inside WeChat alone, or elsewhere than on the
// page for browsers outside WeChat. What depends on the site's address is bounded
// as QFPay bounds it.
func (h *Handler) checkWallets(v values) error {
	if len(h.Wallets) == 0 {
		return nil
	}
	for i, wallet := range h.Wallets {
		if slices.Contains(h.Wallets[:i], wallet) {
			return fieldError{"wallets[" + strconv.Itoa(i) + "]", fmt.Errorf("%s is given twice", wallet)}
		}
	}
	switch {
	case v.judgeable(h.OutsideWeChat) && h.OutsideWeChat != "handoff":
		return fieldError{"wallets", fmt.Errorf("they are offered on the page for browsers outside WeChat, which outside_wechat %s never shows: remove one of these settings", h.OutsideWeChat)}
	case v.judgeable(h.RealName) && h.RealName != "off":
		return fieldError{"wallets", errors.New("a real name can only be checked inside WeChat: remove real_name or wallets")}
	case v.judgeable(h.NotifyURL) && len(h.NotifyURL) > maxWalletURL:
		return fieldError{"notify_url", fmt.Errorf("longer than %d characters, the limit for wallets", maxWalletURL)}
	}
	if own := cmp.Or(h.Path, defaultPath); v.judgeable(own) && v.judgeable(h.PublicURL) {
		if back := strings.TrimSuffix(h.PublicURL, "/") + own + "/return/" + strings.Repeat("0", 26); len(back) > maxWalletURL {
			return fieldError{"path", fmt.Errorf("%s is longer than %d characters, the limit for wallets", back, maxWalletURL)}
		}
	}
	return nil
}

// maxWalletURL bounds the addresses that are sent with the payment of a wallet.
const maxWalletURL = 255

// checkDuration takes 0 as one that is not given.
func checkDuration(field string, value, least, most time.Duration) error {
	if value != 0 && (value < least || value > most) {
		return fieldError{field, fmt.Errorf("%s is out of range %s to %s", value, least, most)}
	}
	return nil
}

// ownParams are the parameters of a payment that the module sets itself.
var ownParams = []string{
	"txamt", "txcurrcd", "pay_type", "out_trade_no", "txdtm", "sub_openid", "goods_name",
	"mchid", "notify_url", "limit_pay", "extend_info", "app_code", "sign", "return_url",
}

var paramName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

func (h *Handler) checkParams(values) error {
	for name, value := range h.Params {
		field := "params." + name
		switch {
		case !paramName.MatchString(name):
			return fieldError{field, errors.New("a parameter's name is 1 to 64 of A-Z a-z 0-9 _")}
		case slices.Contains(ownParams, name):
			return fieldError{field, errors.New("qfpay_jsapi sets this parameter itself")}
		case value == "":
			return fieldError{field, errors.New("empty parameters are not sent: give it a value or remove it")}
		}
	}
	return nil
}

func (h *Handler) checkItems(v values) error {
	currency := ""
	if v.judgeable(h.Currency) {
		currency = h.Currency
	}
	first := make(map[string]int, len(h.Items))
	for i, item := range h.Items {
		field := "items[" + strconv.Itoa(i) + "]"
		if before, twice := first[item.ID]; twice {
			return fieldError{field, fmt.Errorf("item %q is given twice, first as items[%d]", item.ID, before)}
		}
		first[item.ID] = i
		if v == written && strings.Contains(item.ID+string(item.Price)+item.Name, "{") {
			continue
		}
		if part, err := item.Check(currency); err != nil {
			return fieldError{field + "." + part, err}
		}
	}
	return nil
}

func (h *Handler) checkOpenAmount(v values) error {
	if h.OpenAmount == nil {
		return nil
	}
	least, most := string(h.OpenAmount.Min), string(h.OpenAmount.Max)
	if least == "" || most == "" {
		return fieldError{"open_amount", errors.New("needs the least and the greatest amount")}
	}
	if !v.judgeable(least+most) || !v.judgeable(h.Currency) {
		return nil
	}
	if _, err := shop.ParseBounds(least, most, h.Currency); err != nil {
		return fieldError{"open_amount", err}
	}
	return nil
}

func (h *Handler) checkFields(values) error {
	first := make(map[string]int, len(h.Fields))
	for i, field := range h.Fields {
		place := "fields[" + strconv.Itoa(i) + "]"
		if err := field.Check(); err != nil {
			return fieldError{place, err}
		}
		if before, twice := first[field.Name]; twice {
			return fieldError{place, fmt.Errorf("field %q is given twice, first as fields[%d]", field.Name, before)}
		}
		first[field.Name] = i
		if i >= shop.MaxFields {
			return fieldError{place, fmt.Errorf("more than %d fields", shop.MaxFields)}
		}
	}
	return nil
}

// checkOverlaps refuses destinations and a notify path that the module would answer
// itself, as something else.
func (h *Handler) checkOverlaps(v values) error {
	own := cmp.Or(h.Path, defaultPath)
	if !v.judgeable(own) {
		return nil
	}
	for _, destination := range []struct{ field, value string }{
		{"success_url", h.SuccessURL},
		{"failure_url", h.FailureURL},
		{"outside_wechat", h.OutsideWeChat},
	} {
		switch {
		case !v.judgeable(destination.value):
		case isBelow(destination.value, own):
			return fieldError{destination.field, fmt.Errorf("%s is below the path %s, which qfpay_jsapi answers itself", destination.value, own)}
		case v.judgeable(h.NotifyPath) && isAt(destination.value, h.NotifyPath):
			return fieldError{destination.field, fmt.Errorf("%s is the notify_path, which only answers the gateway", destination.value)}
		}
	}
	return h.checkNotifyPath(v, own)
}

// checkNotifyPath refuses a path that leads to something else of the module's.
func (h *Handler) checkNotifyPath(v values, own string) error {
	if !v.judgeable(h.NotifyPath) {
		return nil
	}
	for _, step := range checkout.Steps {
		if isBelow(h.NotifyPath, own+"/"+step) {
			return fieldError{"notify_path", fmt.Errorf("%s is used by qfpay_jsapi for something else", h.NotifyPath)}
		}
	}
	for i, item := range h.Items {
		if h.NotifyPath == own+"/"+item.ID {
			return fieldError{"notify_path", fmt.Errorf("%s is the pay link of items[%d]", h.NotifyPath, i)}
		}
	}
	if h.NotifyPath == own {
		return fieldError{"notify_path", fmt.Errorf("%s is the path of the pay links", h.NotifyPath)}
	}
	return nil
}

// checkWebhooks refuses to tell one URL twice. It does not show it: the URL may
// hold a token.
func (h *Handler) checkWebhooks(values) error {
	first := make(map[string]int, len(h.Webhooks))
	for i, hook := range h.Webhooks {
		if before, twice := first[hook.URL]; twice {
			return fieldError{"webhooks[" + strconv.Itoa(i) + "]", fmt.Errorf("webhooks[%d] has the same URL", before)}
		}
		first[hook.URL] = i
	}
	return nil
}

// isBelow reports whether a destination is a path of the site, or below it.
func isBelow(destination, own string) bool {
	path, local := localPath(destination)
	return local && (path == own || strings.HasPrefix(path, own+"/"))
}

func isAt(destination, own string) bool {
	path, local := localPath(destination)
	return local && path == own
}

// localPath is the path of a destination that lies on the site.
func localPath(destination string) (path string, local bool) {
	u, err := url.Parse(destination)
	if err != nil || !strings.HasPrefix(destination, "/") {
		return "", false
	}
	return u.Path, true
}

func checkEnvironment(value string) error {
	if _, named := qfpay.Gateway(value); named {
		return nil
	}
	if strings.Contains(value, "://") {
		return checkURL(value)
	}
	return fmt.Errorf("%q is neither a URL nor one of %s", value, strings.Join(qfpay.Environments(), ", "))
}

func checkCurrency(value string) error {
	if _, ok := qfpay.MinorUnits(value); ok {
		return nil
	}
	return fmt.Errorf("%q is not one of %s", value, strings.Join(qfpay.Currencies(), ", "))
}

var pathSegments = regexp.MustCompile(`^(/[A-Za-z0-9_.~-]+)+$`)

func checkPath(value string) error {
	if !pathSegments.MatchString(value) || path.Clean(value) != value {
		return fmt.Errorf("%q is not a path such as /pay: segments of A-Z a-z 0-9 _ . ~ -, no slash at the end", value)
	}
	return nil
}

func checkURL(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is not an http or https URL", value)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q must not have a user, query or fragment", value)
	}
	return nil
}

func checkNotifyURL(value string) error {
	if value == "off" {
		return nil
	}
	if err := checkURL(value); err != nil {
		return err
	}
	if len(value) > 256 {
		return errors.New("longer than 256 characters")
	}
	if u, _ := url.Parse(value); !checkout.HasStandardPort(u) {
		return fmt.Errorf("%q: the gateway only reaches https on port 443 and http on port 80", value)
	}
	return nil
}

func checkOrigin(value string) error {
	if err := checkURL(value); err != nil {
		return err
	}
	if u, _ := url.Parse(value); u.Path != "" && u.Path != "/" {
		return fmt.Errorf("%q has a path: give only scheme and host", value)
	}
	return nil
}

// checkDestination takes a URL or a path of the site, either with a query.
func checkDestination(value string) error {
	u, err := url.Parse(value)
	absolute := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	local := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(value, "/") && !strings.HasPrefix(value, `/\`)
	if !absolute && !local || u.User != nil {
		return fmt.Errorf("%q is neither an http or https URL nor a path such as /thank-you.html", value)
	}
	return nil
}

// checkResult takes a destination to which order=<id> is added.
func checkResult(value string) error {
	if err := checkDestination(value); err != nil {
		return err
	}
	if u, _ := url.Parse(value); u.Query().Has("order") {
		return fmt.Errorf("%q has a parameter order, which is added to it: leave it out", value)
	}
	return nil
}

func checkOutsideWeChat(value string) error {
	if value == "handoff" || value == "allow" || value == "pass" {
		return nil
	}
	if checkDestination(value) != nil {
		return fmt.Errorf("%q is neither handoff, allow, pass, a URL nor a path", value)
	}
	return nil
}

var shopNames = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$`)

func checkName(value string) error {
	if !shopNames.MatchString(value) {
		return fmt.Errorf("%q is not a shop's name: 1 to 64 of A-Z a-z 0-9 _ . -, without a dot at the beginning", value)
	}
	return nil
}

// checkInvoiceKey does not show the key.
func checkInvoiceKey(value string) error {
	if len(value) > 256 {
		return errors.New("longer than 256 bytes")
	}
	_, err := shop.NewInvoiceKey(value, nil)
	return err
}

// longest bounds a text without showing it: it may be a secret.
func longest(bytes int) func(string) error {
	return func(value string) error {
		if len(value) > bytes {
			return fmt.Errorf("longer than %d bytes", bytes)
		}
		return nil
	}
}

// credential bounds what QFPay issued, without showing it.
func credential(bytes int) func(string) error {
	return func(value string) error {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return errors.New("contains white space or characters that are not ASCII: copy it again, without anything around it")
		}
		if shellVariable.MatchString(value) {
			return errShellVariable
		}
		return longest(bytes)(value)
	}
}

// oneLine bounds what payers read.
func oneLine(bytes int) func(string) error {
	return func(value string) error {
		if !shop.IsLine(value) {
			return errors.New("must be one line of UTF-8 text, without invisible characters")
		}
		return longest(bytes)(value)
	}
}

func oneOf(choices ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(choices, value) {
			return nil
		}
		return fmt.Errorf("%q is not one of %s", value, strings.Join(choices, ", "))
	}
}

// shopIdentity is what blocks with one name must have in common, because it
// concerns the orders that they share.
type shopIdentity struct {
	appCode      string
	gateway      string
	merchantName string
	currency     string
	invoiceKey   string
	keepFields   string
	timeZone     string
	webhooks     string // all of them, in one order
	mail         string
	ledger       string // the key of its handle
}

// identity is that of a block with its placeholders expanded and its ledger loaded.
func (h *Handler) identity() shopIdentity {
	webhooks := make([]string, len(h.Webhooks))
	for i, hook := range h.Webhooks {
		webhooks[i] = hook.URL + "\n" + string(hook.Secret) // neither holds a line break
	}
	slices.Sort(webhooks)
	return shopIdentity{
		appCode:      h.AppCode,
		gateway:      strings.TrimSuffix(h.gatewayURL(), "/"),
		merchantName: h.MerchantName,
		currency:     h.Currency,
		invoiceKey:   string(h.InvoiceKey),
		keepFields:   time.Duration(h.KeepFields).String(),
		timeZone:     h.TimeZone,
		webhooks:     strings.Join(webhooks, "\n"),
		mail:         h.Mail.identity(),
		ledger:       h.ledger.key,
	}
}

// differsFrom names the first setting in which two blocks differ; "" if they are
// one shop.
func (a shopIdentity) differsFrom(b shopIdentity) (setting string) {
	for _, part := range []struct{ setting, a, b string }{
		{"app_code", a.appCode, b.appCode},
		{"environment", a.gateway, b.gateway},
		{"merchant_name", a.merchantName, b.merchantName},
		{"currency", a.currency, b.currency},
		{"invoice_key", a.invoiceKey, b.invoiceKey},
		{"keep_fields", a.keepFields, b.keepFields},
		{"time_zone", a.timeZone, b.timeZone},
		{"webhook", a.webhooks, b.webhooks},
		{"mail", a.mail, b.mail},
		{"ledger", a.ledger, b.ledger},
	} {
		if part.a != part.b {
			return part.setting
		}
	}
	return ""
}

// mustAgree says what to do about a block whose name is that of another shop. It
// shows no values: some are secrets.
func (h *Handler) mustAgree(first shopIdentity) error {
	setting := h.identity().differsFrom(first)
	if setting == "" {
		return nil
	}
	return fieldError{"name", fmt.Errorf("another block of the shop %s has another %s: blocks with one name are one shop; "+
		"give both the same %s, or give this block a name of its own", h.Name, setting, setting)}
}

// mustAgreeOnStock refuses an item that has stock in one block of a shop and not in
// another, which would sell what the first one keeps.
func (h *Handler) mustAgreeOnStock(others []*Handler) error {
	mine := h.shop.Catalog.Catalogue(h.now())
	for _, other := range others {
		theirs := other.shop.Catalog.Catalogue(h.now())
		for _, stocked := range slices.Concat(mine.Stocked(), theirs.Stocked()) {
			a, sold := mine.Offer(stocked.Item)
			b, soldThere := theirs.Offer(stocked.Item)
			if sold && soldThere && a.Stock != b.Stock {
				return fieldError{"items", fmt.Errorf("item %q has stock in one block of the shop %s and not in another: set stock in both", stocked.Item, h.Name)}
			}
		}
	}
	return nil
}

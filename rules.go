package qfpayjsapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
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
	if err := h.checkRequired(); err != nil {
		return err
	}
	for _, rule := range []struct {
		field string
		value string
		judge func(string) error
	}{
		{"environment", h.Environment, checkEnvironment},
		{"app_code", h.AppCode, credential(64)},
		{"client_key", h.ClientKey, credential(256)},
		{"mchid", h.MchID, credential(16)},
		{"sign_type", h.SignType, oneOf("md5", "sha256")},
		{"pay_page", h.PayPage, checkURL},
		{"limit_pay", h.LimitPay, longest(64)},
		{"merchant_name", h.MerchantName, oneLine(128)},
		{"currency", h.Currency, checkCurrency},
		{"invoice_key", h.InvoiceKey, checkInvoiceKey},
		{"path", h.Path, checkPath},
		{"notify_path", h.NotifyPath, checkPath},
		{"notify_url", h.NotifyURL, checkNotifyURL},
		{"public_url", h.PublicURL, checkOrigin},
		{"success_url", h.SuccessURL, checkDestination},
		{"failure_url", h.FailureURL, checkDestination},
		{"outside_wechat", h.OutsideWeChat, checkOutsideWeChat},
		{"errors", h.Errors, oneOf("page", "pass")},
		{"real_name", h.RealName, oneOf("off", "optional", "required")},
		{"name", h.Name, checkName},
	} {
		if !v.judgeable(rule.value) {
			continue
		}
		if err := rule.judge(rule.value); err != nil {
			return fieldError{rule.field, err}
		}
	}
	for _, rule := range []func(values) error{h.checkMethod, h.checkDurations, h.checkParams, h.checkItems, h.checkOpenAmount, h.checkFields, h.checkOverlaps, h.checkWebhooks} {
		if err := rule(v); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) checkRequired() error {
	for _, required := range []struct{ field, value string }{
		{"app_code", h.AppCode},
		{"client_key", h.ClientKey},
		{"merchant_name", h.MerchantName},
		{"currency", h.Currency},
	} {
		if required.value == "" {
			return fieldError{required.field, errors.New("required, but missing")}
		}
	}
	if len(h.Items) == 0 && h.Catalog == "" && h.OpenAmount == nil && h.InvoiceKey == "" {
		return fieldError{"items", errors.New("nothing is sold: add an item, or a catalog with items, open_amount or invoice_key")}
	}
	return nil
}

// checkMethod judges what makes the integration another than QFPay's own
// official account.
func (h *Handler) checkMethod(v values) error {
	own := h.OfficialAccount
	if own == nil {
		return nil
	}
	if h.Hosted {
		return fieldError{"hosted", errors.New("official_account is given too: choose one of the two")}
	}
	for _, rule := range []struct {
		field, value string
		required     bool
		judge        func(string) error
	}{
		{"app_id", own.AppID, true, wechat.CheckAppID},
		{"app_secret", own.AppSecret, true, wechat.CheckAppSecret},
		{"authorize_url", own.AuthorizeURL, false, wechat.CheckURL},
		{"token_url", own.TokenURL, false, wechat.CheckURL},
	} {
		field := "official_account." + rule.field
		if rule.required && rule.value == "" {
			return fieldError{field, errors.New("required, but missing")}
		}
		if !v.judgeable(rule.value) {
			continue
		}
		if err := rule.judge(rule.value); err != nil {
			return fieldError{field, err}
		}
	}
	return nil
}

func (h *Handler) checkDurations(values) error {
	for _, rule := range []struct {
		field       string
		value       caddy.Duration
		least, most time.Duration
	}{
		{"timeout", h.Timeout, time.Second, time.Minute},
		{"order_ttl", h.OrderTTL, time.Minute, 2 * time.Hour},
	} {
		value := time.Duration(rule.value)
		if value != 0 && (value < rule.least || value > rule.most) {
			return fieldError{rule.field, fmt.Errorf("%s is out of range %s to %s", value, rule.least, rule.most)}
		}
	}
	return nil
}

// ownParams are the parameters of a payment that the module sets itself.
var ownParams = []string{
	"txamt", "txcurrcd", "pay_type", "out_trade_no", "txdtm", "sub_openid", "goods_name",
	"mchid", "notify_url", "limit_pay", "extend_info", "app_code", "sign", "return_url",
}

var paramName = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)

func (h *Handler) checkParams(v values) error {
	for name, value := range h.Params {
		field := "params." + name
		switch {
		case !paramName.MatchString(name):
			return fieldError{field, errors.New("a parameter's name is 1 to 64 of A-Z a-z 0-9 _")}
		case slices.Contains(ownParams, name):
			return fieldError{field, errors.New("this parameter is set by the module itself")}
		case value == "":
			return fieldError{field, errors.New("empty parameters are not sent: give it a value or remove it")}
		case v.judgeable(value) && len(value) > 512:
			return fieldError{field, errors.New("longer than 512 bytes")}
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
			return fieldError{field, fmt.Errorf("item %q is there already, as items[%d]", item.ID, before)}
		}
		first[item.ID] = i
		itemCurrency := currency
		if v == written && strings.Contains(item.ID+string(item.Price)+item.Name, "{") {
			continue
		}
		if part, err := item.Check(itemCurrency); err != nil {
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
		return fieldError{"open_amount", errors.New("needs the least and the most that may be paid")}
	}
	if !v.judgeable(least+most) || !v.judgeable(h.Currency) {
		return nil
	}
	if _, err := checkout.ParseBounds(least, most, h.Currency); err != nil {
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
			return fieldError{place, fmt.Errorf("field %q is there already, as fields[%d]", field.Name, before)}
		}
		first[field.Name] = i
		if i >= checkout.MaxFields {
			return fieldError{place, fmt.Errorf("more than %d fields", checkout.MaxFields)}
		}
	}
	return nil
}

// checkOverlaps refuses destinations below the module's own path: it would
// answer them itself.
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
			return fieldError{destination.field, fmt.Errorf("%s lies under the path %s, which the module answers itself", destination.value, own)}
		case v.judgeable(h.NotifyPath) && isAt(destination.value, h.NotifyPath):
			return fieldError{destination.field, fmt.Errorf("%s is the notify_path, which answers the gateway alone", destination.value)}
		}
	}
	if stations := []string{"/callback", "/return", "/status"}; v.judgeable(h.NotifyPath) {
		for _, station := range stations {
			if isBelow(h.NotifyPath, own+station) {
				return fieldError{"notify_path", fmt.Errorf("%s is one of the module's other paths", h.NotifyPath)}
			}
		}
		for i, item := range h.Items {
			if h.NotifyPath == own+"/"+item.ID {
				return fieldError{"notify_path", fmt.Errorf("%s is the pay link of items[%d]", h.NotifyPath, i)}
			}
		}
		if h.NotifyPath == own {
			return fieldError{"notify_path", fmt.Errorf("%s is the path of the pay links itself", h.NotifyPath)}
		}
	}
	return nil
}

func (h *Handler) checkWebhooks(v values) error {
	for i, hook := range h.Webhooks {
		field := "webhooks[" + strconv.Itoa(i) + "]"
		if v == expanded || v.judgeable(hook.URL) {
			if err := webhook.CheckURL(hook.URL); err != nil {
				return fieldError{field + ".url", err}
			}
		}
		if v == expanded || v.judgeable(hook.Secret) {
			if err := webhook.CheckSecret(hook.Secret); err != nil {
				return fieldError{field + ".secret", err}
			}
		}
		for before, other := range h.Webhooks[:i] {
			if other.URL == hook.URL {
				return fieldError{field, fmt.Errorf("webhooks[%d] tells the same URL already", before)} // which may hold a token
			}
		}
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
		return fmt.Errorf("%q is no path such as /pay: segments of A-Z a-z 0-9 _ . ~ -, no slash at the end", value)
	}
	return nil
}

func checkURL(value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is no http or https URL", value)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q must have no user, query or fragment", value)
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
	if u, _ := url.Parse(value); !standardPort(u) {
		return fmt.Errorf("%q: the gateway reaches only port 443 of https and port 80 of http", value)
	}
	return nil
}

func checkOrigin(value string) error {
	if err := checkURL(value); err != nil {
		return err
	}
	if u, _ := url.Parse(value); u.Path != "" && u.Path != "/" {
		return fmt.Errorf("%q has a path: give scheme and host only", value)
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

func checkOutsideWeChat(value string) error {
	if value == "handoff" || value == "allow" || value == "pass" {
		return nil
	}
	if checkDestination(value) != nil {
		return fmt.Errorf("%q is neither handoff, allow, pass, a URL nor a path", value)
	}
	return nil
}

func checkName(value string) error {
	if !ledger.ValidName(value) {
		return fmt.Errorf("%q is no ledger name: 1 to 64 of A-Z a-z 0-9 _ . - without a dot in front", value)
	}
	return nil
}

// checkInvoiceKey does not show the key.
func checkInvoiceKey(value string) error {
	if len(value) > 256 {
		return errors.New("longer than 256 bytes")
	}
	_, err := checkout.NewInvoiceKey(value, nil)
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
			return errors.New("holds white space or characters that are not ASCII: copy it again, without what stands around it")
		}
		return longest(bytes)(value)
	}
}

// oneLine bounds what payers read.
func oneLine(bytes int) func(string) error {
	return func(value string) error {
		if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
			return errors.New("must be one line of UTF-8 text")
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

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

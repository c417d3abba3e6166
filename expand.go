package qfpayjsapi

import (
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
)

// expand replaces placeholders in all strings of the configuration. One that
// is unset or empty is an error that names its field.
func (h *Handler) expand() error {
	replacer := caddy.NewReplacer()
	replace := func(field string, value *string) error {
		text, err := replacer.ReplaceOrErr(*value, true, true)
		if err != nil {
			return fieldError{field, err}
		}
		*value = text
		return nil
	}
	for field, value := range h.texts() {
		if err := replace(field, value); err != nil {
			return err
		}
	}
	for name, value := range h.Params {
		if err := replace("params."+name, &value); err != nil {
			return err
		}
		h.Params[name] = value
	}
	return nil
}

// texts yields every single string of the configuration with its field's name.
func (h *Handler) texts() func(yield func(string, *string) bool) {
	return func(yield func(string, *string) bool) {
		for _, text := range []struct {
			field string
			value *string
		}{
			{"environment", &h.Environment},
			{"app_code", &h.AppCode},
			{"client_key", &h.ClientKey},
			{"mchid", &h.MchID},
			{"sign_type", &h.SignType},
			{"pay_page", &h.PayPage},
			{"limit_pay", &h.LimitPay},
			{"real_name", &h.RealName},
			{"merchant_name", &h.MerchantName},
			{"currency", &h.Currency},
			{"catalog", &h.Catalog},
			{"invoice_key", &h.InvoiceKey},
			{"path", &h.Path},
			{"notify_path", &h.NotifyPath},
			{"notify_url", &h.NotifyURL},
			{"public_url", &h.PublicURL},
			{"success_url", &h.SuccessURL},
			{"failure_url", &h.FailureURL},
			{"outside_wechat", &h.OutsideWeChat},
			{"errors", &h.Errors},
			{"templates", &h.Templates},
			{"name", &h.Name},
		} {
			if !yield(text.field, text.value) {
				return
			}
		}
		for i := range h.Items {
			item, field := &h.Items[i], "items["+strconv.Itoa(i)+"]."
			if !yield(field+"id", &item.ID) || !yield(field+"price", (*string)(&item.Price)) || !yield(field+"name", &item.Name) {
				return
			}
		}
		if own := h.OfficialAccount; own != nil {
			for _, text := range []struct {
				field string
				value *string
			}{{"app_id", &own.AppID}, {"app_secret", &own.AppSecret}, {"authorize_url", &own.AuthorizeURL}, {"token_url", &own.TokenURL}} {
				if !yield("official_account."+text.field, text.value) {
					return
				}
			}
		}
		if amount := h.OpenAmount; amount != nil {
			if !yield("open_amount.min", (*string)(&amount.Min)) || !yield("open_amount.max", (*string)(&amount.Max)) {
				return
			}
		}
		for i := range h.Webhooks {
			hook, field := &h.Webhooks[i], "webhooks["+strconv.Itoa(i)+"]."
			if !yield(field+"url", &hook.URL) || !yield(field+"secret", &hook.Secret) {
				return
			}
		}
	}
}

// warnOfLiteralSecrets warns of secrets that stand in the configuration itself.
func (h *Handler) warnOfLiteralSecrets() {
	warn := func(field, value string) {
		if value != "" && !strings.Contains(value, "{") {
			h.logger.Warn("a secret is written out in the configuration, where the admin API and the autosave file show it; use a placeholder such as {env.QFPAY_CLIENT_KEY}",
				zap.String("field", field))
		}
	}
	warn("client_key", h.ClientKey)
	warn("invoice_key", h.InvoiceKey)
	if h.OfficialAccount != nil {
		warn("official_account.app_secret", h.OfficialAccount.AppSecret)
	}
	for i, hook := range h.Webhooks {
		warn("webhooks["+strconv.Itoa(i)+"].secret", hook.Secret)
	}
}

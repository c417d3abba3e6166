package qfpayjsapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/mail"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

// Mail is what the shop tells people by mail: the owner of payments and of what needs
// a person, payers of what they paid and that it was sent.
type Mail struct {
	// The server: `smtp://user:password@host`, by default with port 587, where
	// nothing is sent without STARTTLS, or `smtps://` with port 465. A server on this
	// machine is reached without TLS unless `?tls=starttls` follows; `?tls=none` leaves
	// it out elsewhere, and goes with no password. Required. Write a placeholder in
	// the place of the password, or of the whole URL.
	URL redact.Secret `json:"url,omitempty"`

	// Who sends, such as `shop@example.com`. Required.
	From string `json:"from,omitempty"`

	// The owner: 1 to 10 addresses that are told of paid orders, disputes, orphans,
	// refunds that are stuck, comparisons that differ, and of webhooks and receipts
	// that were given up. Required.
	To []string `json:"to,omitempty"`

	// The field, one of the shop's own, in which payers give an address for a receipt.
	// Default: payers get none.
	Receipt string `json:"receipt,omitempty"`

	// The owner's language, by the tag of one that the pages are written in, such as
	// `zh-Hant`. Payers are written to in theirs. Default: `en`.
	Language string `json:"language,omitempty"`

	// Where the owner's page is, the `qfpay_orders` directive, for links in mails to
	// the owner. Default: these have no links.
	OrdersURL string `json:"orders_url,omitempty"`
}

// parts are the strings of the setting.
func (m *Mail) parts() []part {
	if m == nil {
		return nil
	}
	parts := []part{
		{field: "mail.url", value: (*string)(&m.URL), rule: mail.CheckURL, required: true},
		{field: "mail.from", value: &m.From, rule: mail.CheckAddress, required: true},
		{field: "mail.receipt", value: &m.Receipt},
		{field: "mail.language", value: &m.Language, rule: oneOf(mail.Languages()...)},
		{field: "mail.orders_url", value: &m.OrdersURL, rule: checkURL},
	}
	for i := range m.To {
		parts = append(parts, part{field: "mail.to[" + strconv.Itoa(i) + "]", value: &m.To[i], rule: mail.CheckAddress, required: true})
	}
	return parts
}

// checkMail judges what concerns more than one string.
func (h *Handler) checkMail(v values) error {
	if h.Mail == nil {
		return nil
	}
	if n := len(h.Mail.To); n == 0 || n > mail.MaxTo {
		return fieldError{"mail.to", fmt.Errorf("needs 1 to %d addresses of the owner", mail.MaxTo)}
	}
	for i, address := range h.Mail.To {
		if slices.ContainsFunc(h.Mail.To[:i], func(other string) bool { return strings.EqualFold(other, address) }) {
			return fieldError{"mail.to[" + strconv.Itoa(i) + "]", errors.New("the same address is given twice")}
		}
	}
	isAsked := slices.ContainsFunc(h.Fields, func(field shop.Field) bool { return field.Name == h.Mail.Receipt })
	if v.judgeable(h.Mail.Receipt) && !isAsked {
		return fieldError{"mail.receipt", fmt.Errorf("the shop does not ask for %q: add the line field %s", h.Mail.Receipt, h.Mail.Receipt)}
	}
	return nil
}

// fieldRules has payers correct an address to which no receipt can be sent.
func (m *Mail) fieldRules() map[string]func(string) error {
	if m == nil || m.Receipt == "" {
		return nil
	}
	return map[string]func(string) error{m.Receipt: mail.CheckPayer}
}

// identity is what blocks of one shop must have in common.
func (m *Mail) identity() string {
	if m == nil {
		return ""
	}
	return strings.Join(append([]string{string(m.URL), m.From, m.Receipt, m.Language, m.OrdersURL}, m.To...), "\n")
}

// openMail reads the shop's own mails, and sets up what sends them. It calls nobody.
func (h *Handler) openMail(caddy.Context) error {
	set := mail.Builtin()
	if h.Templates != "" {
		own, err := mail.ReadSet(h.Templates)
		if err != nil {
			return fieldError{"templates", err}
		}
		set = own
	}
	if h.Mail == nil {
		return nil
	}
	mailer, err := mail.New(mail.Config{
		URL: h.Mail.URL, From: h.Mail.From, To: h.Mail.To, Receipt: h.Mail.Receipt, Merchant: h.MerchantName, Language: h.Mail.Language,
		Zone: h.zone, Set: set, OrderURL: h.Mail.orderURL, ReceiptURL: h.receiptURL,
	})
	if err != nil {
		return fieldError{"mail", err}
	}
	h.mailer = mailer
	return nil
}

// orderURL leads to an order on the owner's page; "" if nobody said where that is.
func (m *Mail) orderURL(order string) string {
	if m.OrdersURL == "" {
		return ""
	}
	return m.OrdersURL + "?" + url.Values{"order": {order}}.Encode()
}

// receiptURL leads to the receipt of an order; "" if the site's address is not known.
func (h *Handler) receiptURL(order string) string {
	if h.PublicURL == "" {
		return ""
	}
	return strings.TrimSuffix(h.PublicURL, "/") + h.Path + "/return/" + order
}

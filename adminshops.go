package qfpayjsapi

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/oklog/ulid/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/doctor"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

// listShops answers with the blocks of the running configuration.
func listShops(app *App, w http.ResponseWriter, _ *http.Request) error {
	blocks := make([]backoffice.Block, len(app.blocks))
	for i, h := range app.blocks {
		blocks[i] = backoffice.Block{
			Name: h.Name, MerchantName: h.MerchantName, Currency: h.Currency,
			Path: h.Path, PublicURL: h.PublicURL, Invoices: h.shop.Invoices != nil,
		}
	}
	return backoffice.WriteJSON(w, http.StatusOK, backoffice.BlocksAnswer{Shops: blocks})
}

// examineShops has the doctor look at all blocks.
func examineShops(app *App, w http.ResponseWriter, r *http.Request) error {
	if err := backoffice.ReadNothing(r); err != nil {
		return err
	}
	shops := make([]doctor.Shop, len(app.blocks))
	for i, h := range app.blocks {
		shops[i] = h.patient()
	}
	return backoffice.WriteJSON(w, http.StatusOK, doctor.Examine(r.Context(), shops, app.logger))
}

// patient is what the doctor looks at.
func (h *Handler) patient() doctor.Shop {
	examined := doctor.Shop{
		Title: cmp.Or(h.MerchantName, h.Name) + " " + h.Path, Name: h.Name, Now: h.now,
		Gateway: h.gatewayURL(), Enquire: h.client.Query,
		PublicURL: strings.TrimSuffix(h.PublicURL, "/"), Hosts: h.hosts, Path: h.Path, NotifyPath: h.NotifyPath,
		NotifyURL: h.checkout.NotificationURL(checkout.Origin(strings.TrimSuffix(h.PublicURL, "/"))), NotifyOff: h.NotifyURL == "off",
		Currency: h.Currency, Catalog: h.shop.Catalog, OtherwisePay: h.OpenAmount != nil || h.InvoiceKey != "",
		Ledger:    h.ledger,
		LostShops: func(ctx context.Context) ([]string, error) { return h.app.lostShops(ctx, h.app.workOf(h.ledger)) },
	}
	if h.wechat != nil {
		examined.AppID, examined.OpenID = h.wechat.AppID(), h.wechat.OpenID
	}
	if h.server != nil && h.inside() != "" {
		examined.Arrive = h.arrive
	}
	if h.mailer != nil {
		examined.Mail = h.mailer
	}
	endpoints, _ := h.endpoints() // the configuration was loaded with them
	for _, endpoint := range endpoints {
		examined.Webhooks = append(examined.Webhooks, endpoint)
	}
	return examined
}

// makeInvoice signs a link that asks for a payment.
func makeInvoice(app *App, w http.ResponseWriter, r *http.Request) error {
	var wanted backoffice.InvoiceRequest
	if err := backoffice.ReadJSON(r, &wanted); err != nil {
		return err
	}
	h, err := app.invoicer(wanted)
	if err != nil {
		return err
	}
	site := strings.TrimSuffix(cmp.Or(wanted.PublicURL, h.PublicURL), "/")
	if err := checkOrigin(site); site == "" || err != nil {
		return backoffice.Deny(http.StatusBadRequest, "the link needs the site's public_url, such as https://shop.example: set it in the block, or send it along")
	}
	token, err := h.sign(wanted)
	if err != nil {
		return backoffice.Deny(http.StatusBadRequest, "%v", err)
	}
	link := site + h.Path + "?" + url.Values{"invoice": {token}}.Encode()
	return backoffice.WriteJSON(w, http.StatusOK, backoffice.InvoiceAnswer{URL: link, Token: token})
}

// invoicer is the block that takes invoices: the first of its shop, whose blocks have
// one key and one currency.
func (a *App) invoicer(wanted backoffice.InvoiceRequest) (found *Handler, err error) {
	for _, h := range a.blocks {
		switch {
		case h.shop.Invoices == nil || wanted.Name != "" && wanted.Name != h.Name || wanted.Path != "" && wanted.Path != h.Path:
		case found == nil:
			found = h
		case found.Name != h.Name:
			return nil, backoffice.Deny(http.StatusConflict, "several shops take invoices: say which with its name")
		}
	}
	if found == nil {
		return nil, backoffice.Deny(http.StatusConflict, "no shop takes invoices, or none of this name and path: set invoice_key in its qfpay_jsapi block")
	}
	return found, nil
}

func (h *Handler) sign(wanted backoffice.InvoiceRequest) (token string, err error) {
	invoice := shop.Invoice{
		ID: cmp.Or(wanted.ID, ulid.Make().String()), Amount: wanted.Amount, Currency: cmp.Or(wanted.Currency, h.Currency),
		Text: wanted.Text, Ref: wanted.Ref, Uses: wanted.Uses,
	}
	if !wanted.Expires.IsZero() {
		invoice.Expires = jwt.NewNumericDate(wanted.Expires)
	}
	if err := invoice.Check(h.Currency); err != nil {
		return "", err
	}
	if invoice.Expires != nil && !h.now().Before(wanted.Expires) {
		return "", backoffice.Deny(http.StatusBadRequest, "expires is in the past")
	}
	return h.shop.Invoices.Sign(invoice)
}

package qfpayjsapi

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/oklog/ulid/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
)

// invoiceOrder is what the owner wants a signed link for.
type invoiceOrder struct {
	ID        string    `json:"id"`       // default: a new ULID
	Amount    int64     `json:"amount"`   // minor units of Currency
	Currency  string    `json:"currency"` // default: the shop's
	Text      string    `json:"text"`
	Ref       string    `json:"ref"`
	Expires   time.Time `json:"expires"`    // RFC 3339; default: never
	Uses      *int      `json:"uses"`       // default 1; 0 without limit
	Name      string    `json:"name"`       // of the ledger, where several shops take invoices
	PublicURL string    `json:"public_url"` // default: that of the configuration
}

// makeInvoice signs a link.
func makeInvoice(app *App, w http.ResponseWriter, r *http.Request) error {
	var wanted invoiceOrder
	if err := readJSON(r, &wanted); err != nil {
		return err
	}
	shop, err := app.invoicer(wanted.Name)
	if err != nil {
		return err
	}
	site := strings.TrimSuffix(cmp.Or(wanted.PublicURL, shop.PublicURL), "/")
	if err := checkOrigin(site); site == "" || err != nil {
		return deny(http.StatusBadRequest, "the link needs the site's public_url, such as https://shop.example: set it in the block, or send it along")
	}
	token, err := shop.sign(wanted)
	if err != nil {
		return deny(http.StatusBadRequest, "%v", err)
	}
	link := site + shop.Path + "?" + url.Values{"invoice": {token}}.Encode()
	return writeJSON(w, http.StatusOK, map[string]string{"url": link, "token": token})
}

// invoicer is the shop that takes invoices.
func (a *App) invoicer(name string) (*Handler, error) {
	var found []*Handler
	for _, shop := range a.shops {
		if shop.shop.Invoices != nil && (name == "" || name == shop.Name) {
			found = append(found, shop)
		}
	}
	switch {
	case len(found) == 0:
		return nil, deny(http.StatusConflict, "no shop takes invoices: set invoice_key in its qfpay_jsapi block")
	case len(found) > 1 && !sameInvoices(found):
		return nil, deny(http.StatusConflict, "several shops take invoices: say which with the name of its ledger")
	default:
		return found[0], nil
	}
}

// sameInvoices reports whether it makes no difference which of the shops signs.
func sameInvoices(shops []*Handler) bool {
	for _, shop := range shops[1:] {
		if shop.InvoiceKey != shops[0].InvoiceKey || shop.Path != shops[0].Path ||
			shop.PublicURL != shops[0].PublicURL || shop.Currency != shops[0].Currency {
			return false
		}
	}
	return true
}

func (h *Handler) sign(wanted invoiceOrder) (token string, err error) {
	invoice := checkout.Invoice{
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
		return "", deny(http.StatusBadRequest, "expires is in the past")
	}
	return h.shop.Invoices.Sign(invoice)
}

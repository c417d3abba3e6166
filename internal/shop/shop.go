// Package shop is what is sold and for how much: items and their catalogue, carts,
// open amounts, invoice links, and the fields that payers fill in. From what a
// request asks for it makes the intent to buy, whose prices come from the shop's
// own configuration alone. It knows nothing of HTTP, cookies, payments and the
// gateway's answers; of the gateway it knows only which amounts and currencies it
// takes.
package shop

import (
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// What can be wrong with what a payer asks for.
var (
	ErrLink          = errors.New("pay link not understood")
	ErrNothingChosen = errors.New("nothing chosen")
	ErrUnknownItem   = errors.New("unknown item")
	ErrQuantity      = errors.New("quantity out of range")
	ErrCart          = errors.New("cart not understood or too long")
	ErrAmount        = errors.New("amount not understood")
	ErrBounds        = errors.New("amount out of range")
	ErrRef           = errors.New("reference too long or not text")
)

// Shop is all that can be bought, and what the payer has to tell.
type Shop struct {
	Merchant   string
	Currency   string
	Catalog    *CatalogFile
	OpenAmount *Bounds     // nil: payers cannot name an amount
	Invoices   *InvoiceKey // nil: no invoice links
	Fields     []Field     // asked of the payer

	// Rules say what is wrong with a value of a field, by the field's name, beside
	// what is wrong with any.
	Rules map[string]func(value string) error
}

// Intend composes the intent to buy what is asked for: one item, or by the
// values an invoice, a cart or an open amount, in this order. Prices come from
// the shop alone; parameters it does not know are ignored.
func (s *Shop) Intend(asked Asked, now time.Time) (ledger.Intent, error) {
	intent, err := s.choose(asked, now)
	if err != nil {
		return ledger.Intent{}, err
	}
	if intent.Invoice == nil {
		intent.Ref = asked.Values.Get("ref")
	}
	if !isText(intent.Ref, MaxRefRunes) {
		return ledger.Intent{}, ErrRef
	}
	intent.At = now.UTC()
	intent.Currency = s.Currency
	intent.Fields, err = s.fields(asked.Form)
	return intent, err
}

func (s *Shop) choose(asked Asked, now time.Time) (ledger.Intent, error) {
	switch {
	case asked.Item != "":
		return s.Catalog.Catalogue(now).one(asked.Item, asked.Values)
	case s.Invoices != nil && asked.Values.Has("invoice"):
		return s.Invoices.intend(asked.Values.Get("invoice"), s.Currency)
	case asked.Values.Has("item"):
		return s.Catalog.Catalogue(now).cart(asked.Values["item"])
	case s.OpenAmount != nil && asked.Values.Has("amount"):
		return s.OpenAmount.intend(asked.Values.Get("amount"), s.Currency, s.Merchant)
	default:
		return ledger.Intent{}, ErrNothingChosen
	}
}

// MaxRefRunes bounds ref, the shop's own reference that travels with an order.
const MaxRefRunes = 64

// isText reports whether s is one line of UTF-8 of at most most characters.
func isText(s string, most int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > most {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

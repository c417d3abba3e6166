package checkout

import (
	"errors"
	"net/url"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// What can be wrong with what a payer asks for.
var (
	ErrNothingChosen = errors.New("nothing chosen")
	ErrUnknownItem   = errors.New("unknown item")
	ErrQuantity      = errors.New("quantity out of range")
	ErrCart          = errors.New("cart not understood or too long")
	ErrAmount        = errors.New("amount out of range")
	ErrRef           = errors.New("reference too long or not text")
)

// Shop is all that can be bought, and what the payer has to tell.
type Shop struct {
	Merchant   string
	Currency   string
	Catalogue  *Catalogue
	OpenAmount *Bounds     // nil: payers cannot name an amount
	Invoices   *InvoiceKey // nil: no invoice links
	Fields     []Field     // asked of the payer
}

// Asked is what a request asks for.
type Asked struct {
	Item   string     // from the path; "" for a cart, an invoice or an amount
	Values url.Values // query and form
	Form   url.Values // the form alone: what must not stand in an address
}

// Intend composes the intent to buy what is asked for: one item, or by the
// values an invoice, a cart or an open amount, in this order. Prices come from
// the shop alone; parameters it does not know are ignored.
func (s *Shop) Intend(asked Asked, now time.Time) (ledger.Intent, error) {
	intent, err := s.choose(asked)
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

func (s *Shop) choose(asked Asked) (ledger.Intent, error) {
	switch {
	case asked.Item != "":
		return s.Catalogue.one(asked.Item, asked.Values)
	case s.Invoices != nil && asked.Values.Has("invoice"):
		return s.Invoices.intend(asked.Values.Get("invoice"), s.Currency)
	case asked.Values.Has("item"):
		return s.Catalogue.cart(asked.Values["item"])
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

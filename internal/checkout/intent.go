package checkout

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// What can be wrong with what a payer asks for.
var (
	ErrUnknownItem = errors.New("unknown item")
	ErrQuantity    = errors.New("quantity out of range")
	ErrRef         = errors.New("reference too long or not text")
)

// MaxRefRunes bounds ref, the shop's own reference that travels with an order.
const MaxRefRunes = 64

// Intend composes the intent to buy item as values ask: quantity (default 1)
// and ref. Prices come from the catalogue alone; every other parameter is
// ignored.
func (c *Catalogue) Intend(item string, values url.Values, now time.Time) (ledger.Intent, error) {
	sold, ok := c.articles[item]
	if !ok {
		return ledger.Intent{}, ErrUnknownItem
	}
	quantity, err := parseQuantity(values, sold.maxQuantity)
	if err != nil {
		return ledger.Intent{}, err
	}
	ref := values.Get("ref")
	if !isRef(ref) {
		return ledger.Intent{}, ErrRef
	}
	return ledger.Intent{
		At:          now.UTC(),
		Lines:       []ledger.Line{{Item: item, Name: sold.name, Quantity: quantity, Price: sold.price}},
		Amount:      sold.price * int64(quantity),
		Currency:    c.currency,
		Description: describe(sold.name, quantity),
		Ref:         ref,
	}, nil
}

func parseQuantity(values url.Values, most int) (int, error) {
	if !values.Has("quantity") {
		return 1, nil
	}
	text := values.Get("quantity")
	quantity, err := strconv.Atoi(text)
	if err != nil || !allDigits(text) || quantity < 1 || quantity > most {
		return 0, ErrQuantity
	}
	return quantity, nil
}

func isRef(ref string) bool {
	if !utf8.ValidString(ref) || utf8.RuneCountInString(ref) > MaxRefRunes {
		return false
	}
	for _, r := range ref {
		if unicode.IsControl(r) {
			return false
		}
	}
	return true
}

func describe(name string, quantity int) string {
	if quantity == 1 {
		return name
	}
	return fmt.Sprintf("%s × %d", name, quantity)
}

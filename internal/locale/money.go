package locale

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// plain matches the amounts that a shop can ask for.
var plain = regexp.MustCompile(`^\d{1,15}(\.\d{1,9})?$`)

// Money writes an amount as people who read the language do, with as many
// decimals as it was given with. What is no known money is shown as it came.
func (l *Locale) Money(decimal, code string) string {
	if decimal == "" {
		return ""
	}
	known, err := currency.NewAmount(decimal, code)
	if err != nil || !plain.MatchString(decimal) {
		return strings.TrimSpace(decimal + " " + code)
	}
	f := currency.NewFormatter(l.currency)
	f.MinDigits = decimals(decimal)
	f.MaxDigits = f.MinDigits
	return f.Format(known)
}

// Number writes a whole number.
func (l *Locale) Number(n int64) string {
	f := currency.NewFormatter(l.currency)
	f.CurrencyDisplay = currency.DisplayNone
	whole, err := currency.NewAmountFromInt64(n, "JPY") // which has no decimals
	if err != nil {
		return strconv.FormatInt(n, 10)
	}
	return f.Format(whole)
}

// decimals counts the digits after the point of a plain amount.
func decimals(s string) uint8 {
	_, after, _ := strings.Cut(s, ".")
	return uint8(len(after))
}

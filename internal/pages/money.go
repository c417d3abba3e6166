package pages

import (
	"regexp"
	"strings"

	"github.com/bojanz/currency"
)

// plain matches the amounts that a shop can ask for.
var plain = regexp.MustCompile(`^\d{1,15}(\.\d{1,9})?$`)

// money writes a as people who read t's language do, with as many decimals as
// it was given with. What is no known money is shown as it came.
func (t *tongue) money(a Amount) string {
	if a.Decimal == "" {
		return ""
	}
	known, err := currency.NewAmount(a.Decimal, a.Currency)
	if err != nil || !plain.MatchString(a.Decimal) {
		return strings.TrimSpace(a.Decimal + " " + a.Currency)
	}
	f := currency.NewFormatter(t.locale)
	f.MinDigits = decimals(a.Decimal)
	f.MaxDigits = f.MinDigits
	return f.Format(known)
}

// decimals counts the digits after the point of a plain amount.
func decimals(s string) uint8 {
	_, after, _ := strings.Cut(s, ".")
	return uint8(len(after))
}

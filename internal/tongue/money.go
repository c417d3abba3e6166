package tongue

import (
	"regexp"
	"strings"

	"github.com/bojanz/currency"
)

// plain matches the amounts that a shop can ask for.
var plain = regexp.MustCompile(`^\d{1,15}(\.\d{1,9})?$`)

// Money writes an amount as people who read the language do, with as many
// decimals as it was given with. What is no known money is shown as it came.
func (t *Tongue) Money(decimal, code string) string {
	if decimal == "" {
		return ""
	}
	known, err := currency.NewAmount(decimal, code)
	if err != nil || !plain.MatchString(decimal) {
		return strings.TrimSpace(decimal + " " + code)
	}
	f := currency.NewFormatter(t.locale)
	f.MinDigits = decimals(decimal)
	f.MaxDigits = f.MinDigits
	return f.Format(known)
}

// decimals counts the digits after the point of a plain amount.
func decimals(s string) uint8 {
	_, after, _ := strings.Cut(s, ".")
	return uint8(len(after))
}

// Package checkout turns what a payer asks for into an order: what is sold and
// for how much, and the sealed ticket with which the payer's browser carries
// the order until the gateway is asked.
package checkout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// MaxAmount is the largest amount of one order in minor units. The gateway
// documents txamt as Int(11), read here as eleven digits.
const MaxAmount = 99_999_999_999

// ParsePrice reads a decimal such as "128.00" as minor units of a currency.
// It takes digits with at most one point and never more decimals than the
// currency has; no sign, no exponent, no thousands separator. Zero and
// amounts over [MaxAmount] are errors.
func ParsePrice(decimal, currency string) (int64, error) {
	digits, ok := qfpay.MinorUnits(currency)
	if !ok {
		return 0, fmt.Errorf("unknown currency %q", currency)
	}
	whole, fraction, pointed := strings.Cut(decimal, ".")
	if !allDigits(whole) || pointed && !allDigits(fraction) {
		return 0, fmt.Errorf("%q is not a decimal number such as 128.00", decimal)
	}
	if len(fraction) > digits {
		return 0, fmt.Errorf("%q has more decimals than %s, which has %d", decimal, currency, digits)
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", digits-len(fraction)), 10, 64)
	if err != nil || minor > MaxAmount {
		return 0, fmt.Errorf("%q is more than the gateway takes, %s", decimal, Decimal(MaxAmount, currency))
	}
	if minor == 0 {
		return 0, errors.New("a price of zero cannot be paid")
	}
	return minor, nil
}

// Decimal writes minor units of a currency as people read them, with exactly
// the decimals that the currency has. The currency must be a known one.
func Decimal(minor int64, currency string) string {
	digits, _ := qfpay.MinorUnits(currency)
	if digits == 0 {
		return strconv.FormatInt(minor, 10)
	}
	text := fmt.Sprintf("%0*d", digits+1, minor)
	return text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// Display writes money as people read it wherever they are: "HKD 12.00".
func Display(minor int64, currency string) string {
	return currency + " " + Decimal(minor, currency)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

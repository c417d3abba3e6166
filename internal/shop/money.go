package shop

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

var (
	errTooMuch = errors.New("more than the gateway accepts")
	errZero    = errors.New("a price of zero cannot be paid")
)

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
		return 0, fmt.Errorf("%q is %w, %s", decimal, errTooMuch, qfpay.Decimal(MaxAmount, currency))
	}
	if minor == 0 {
		return 0, errZero
	}
	return minor, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

package shop

import (
	"errors"
	"fmt"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Bounds are the least and the most that a payer may name as the amount, in
// minor units.
type Bounds struct{ Min, Max int64 }

// ParseBounds reads two decimals.
func ParseBounds(least, most, currency string) (Bounds, error) {
	minimum, err := ParsePrice(least, currency)
	if err != nil {
		return Bounds{}, err
	}
	maximum, err := ParsePrice(most, currency)
	if err != nil {
		return Bounds{}, err
	}
	if minimum > maximum {
		return Bounds{}, fmt.Errorf("the least amount %s is greater than the greatest, %s", least, most)
	}
	return Bounds{minimum, maximum}, nil
}

// intend is the intent to pay an amount that the payer named.
func (b Bounds) intend(amount, currency, merchant string) (ledger.Intent, error) {
	minor, err := ParseAmount(amount, currency)
	switch {
	case errors.Is(err, errZero), errors.Is(err, errTooMuch), err == nil && (minor < b.Min || minor > b.Max):
		return ledger.Intent{}, ErrBounds
	case err != nil:
		return ledger.Intent{}, ErrAmount
	}
	return ledger.Intent{Amount: minor, Description: merchant}, nil
}

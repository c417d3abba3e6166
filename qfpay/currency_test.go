package qfpay

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestThirteenCurrencies(t *testing.T) {
	assert.Equal(t, []string{
		"AED", "AUD", "CAD", "CNY", "EUR", "HKD", "IDR", "JPY", "MMK", "MYR", "SGD", "THB", "USD",
	}, Currencies())
}

func TestOnlyYenHaveNoMinorUnits(t *testing.T) {
	for _, currency := range Currencies() {
		digits, ok := MinorUnits(currency)
		assert.True(t, ok, currency)
		if currency == "JPY" {
			assert.Equal(t, 0, digits)
		} else {
			assert.Equal(t, 2, digits, currency)
		}
	}
}

func TestOtherCurrenciesAreUnknown(t *testing.T) {
	for _, currency := range []string{"", "hkd", "KWD", "HKD "} {
		_, ok := MinorUnits(currency)
		assert.False(t, ok, currency)
	}
}

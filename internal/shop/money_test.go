package shop

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func TestPricesBecomeExactMinorUnits(t *testing.T) {
	for _, test := range []struct {
		decimal, currency string
		minor             int64
	}{
		{"128.00", "HKD", 12800},
		{"128", "HKD", 12800},
		{"128.5", "HKD", 12850},
		{"0.01", "USD", 1},
		{"0.29", "HKD", 29},
		{"1.15", "HKD", 115},
		{"8.8", "CNY", 880},
		{"19.9", "THB", 1990},
		{"007", "HKD", 700},
		{"1280", "JPY", 1280},
		{"999999999.99", "HKD", MaxAmount},
		{"99999999999", "JPY", MaxAmount},
	} {
		minor, err := ParsePrice(test.decimal, test.currency)
		require.NoError(t, err, "%s %s", test.decimal, test.currency)
		assert.Equal(t, test.minor, minor, "%s %s", test.decimal, test.currency)
	}
}

func TestBadPricesAreRefusedWithTheReason(t *testing.T) {
	for _, test := range []struct{ decimal, currency, reason string }{
		{"128.005", "HKD", "more decimals than HKD, which has 2"},
		{"1280.0", "JPY", "more decimals than JPY, which has 0"},
		{"0", "HKD", "zero"},
		{"0.00", "HKD", "zero"},
		{"", "HKD", "not a decimal"},
		{".5", "HKD", "not a decimal"},
		{"5.", "HKD", "not a decimal"},
		{"-1", "HKD", "not a decimal"},
		{"+1", "HKD", "not a decimal"},
		{"1e3", "HKD", "not a decimal"},
		{"1,280.00", "HKD", "not a decimal"},
		{"1.2.3", "HKD", "not a decimal"},
		{" 1", "HKD", "not a decimal"},
		{"１２", "HKD", "not a decimal"},
		{"NaN", "HKD", "not a decimal"},
		{"1000000000.00", "HKD", "more than the gateway accepts, 999999999.99"},
		{strings.Repeat("9", 40), "HKD", "more than the gateway accepts"},
		{"1", "ZZZ", `unknown currency "ZZZ"`},
	} {
		_, err := ParsePrice(test.decimal, test.currency)
		assert.ErrorContains(t, err, test.reason, "%q %s", test.decimal, test.currency)
	}
}

func FuzzPrice(f *testing.F) {
	for _, seed := range []string{"128.00", "0.29", "1e3", "", ".", "-0", "99999999999", "0.0000000000000000001"} {
		f.Add(seed, "HKD")
		f.Add(seed, "JPY")
	}
	f.Fuzz(func(t *testing.T, decimal, currency string) {
		minor, err := ParsePrice(decimal, currency)
		if err != nil {
			return
		}
		_, known := qfpay.MinorUnits(currency)
		require.True(t, known)
		require.Positive(t, minor)
		require.LessOrEqual(t, minor, int64(MaxAmount))
		again, err := ParsePrice(qfpay.Decimal(minor, currency), currency)
		require.NoError(t, err)
		require.Equal(t, minor, again)
	})
}

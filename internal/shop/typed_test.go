package shop

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func TestAnAmountIsReadAsPeopleTypeIt(t *testing.T) {
	for _, test := range []struct {
		typed, currency string
		minor           int64
	}{
		{"12.50", "HKD", 1250},
		{"12,50", "HKD", 1250},
		{"12,5", "HKD", 1250},
		{"12.50 ", "HKD", 1250},
		{"\u00a012.50\t", "HKD", 1250},
		{"1,234.56", "HKD", 123456},
		{"1.234,56", "HKD", 123456},
		{"1 234,56", "HKD", 123456},
		{"1\u202f234,56", "EUR", 123456},
		{"1'234.56", "EUR", 123456},
		{"1’234.56", "EUR", 123456},
		{"1 000", "HKD", 100000},
		{"1,000,000", "HKD", 100000000},
		{"1.000.000", "HKD", 100000000},
		{"1,000,000.5", "HKD", 100000050},
		{"1,000", "JPY", 1000},
		{"1.000", "JPY", 1000},
		{"１２．５０", "HKD", 1250},
		{"１２，５０", "HKD", 1250},
		{"12。50", "HKD", 1250},
		{"HK$12.50", "HKD", 1250},
		{"hkd 12.50", "HKD", 1250},
		{"12.50 HKD", "HKD", 1250},
		{"$12", "HKD", 1200},
		{"＄12", "HKD", 1200},
		{"12元", "HKD", 1200},
		{"￥1,000", "JPY", 1000},
	} {
		minor, err := ParseAmount(test.typed, test.currency)
		assert.NoError(t, err, "%s %s", test.typed, test.currency)
		assert.Equal(t, test.minor, minor, "%s %s", test.typed, test.currency)
	}
}

func TestAnAmountThatMayMeanTwoThingsOrNothingIsRefused(t *testing.T) {
	for typed, currency := range map[string]string{
		"1,000": "HKD", "12,500": "HKD", "1.000": "HKD", "0,500": "JPY", "0.5": "JPY", "1,00": "JPY", "12,50": "JPY", "1,0000": "JPY",
		"1,23,456.00": "HKD", "1,234,56": "HKD", "1.234.56": "HKD", "1,234.567": "HKD", "1,234 567.00": "HKD", "0,123,456": "HKD", "1234,567.00": "HKD",
		"": "HKD", " ": "HKD", ",": "HKD", ".": "HKD", "5.": "HKD", "5,": "HKD", ".5": "HKD", ",50": "HKD", "1,,000.00": "HKD", "1 2": "HKD", "12 50": "HKD",
		"-5": "HKD", "+5": "HKD", "5e1": "HKD", "0x10": "HKD", "NaN": "HKD", "5-10": "HKD", "5 10": "HKD", "0": "HKD", "0,00": "HKD",
		"US$12": "HKD", "12 USD": "HKD", "€12": "HKD", "HK$": "HKD", "HKD": "HKD", "HK$HK$5": "HKD", "HKD 5 HKD": "HKD", "\xff": "HKD", "5\x00": "HKD", "٥": "HKD",
		"99999999999999999999": "HKD", "9,999,999,999,999,999,999": "HKD", "$": "USD", "1": "ZZZ",
	} {
		minor, err := ParseAmount(typed, currency)
		assert.Error(t, err, "%q %s", typed, currency)
		assert.Zero(t, minor, "%q %s", typed, currency)
	}
}

// The page says from what to what an amount may be, in the payer's language.
func TestWhatThePagesShowCanBeTyped(t *testing.T) {
	for _, language := range locale.Payer.Locales {
		for _, currency := range qfpay.Currencies() {
			for _, minor := range []int64{1, 99, 100, 500, 99999, 100000, 123456, 12345678, MaxAmount} {
				shown := language.Money(qfpay.Decimal(minor, currency), currency)
				typed, err := ParseAmount(shown, currency)
				require.NoError(t, err, "%s in %s", shown, language.Tag)
				require.Equal(t, minor, typed, "%s in %s", shown, language.Tag)
			}
		}
	}
}

func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"12,50", "1,000", "1.000,00", "HK$ 5", "１２。5", "1 2", ""} {
		f.Add(seed, "HKD")
		f.Add(seed, "JPY")
	}
	f.Fuzz(func(t *testing.T, typed, currency string) {
		minor, err := ParseAmount(typed, currency)
		if plain, wrong := ParsePrice(typed, currency); wrong == nil {
			require.NoError(t, err, "what configurations may say, payers may type")
			require.Equal(t, plain, minor)
		}
		if err == nil {
			require.Positive(t, minor)
			require.LessOrEqual(t, minor, int64(MaxAmount))
		}
	})
}

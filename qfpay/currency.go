package qfpay

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// minorUnits holds the currencies that QFPay's documentation lists for txcurrcd,
// with their decimal digits in ISO 4217.
var minorUnits = map[string]int{
	"AED": 2,
	"AUD": 2,
	"CAD": 2,
	"CNY": 2,
	"EUR": 2,
	"HKD": 2,
	"IDR": 2,
	"JPY": 0,
	"MMK": 2,
	"MYR": 2,
	"SGD": 2,
	"THB": 2,
	"USD": 2,
}

// MinorUnits returns how many decimal digits amounts of a currency have, and
// whether the gateway takes the currency at all. The code is in capitals.
//
// The digits are those of ISO 4217: none for JPY and two for all the others.
// That includes IDR and MMK, which ISO lists with two although their cents are
// out of use.
func MinorUnits(currency string) (digits int, ok bool) {
	digits, ok = minorUnits[currency]
	return digits, ok
}

// Currencies returns the codes that [MinorUnits] knows, sorted.
func Currencies() []string {
	return slices.Sorted(maps.Keys(minorUnits))
}

// Decimal writes minor units of a currency as people read them, with exactly the
// decimals that the currency has: 12800 HKD is "128.00". Of an unknown currency it
// writes the number as it is.
func Decimal(minor int64, currency string) string {
	digits, _ := MinorUnits(currency)
	if digits == 0 {
		return strconv.FormatInt(minor, 10)
	}
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	text := fmt.Sprintf("%0*d", digits+1, minor)
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// Display writes money as people read it wherever they are: "HKD 128.00".
func Display(minor int64, currency string) string { return currency + " " + Decimal(minor, currency) }

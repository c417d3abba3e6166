package shop

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// ParseAmount reads an amount as people type it, as minor units of a currency: all
// that [ParsePrice] reads, a comma as decimal point, thousands parted by commas,
// points, spaces or apostrophes, the currency before or behind it, and the letters of
// a Chinese keyboard. What can mean two amounts is an error: 1,000 in a currency with
// decimals.
func ParseAmount(typed, currency string) (int64, error) {
	plain, ok := plainDecimal(typed, currency)
	if !ok {
		return 0, fmt.Errorf("%q is ambiguous: write the amount as 1250.00", typed)
	}
	return ParsePrice(plain, currency)
}

// plainDecimal is what was typed as [ParsePrice] takes it. It reports false where it
// can mean two things, or nothing.
func plainDecimal(typed, currency string) (plain string, ok bool) {
	typed = withoutCurrency(strings.TrimFunc(strings.Map(narrow, typed), unicode.IsSpace), currency)
	digits, _ := qfpay.MinorUnits(currency)
	at := strings.LastIndexAny(typed, ".,")
	if at < 0 || digits == 0 {
		return ungrouped(typed)
	}
	whole, mark, fraction := typed[:at], typed[at:at+1], typed[at+1:]
	switch {
	case strings.Contains(whole, mark): // it parts thousands, if anything
		return ungrouped(typed)
	case len(fraction) > digits && mark == ",":
		return "", false
	}
	whole, ok = ungrouped(whole)
	return whole + "." + fraction, ok
}

// groupMarks part thousands.
const groupMarks = ",.' ’"

// ungrouped is a whole number without what parts its thousands: one mark, always the
// same, before each three digits.
func ungrouped(number string) (plain string, ok bool) {
	at := strings.IndexAny(number, groupMarks)
	if at < 0 {
		return number, true // which may be no number: ParsePrice says so
	}
	mark := string([]rune(number[at:])[:1])
	groups := strings.Split(number, mark)
	if len(groups[0]) > 3 || strings.HasPrefix(number, "0") {
		return "", false
	}
	for i, group := range groups {
		if !allDigits(group) || i > 0 && len(group) != 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

// narrow turns what a Chinese keyboard types into its plain form, and every space
// into the plain one.
func narrow(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '。':
		return '.'
	case unicode.IsSpace(r):
		return ' '
	default:
		return r
	}
}

// symbols of the currencies, beside their codes, as the plugin's pages write them and
// as people in their countries do.
var symbols = map[string][]string{
	"AUD": {"A$", "AU$", "$", "澳元"},
	"CAD": {"CA$", "C$", "$", "加元"},
	"CNY": {"CN¥", "¥", "￥", "RMB", "元", "人民币", "人民幣"},
	"EUR": {"€", "欧元", "歐元"},
	"HKD": {"HK$", "$", "元", "港元", "港币", "港幣"},
	"IDR": {"Rp"},
	"JPY": {"JP¥", "¥", "￥", "円", "日元", "日圓"},
	"MMK": {"K"},
	"MYR": {"RM"},
	"SGD": {"S$", "$", "新元", "新币", "新幣"},
	"THB": {"฿", "泰铢", "泰銖"},
	"USD": {"US$", "$", "美元"},
}

// withoutCurrency takes the currency away that stands before or behind an amount. The
// symbol of another one stays, and makes the text no number.
func withoutCurrency(typed, currency string) string {
	for _, symbol := range slices.Concat([]string{currency}, symbols[currency]) {
		symbol = strings.Map(narrow, symbol)
		if len(typed) > len(symbol) && strings.EqualFold(typed[:len(symbol)], symbol) {
			return strings.TrimLeft(typed[len(symbol):], " ")
		}
		if rest := len(typed) - len(symbol); rest > 0 && strings.EqualFold(typed[rest:], symbol) {
			return strings.TrimRight(typed[:rest], " ")
		}
	}
	return typed
}

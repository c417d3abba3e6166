package qfpay

import (
	"maps"
	"slices"
)

// gateways holds the base URL of every named environment. The Hong Kong hosts
// and the sandbox are in QFPay's documentation; the other regions and the
// mainland have been seen in public client code.
var gateways = map[string]string{
	"production": "https://openapi-hk.qfapi.com",
	"testing":    "https://test-openapi-hk.qfapi.com",
	"sandbox":    "https://openapi-int.qfapi.com",
	"mainland":   "https://openapi.qfpay.com",

	"hk":  "https://openapi-hk.qfapi.com",
	"jp":  "https://openapi-jp.qfapi.com",
	"th":  "https://openapi-th.qfapi.com",
	"sg":  "https://openapi-sg.qfapi.com",
	"id":  "https://openapi-id.qfapi.com",
	"db":  "https://openapi-db.qfapi.com",
	"eur": "https://openapi-eur.qfapi.com",

	"testing-hk":  "https://test-openapi-hk.qfapi.com",
	"testing-th":  "https://test-openapi-th.qfapi.com",
	"testing-sg":  "https://test-openapi-sg.qfapi.com",
	"testing-id":  "https://test-openapi-id.qfapi.com",
	"testing-db":  "https://test-openapi-db.qfapi.com",
	"testing-eur": "https://test-openapi-eur.qfapi.com",
}

// Gateway returns the base URL of a named environment, without a trailing
// slash, and whether the name is known. The names are those of [Environments]:
//
//   - production (the same as hk) and testing (the same as testing-hk), which
//     is live testing with real money;
//   - sandbox, which QFPay's documentation offers for cards only;
//   - the regions hk, jp, th, sg, id, db and eur;
//   - testing- before any of these regions but jp, which has none;
//   - mainland, for mainland China.
func Gateway(environment string) (baseURL string, ok bool) {
	baseURL, ok = gateways[environment]
	return baseURL, ok
}

// Environments returns the names that [Gateway] knows, sorted.
func Environments() []string {
	return slices.Sorted(maps.Keys(gateways))
}

// PayPage returns the address of the page that runs WeChat's JSAPI for payments
// made in the given environment. Thailand has its own, as seen in public client
// code; every other name, known or not, gets the one in QFPay's documentation.
func PayPage(environment string) string {
	switch environment {
	case "th", "testing-th":
		return "https://o2-th.qfapi.com/q/direct"
	default:
		return "https://o2-hk.qfapi.com/q/direct"
	}
}

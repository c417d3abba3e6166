package qfpay

import (
	"maps"
	"slices"
)

// gateways holds the base URL of every named environment, as in QFPay's
// documentation; that of Cambodia was seen in public client code alone, and no
// test host of Cambodia or Japan anywhere.
var gateways = map[string]string{
	"production": "https://openapi-hk.qfapi.com",
	"testing":    "https://test-openapi-hk.qfapi.com",
	"sandbox":    "https://openapi-int.qfapi.com",

	"mainland":         "https://openapi.qfpay.com",
	"mainland-testing": "https://openapi-test.qfpay.com",

	"hk":  "https://openapi-hk.qfapi.com",
	"jp":  "https://openapi-jp.qfapi.com",
	"th":  "https://openapi-th.qfapi.com",
	"sg":  "https://openapi-sg.qfapi.com",
	"id":  "https://openapi-id.qfapi.com",
	"db":  "https://openapi-db.qfapi.com",
	"eur": "https://openapi-eur.qfapi.com",
	"kh":  "https://openapi-kh.qfapi.com",

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
//   - the regions hk, jp, th, sg, id, db, eur and kh;
//   - testing- before any of these regions but jp and kh, which have none;
//   - mainland and mainland-testing, for mainland China.
//
// An account belongs to one of them: those of Singapore, Malaysia, Canada and the
// Philippines to sg.
func Gateway(environment string) (baseURL string, ok bool) {
	baseURL, ok = gateways[environment]
	return baseURL, ok
}

// Environments returns the names that [Gateway] knows, sorted.
func Environments() []string {
	return slices.Sorted(maps.Keys(gateways))
}

// PayPage returns the address of the page that runs WeChat's JSAPI for payments
// made in the given environment. Mainland China has its own in QFPay's
// documentation, and Thailand as seen in public client code; every other name,
// known or not, gets that of Hong Kong. WeChat checks the page's domain, so that
// nobody can pay on the wrong one.
func PayPage(environment string) string {
	switch environment {
	case "th", "testing-th":
		return "https://o2-th.qfapi.com/q/direct"
	case "mainland", "mainland-testing":
		return "https://o2.qfpay.com/q/direct"
	default:
		return "https://o2-hk.qfapi.com/q/direct"
	}
}

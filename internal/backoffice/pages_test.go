package backoffice

import (
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"
)

func testPages(o *Office) *Pages {
	return &Pages{
		Office: o, Seal: func(shop string) Seal { return testSeal(shop) }, Log: zap.NewNop(),
		ParseAmount: func(decimal, _ string) (int64, error) {
			return strconv.ParseInt(strings.Replace(decimal, ".", "", 1), 10, 64)
		},
		User:   func(*http.Request) string { return "owner" },
		Cookie: func(*http.Request) (string, bool) { return "qfpay_orders", false },
	}
}

// testSeal makes marks that can be told apart.
type testSeal string

func (s testSeal) Form(parts ...string) string {
	return string(s) + "|" + strings.Join(parts, "|")
}

func (s testSeal) IsForm(token string, parts ...string) bool { return token == s.Form(parts...) }

package qfpay

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNamedEnvironmentsHaveAddresses(t *testing.T) {
	for name, want := range map[string]string{
		"production":  "https://openapi-hk.qfapi.com",
		"testing":     "https://test-openapi-hk.qfapi.com",
		"sandbox":     "https://openapi-int.qfapi.com",
		"mainland":    "https://openapi.qfpay.com",
		"hk":          "https://openapi-hk.qfapi.com",
		"jp":          "https://openapi-jp.qfapi.com",
		"th":          "https://openapi-th.qfapi.com",
		"sg":          "https://openapi-sg.qfapi.com",
		"id":          "https://openapi-id.qfapi.com",
		"db":          "https://openapi-db.qfapi.com",
		"eur":         "https://openapi-eur.qfapi.com",
		"testing-hk":  "https://test-openapi-hk.qfapi.com",
		"testing-th":  "https://test-openapi-th.qfapi.com",
		"testing-eur": "https://test-openapi-eur.qfapi.com",
		"kh":          "https://openapi-kh.qfapi.com",

		"mainland-testing": "https://openapi-test.qfpay.com",
	} {
		got, ok := Gateway(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, got, name)
	}
}

func TestOtherEnvironmentsAreUnknown(t *testing.T) {
	for _, name := range []string{"", "prod", "HK", "testing-jp", "testing-kh", "testing-mainland"} {
		got, ok := Gateway(name)
		assert.False(t, ok, name)
		assert.Empty(t, got, name)
	}
}

func TestEnvironmentsAreSortedAndUsable(t *testing.T) {
	names := Environments()
	assert.True(t, slices.IsSorted(names))
	assert.Len(t, names, 19)
	for _, name := range names {
		base, _ := Gateway(name)
		_, err := NewClient(Config{Gateway: base, AppCode: "APPCODE", ClientKey: "TESTKEY"})
		assert.NoError(t, err, name)
	}
}

func TestSomeEnvironmentsHaveAPayPageOfTheirOwn(t *testing.T) {
	for want, names := range map[string][]string{
		"https://o2-th.qfapi.com/q/direct": {"th", "testing-th"},
		"https://o2.qfpay.com/q/direct":    {"mainland", "mainland-testing"},
		"https://o2-hk.qfapi.com/q/direct": {"production", "testing", "jp", "https://gateway.example.com"},
	} {
		for _, name := range names {
			assert.Equal(t, want, PayPage(name), name)
		}
	}
}

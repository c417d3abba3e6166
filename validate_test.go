package qfpayjsapi

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// someBlock is a block as it is when it is provisioned.
func someBlock() *Handler {
	return &Handler{
		AppCode: "TESTAPPCODE", ClientKey: "TESTKEY", MerchantName: "Harbour Pets", Currency: "HKD", Name: "shop",
		InvoiceKey: "sentinel-of-the-invoice-key",
		Webhooks:   []Webhook{{"https://a.example", "whsec_sentinel-a"}, {"https://b.example", "whsec_sentinel-b"}},
		Mail:       &Mail{URL: "smtp://shop:sentinel-c@mail.example", From: "sentinel-d@shop.example", To: []string{"sentinel-e@shop.example"}},
		ledger:     &ledgerHandle{key: "one"},
	}
}

func TestBlocksWithOneNameAreOneShop(t *testing.T) {
	first := someBlock()
	for name, change := range map[string]func(*Handler){
		"as it is":                          func(*Handler) {},
		"another path":                      func(h *Handler) { h.Path = "/give" },
		"other items":                       func(h *Handler) { h.OpenAmount = &OpenAmount{Min: "1", Max: "5"} },
		"a merchant id":                     func(h *Handler) { h.MchID = "M1" },
		"other times":                       func(h *Handler) { h.OrderTTL, h.Timeout = 2, 1 },
		"the same gateway by another name":  func(h *Handler) { h.Environment = "hk" },
		"the same webhooks the other way":   func(h *Handler) { h.Webhooks[0], h.Webhooks[1] = h.Webhooks[1], h.Webhooks[0] },
		"another address for notifications": func(h *Handler) { h.NotifyPath = "/told" },
	} {
		second := someBlock()
		change(second)
		assert.NoError(t, second.mustAgree(first.identity()), name)
	}
}

func TestBlocksThatDifferInWhatConcernsOrdersNeedNames(t *testing.T) {
	first := someBlock()
	for setting, change := range map[string]func(*Handler){
		"app_code":      func(h *Handler) { h.AppCode = "OTHERCODE" },
		"environment":   func(h *Handler) { h.Environment = "testing" },
		"merchant_name": func(h *Handler) { h.MerchantName = "Peak Pets" },
		"currency":      func(h *Handler) { h.Currency = "USD" },
		"invoice_key":   func(h *Handler) { h.InvoiceKey = "" },
		"keep_fields":   func(h *Handler) { h.KeepFields = Duration(time.Hour) },
		"time_zone":     func(h *Handler) { h.TimeZone = "Europe/Berlin" },
		"webhook":       func(h *Handler) { h.Webhooks = h.Webhooks[:1] },
		"mail":          func(h *Handler) { h.Mail = nil },
		"ledger":        func(h *Handler) { h.ledger = &ledgerHandle{key: "two"} },
	} {
		second := someBlock()
		change(second)
		assert.Equal(t, setting, second.identity().differsFrom(first.identity()))
		err := second.mustAgree(first.identity())
		require.ErrorContains(t, err, "qfpay_jsapi: name: another block of the shop shop has another "+setting)
		assert.NotContains(t, err.Error(), "sentinel")
	}
}

func TestWebhooksWithTheSameURLAndAnotherSecretDiffer(t *testing.T) {
	first, second := someBlock(), someBlock()
	second.Webhooks[0].Secret = "whsec_another"
	assert.Equal(t, "webhook", second.identity().differsFrom(first.identity()))
}

func TestAnyDifferenceOfMailIsOne(t *testing.T) {
	for name, change := range map[string]func(*Mail){
		"url":        func(m *Mail) { m.URL = "smtp://other.example" },
		"from":       func(m *Mail) { m.From = "other@shop.example" },
		"to":         func(m *Mail) { m.To = append(m.To, "other@shop.example") },
		"receipt":    func(m *Mail) { m.Receipt = "email" },
		"language":   func(m *Mail) { m.Language = "zh-Hant" },
		"orders_url": func(m *Mail) { m.OrdersURL = "https://shop.example/orders" },
	} {
		first, second := someBlock(), someBlock()
		change(second.Mail)
		assert.Equal(t, "mail", second.identity().differsFrom(first.identity()), name)
	}
}

func TestTheNameOfAShopFollowsTheAppCodeAlone(t *testing.T) {
	assert.Equal(t, shopName("A"), shopName("A"))
	assert.NotEqual(t, shopName("A"), shopName("B"))
	assert.NoError(t, checkName(shopName("A")))
	assert.Len(t, shopName("A"), 16)
}

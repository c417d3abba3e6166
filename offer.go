package qfpayjsapi

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
)

// openShop sets up all that can be bought.
func (h *Handler) openShop() error {
	h.shop = checkout.Shop{Merchant: h.MerchantName, Currency: h.Currency, Fields: h.Fields}
	if h.OpenAmount != nil {
		bounds, err := checkout.ParseBounds(string(h.OpenAmount.Min), string(h.OpenAmount.Max), h.Currency)
		if err != nil {
			return fieldError{"open_amount", err}
		}
		h.shop.OpenAmount = &bounds
		h.warnOfRisk("open_amount", bounds.Min)
	}
	if h.InvoiceKey != "" {
		key, err := checkout.NewInvoiceKey(h.InvoiceKey, h.now)
		if err != nil {
			return fieldError{"invoice_key", err}
		}
		h.shop.Invoices = key
	}
	return h.stockCatalogue()
}

func (h *Handler) stockCatalogue() error {
	catalog, err := checkout.OpenCatalog(h.Catalog, h.Currency, h.Items)
	if err != nil {
		return fieldError{cmp.Or(h.catalogField(), "items"), err}
	}
	h.catalog = catalog
	catalogue := h.offer().Catalogue
	if id := strings.TrimPrefix(h.NotifyPath, h.Path+"/"); catalogue.Has(id) {
		return fieldError{"notify_path", fmt.Errorf("%s is the pay link of item %q", h.NotifyPath, id)}
	}
	switch id, price := catalogue.Cheapest(); {
	case id != "":
		h.warnOfRisk(id, price)
	case h.OpenAmount == nil && h.InvoiceKey == "":
		return fieldError{"catalog", errors.New("nothing is sold: the file has no items")}
	}
	return nil
}

// offer is what is sold just now: the catalogue follows its file.
func (h *Handler) offer() *checkout.Shop {
	catalogue, err := h.catalog.Catalogue(h.now())
	if err != nil {
		h.logger.Error("the catalog has changed and cannot be read; what was sold before is sold still", zap.Error(err))
	}
	offer := h.shop
	offer.Catalogue = catalogue
	return &offer
}

// riskControlAmount is the txamt below which QFPay's documentation expects
// payments to be refused by risk control.
const riskControlAmount = 200

func (h *Handler) warnOfRisk(item string, txamt int64) {
	if txamt < riskControlAmount {
		h.logger.Warn("an item costs less than 200 minor units; the gateway's risk control may refuse such payments",
			zap.String("item", item), zap.Int64("txamt", txamt))
	}
}

// catalogField names the catalogue as the place of an error about items,
// given that the block's own items were found good already.
func (h *Handler) catalogField() string {
	if h.Catalog == "" {
		return ""
	}
	return "catalog"
}

package doctor

import (
	"context"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// checkCatalogue reads the catalogue afresh, and compares it with what is sold.
func (s Shop) checkCatalogue(context.Context) Finding {
	catalogue, err := s.Catalog.Read()
	if err != nil {
		return bad("Correct the file: until then, the previous catalogue stays in use.", "%v", err)
	}
	id, price := catalogue.Cheapest()
	other, differ := catalogue.FirstDifference(s.Catalog.Catalogue(s.Now()))
	switch {
	case differ:
		return warning("Run this again in a few seconds, as a change takes a moment. If this remains, reload the configuration.",
			"%s is not yet sold as the file says", other)
	case id == "" && !s.OtherwisePay:
		return bad("Add an item.", "nothing is sold")
	case id != "" && price < shop.RiskControlAmount:
		return warning("Ask QFPay about small amounts: its risk control may refuse them.", "%s costs %s", id, qfpay.Display(price, s.Currency))
	default:
		return good("items: %d", catalogue.Len())
	}
}

package checkout

import (
	"net/url"
	"strconv"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// payLink is the link that starts the same purchase.
func (c *Checkout) payLink(intent ledger.Intent) string {
	return c.payLinkWith(intent, url.Values{})
}

// newOrderLink is the link that starts the same purchase with a new order.
func (c *Checkout) newOrderLink(order string, intent ledger.Intent) string {
	return c.payLinkWith(intent, url.Values{"again": {order}})
}

func (c *Checkout) payLinkWith(intent ledger.Intent, query url.Values) string {
	link := url.URL{Path: c.Path}
	switch {
	case intent.Invoice != nil:
		query.Set("invoice", intent.Invoice.Token)
	case len(intent.Lines) == 0:
		query.Set("amount", qfpay.Decimal(intent.Amount, intent.Currency))
	case len(intent.Lines) == 1:
		link.Path += "/" + intent.Lines[0].Item
		if quantity := intent.Lines[0].Quantity; quantity > 1 {
			query.Set("quantity", strconv.Itoa(quantity))
		}
	default:
		for _, line := range intent.Lines {
			query.Add("item", line.Item+":"+strconv.Itoa(line.Quantity))
		}
	}
	if intent.Ref != "" && intent.Invoice == nil {
		query.Set("ref", intent.Ref)
	}
	link.RawQuery = query.Encode()
	return link.String()
}

// shown is what the payer's pages show of an order.
func (c *Checkout) shown(order string, intent ledger.Intent) pages.Order {
	shown := pages.Order{
		ID:          order,
		Merchant:    c.Shop.Merchant,
		Description: intent.Description,
		Quantity:    1,
		Amount:      shownAmount(intent.Amount, intent.Currency),
		Ref:         intent.Ref,
	}
	if len(intent.Lines) == 1 {
		shown.Description, shown.Quantity = intent.Lines[0].Name, intent.Lines[0].Quantity
		return shown
	}
	for _, line := range intent.Lines {
		shown.Lines = append(shown.Lines, pages.Line{
			Name: line.Name, Quantity: line.Quantity, Sum: shownAmount(line.Price*int64(line.Quantity), intent.Currency),
		})
	}
	return shown
}

func shownAmount(minor int64, currency string) pages.Amount {
	return pages.Amount{Decimal: qfpay.Decimal(minor, currency), Currency: currency}
}

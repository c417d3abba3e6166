package checkout

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// itemOffer is what the shop's own pages may know of an item: what anybody may.
type itemOffer struct {
	Item         string `json:"item"`
	Name         string `json:"name"`
	Price        int64  `json:"price"` // of one piece, minor units
	DisplayPrice string `json:"display_price"`
	Currency     string `json:"currency"`
	Available    *int64 `json:"available"` // pieces; null without stock
}

// item answers the shop's own pages with JSON. It causes nothing, so that it may be
// fetched in advance.
func (c *Checkout) item(w http.ResponseWriter, r *http.Request, id string) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return c.wrongMethod(w, r, "GET, HEAD")
	}
	sold, ok := c.Shop.Catalog.Catalogue(c.Now()).Offer(id)
	if !ok {
		return writeJSON(w, http.StatusNotFound, map[string]string{"error": pages.UnknownItem.Error()})
	}
	offer := itemOffer{
		Item: sold.Item, Name: sold.Name, Price: sold.Price, DisplayPrice: qfpay.Decimal(sold.Price, c.Shop.Currency), Currency: c.Shop.Currency,
	}
	if sold.Stock {
		available, err := c.available(r, id)
		if err != nil {
			c.Log.Error("the stock of an item could not be read", zap.String("item", id), zap.Error(err))
			retryAfter(w, ledgerWait)
			return writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": pages.LedgerDown.Error()})
		}
		offer.Available = &available
	}
	w.Header().Set("Cache-Control", "public, max-age=5")
	return writeJSON(w, http.StatusOK, offer)
}

// available is how many pieces of an item can be sold, or could be a moment ago.
func (c *Checkout) available(r *http.Request, item string) (int64, error) {
	return c.Shared.stock.of(item, c.Now(), func() (int64, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeLimit) // others wait for it as well
		defer cancel()
		return c.Orders.Available(ctx, item)
	})
}

package shop

import (
	"maps"
	"slices"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Offer is what anybody may know of an item.
type Offer struct {
	Item  string
	Name  string
	Price int64 // of one piece, minor units
	Stock bool  // no more is sold than there is
}

// Offer returns what is known of an item; ok is false for one that is not sold.
func (c *Catalogue) Offer(id string) (offer Offer, ok bool) {
	sold, ok := c.articles[id]
	return Offer{id, sold.name, sold.price, sold.stock}, ok
}

// ByStock returns lines that say whether their items have stock now, whatever they
// had when they were chosen.
func (c *Catalogue) ByStock(lines []ledger.Line) []ledger.Line {
	lines = slices.Clone(lines)
	for i := range lines {
		if sold, ok := c.articles[lines[i].Item]; ok {
			lines[i].Stock = sold.stock
		}
	}
	return lines
}

// Stocked returns the items of which no more is sold than there is, in the order of
// their ids.
func (c *Catalogue) Stocked() (stocked []Offer) {
	for _, id := range slices.Sorted(maps.Keys(c.articles)) {
		if offer, _ := c.Offer(id); offer.Stock {
			stocked = append(stocked, offer)
		}
	}
	return stocked
}

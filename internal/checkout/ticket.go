package checkout

import (
	"maps"
	"slices"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Ticket is an order that nobody but the payer's browser knows of yet.
type Ticket struct {
	Order  string        `json:"-"` // bound to the seal, not inside it
	Intent ledger.Intent `json:"intent"`

	// Restarted says that WeChat's code was refused once already for this
	// purchase: the flow does not start again by itself a second time.
	Restarted bool `json:"restarted,omitempty"`

	// HandedOver says that a screen elsewhere waits for this order and no other.
	HandedOver bool `json:"handed_over,omitempty"`

	// RealName goes to the gateway and nowhere else.
	RealName *RealName `json:"real_name,omitempty"`
}

// RealName is the payer's name and id card, for the real-name check of the
// mainland.
type RealName struct {
	Name   string `json:"name"`
	IDCard string `json:"id_card"`
}

// SameThing reports whether two intents ask for the same purchase at the same
// price.
func SameThing(a, b ledger.Intent) bool {
	return a.Amount == b.Amount && a.Currency == b.Currency && a.Ref == b.Ref && sameInvoice(a.Invoice, b.Invoice) &&
		slices.Equal(a.Lines, b.Lines) && maps.Equal(a.Fields, b.Fields)
}

func sameInvoice(a, b *ledger.Invoice) bool {
	return a == b || a != nil && b != nil && a.ID == b.ID
}

// Expired reports whether the time to finish the payment, counted from when
// the order was started, is over.
func (t Ticket) Expired(now time.Time, ttl time.Duration) bool {
	return !now.Before(t.Intent.At.Add(ttl))
}

// NewestFirst orders tickets by when they were made.
func NewestFirst(tickets []Ticket) {
	slices.SortFunc(tickets, func(a, b Ticket) int { return b.Intent.At.Compare(a.Intent.At) })
}

package checkout

import (
	"cmp"
	"slices"
	"strings"
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

	// Browser is the first order that the payer's browser had, as far as its tickets
	// reach back: the same for all orders of one browser.
	Browser string `json:"browser,omitempty"`

	// RealName goes to the gateway and nowhere else.
	RealName *RealName `json:"real_name,omitempty"`
}

// RealName is the payer's name and id card, for the real-name check of the
// mainland.
type RealName struct {
	Name   string `json:"name"`
	IDCard string `json:"id_card"`
}

// IsLike reports whether two tickets ask for the same purchase at the same price, by
// what the payer said of it and of themselves: whoever corrects any of it wants
// another order.
func (t Ticket) IsLike(other Ticket) bool {
	a, b := t.Intent, other.Intent
	return a.Amount == b.Amount && a.Currency == b.Currency && a.Description == b.Description && a.Ref == b.Ref &&
		sameInvoice(a.Invoice, b.Invoice) && slices.Equal(a.Lines, b.Lines) && a.Fields.Equal(b.Fields) && t.RealName.equal(other.RealName)
}

// equal reports whether both are the same person, or none.
func (n *RealName) equal(other *RealName) bool {
	return n == other || n != nil && other != nil && *n == *other
}

func sameInvoice(a, b *ledger.Invoice) bool {
	return a == b || a != nil && b != nil && a.ID == b.ID
}

// Expired reports whether the time to finish the payment, counted from when
// the order was started, is over.
func (t Ticket) Expired(now time.Time, ttl time.Duration) bool {
	return !now.Before(t.Intent.At.Add(ttl))
}

// NewestFirst orders tickets by when they were made; those of one purchase, by the
// numbers of their orders.
func NewestFirst(tickets []Ticket) {
	slices.SortFunc(tickets, func(a, b Ticket) int {
		return cmp.Or(b.Intent.At.Compare(a.Intent.At), strings.Compare(b.Order, a.Order))
	})
}

// Handoff is a purchase on its way from a screen to the phone that pays it, or to
// another browser of the same phone, small enough for a QR code: it names what is
// bought as the pay link does, and its order's number says when the payer started.
type Handoff struct {
	Order  string        `json:"-"` // bound to the seal, not inside it
	Link   string        `json:"l"` // the pay link, without the path of all of them
	Amount int64         `json:"a"` // the total that the screen showed, minor units
	Fields ledger.Fields `json:"f,omitempty"`
	Phone  bool          `json:"p,omitempty"` // it was made on the payer's own phone
}

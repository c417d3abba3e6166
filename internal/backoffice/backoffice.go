// Package backoffice is what the shop's owner sees and does: lists, sums and
// exports of orders, one order with all that happened to it, refunds by hand; as
// JSON for the admin API, and as pages.
package backoffice

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// Service does what the owner asks for at the gateway. The order service of a
// shop is one. It bounds how long that takes, and brings to its end what was begun
// when whoever asked has hung up.
type Service interface {
	// LookUp asks the gateway about an order and its refunds now.
	LookUp(ctx context.Context, id string) (ledger.Order, error)

	// Close ends an order that nobody has paid.
	Close(ctx context.Context, id string) (ledger.Order, error)

	// Refund gives money back, in minor units; 0 is all that is left.
	Refund(ctx context.Context, id, refundID string, amount int64) (ledger.Refund, error)

	// Fulfil notes that the shop has done its part of an order, with a note for
	// the payer; Unfulfil takes that back.
	Fulfil(ctx context.Context, id, note string) (ledger.Order, error)
	Unfulfil(ctx context.Context, id string) (ledger.Order, error)

	// SetStock says how many pieces of an item can be sold from now on.
	SetStock(ctx context.Context, item string, available int64) error
}

// Ledger is a database, with the shops in it whose orders may be seen and whose
// days follow one time zone. A database with shops of several zones is one for
// each.
type Ledger struct {
	ledger.Ledger
	Shops []string
	Zone  *time.Location // nil for UTC+8
}

// zone is that of the shops' days and times.
func (l Ledger) zone() *time.Location { return cmp.Or(l.Zone, ledger.GatewayZone) }

// Office is the shops with whose orders somebody works. Usually they have one
// ledger; lists of several are merged.
type Office struct {
	Ledgers []Ledger
	Service func(shop string) Service // nil for a shop that there is not
	Now     func() time.Time

	// Compare lays the gateway's list of trades beside the ledger, for the
	// accounts of some shops. The order services of all shops together do.
	Compare func(ctx context.Context, shops []string, period ledger.Period) (orders.Comparison, error)

	// Stocked are the items of a shop of which no more is sold than there is; nil for
	// none of any shop.
	Stocked func(shop string) []StockedItem

	// Fields are the names of what a shop asks its payers for, in the order of its
	// form; nil for none of any shop.
	Fields func(shop string) []string

	// Merchant is what a shop is called to people; nil, or "" where that is not
	// known, for its name in the ledger.
	Merchant func(shop string) string

	// Endpoint is how people are shown an endpoint of a shop's webhooks. It
	// returns "" for one that is not in the configuration any more.
	Endpoint func(shop, id string) string
}

// viewTime bounds how long a list or a part of an export is gathered.
const viewTime = 30 * time.Second

// Only returns the office of one shop; "" is all of them. The error says that
// there is no such shop.
func (o *Office) Only(shop string) (*Office, error) {
	if shop == "" {
		return o, nil
	}
	for _, l := range o.Ledgers {
		if slices.Contains(l.Shops, shop) {
			one := *o
			one.Ledgers = []Ledger{{l.Ledger, []string{shop}, l.Zone}}
			return &one, nil
		}
	}
	return nil, Deny(404, "there is no shop called %q", shop)
}

// today is the day in the time zone of the first shops.
func (o *Office) today() ledger.Day {
	zone := ledger.GatewayZone
	if len(o.Ledgers) > 0 {
		zone = o.Ledgers[0].zone()
	}
	return ledger.DayIn(zone, o.Now())
}

// zones are the names of the shops' time zones.
func (o *Office) zones() string {
	var names []string
	for _, l := range o.Ledgers {
		if name := l.zone().String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// hasSeveral reports whether orders of several shops may be in a list.
func (o *Office) hasSeveral() bool {
	return len(o.Ledgers) > 1 || len(o.Ledgers) == 1 && len(o.Ledgers[0].Shops) > 1
}

// fields are the names of what a shop asks its payers for.
func (o *Office) fields(shop string) []string {
	if o.Fields == nil {
		return nil
	}
	return o.Fields(shop)
}

// asksForFields reports whether any of the shops asks its payers for something.
func (o *Office) asksForFields() bool {
	return slices.ContainsFunc(o.Ledgers, func(l Ledger) bool {
		return slices.ContainsFunc(l.Shops, func(shop string) bool { return len(o.fields(shop)) > 0 })
	})
}

// shopName is what a shop is called to people, with its name in the ledger where
// several shops are called the same.
func (o *Office) shopName(shop string) string {
	if o.Merchant == nil {
		return shop
	}
	called := o.Merchant(shop)
	for _, l := range o.Ledgers {
		if slices.ContainsFunc(l.Shops, func(other string) bool { return other != shop && o.Merchant(other) == called }) {
			return strings.TrimSpace(called + " (" + shop + ")")
		}
	}
	return cmp.Or(called, shop)
}

// view runs a step on a ledger that only reads.
func (l Ledger) view(ctx context.Context, step func(*ledger.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, viewTime)
	defer cancel()
	return l.View(ctx, step)
}

// gather reads something from each ledger and puts it together.
func gather[T any](ctx context.Context, o *Office, read func(*ledger.Tx, Ledger) ([]T, error)) (all []T, err error) {
	for _, l := range o.Ledgers {
		var found []T
		err := l.view(ctx, func(tx *ledger.Tx) (err error) {
			found, err = read(tx, l)
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// find returns an order of the shops that may be seen, its times in their zone, with
// whatever the step reads of it besides. The error is [ledger.ErrUnknown] for those of
// others too.
func (o *Office) find(ctx context.Context, id string, read func(*ledger.Tx, ledger.Row) error) error {
	if !ledger.ValidID(id) {
		return ledger.ErrUnknown
	}
	for _, l := range o.Ledgers {
		err := l.view(ctx, func(tx *ledger.Tx) error {
			row, err := tx.RowOf(id)
			if err != nil {
				return err
			}
			if !slices.Contains(l.Shops, row.Shop) {
				return ledger.ErrUnknown
			}
			return read(tx, inZone(row, l.zone()))
		})
		if !errors.Is(err, ledger.ErrUnknown) {
			return err
		}
	}
	return ledger.ErrUnknown
}

// act has the service of an order's shop do something.
func (o *Office) act(ctx context.Context, id string, do func(context.Context, Service) error) error {
	var shop string
	if err := o.find(ctx, id, func(_ *ledger.Tx, row ledger.Row) error {
		shop = row.Shop
		return nil
	}); err != nil {
		return err
	}
	service := o.Service(shop)
	if service == nil {
		return Deny(409, "the shop %q is not in the running configuration", shop)
	}
	return do(ctx, service)
}

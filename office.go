package qfpayjsapi

import (
	"slices"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// office is the back office of a shop, or of all. It has no ledgers if there is no
// such shop.
func (a *App) office(name string) *backoffice.Office {
	office := &backoffice.Office{Service: a.officeService, Compare: a.services.Compare, Fields: a.fieldsOf, Stocked: a.stockedOf, Merchant: a.merchantOf, Endpoint: a.endpointNamed, Now: a.now}
	for _, work := range a.works {
		shops := slices.DeleteFunc(slices.Clone(work.shops), func(shop string) bool { return name != "" && name != shop })
		if len(shops) > 0 {
			office.Ledgers = append(office.Ledgers, a.byZone(work.ledger, shops)...)
		}
	}
	return office
}

// byZone is a ledger for each time zone that some of its shops follow.
func (a *App) byZone(of ledger.Ledger, shops []string) (parts []backoffice.Ledger) {
	for _, shop := range shops {
		zone := a.shops[shop][0].zone
		i := slices.IndexFunc(parts, func(part backoffice.Ledger) bool { return part.Zone.String() == zone.String() })
		if i < 0 {
			i, parts = len(parts), append(parts, backoffice.Ledger{Ledger: of, Zone: zone})
		}
		parts[i].Shops = append(parts[i].Shops, shop)
	}
	return parts
}

// stockedOf are the items that a shop's blocks sell by stock, in the order of their ids.
func (a *App) stockedOf(shop string) (items []backoffice.StockedItem) {
	for _, h := range a.shops[shop] {
		for _, offer := range h.shop.Catalog.Catalogue(a.now()).Stocked() {
			items = append(items, backoffice.StockedItem{Item: offer.Item, Name: offer.Name})
		}
	}
	slices.SortStableFunc(items, func(a, b backoffice.StockedItem) int { return strings.Compare(a.Item, b.Item) })
	return slices.CompactFunc(items, func(a, b backoffice.StockedItem) bool { return a.Item == b.Item })
}

// fieldsOf are the names of what the blocks of a shop ask payers for.
func (a *App) fieldsOf(shop string) (names []string) {
	for _, h := range a.shops[shop] {
		for _, field := range h.Fields {
			if !slices.Contains(names, field.Name) {
				names = append(names, field.Name)
			}
		}
	}
	return names
}

// merchantOf is what a shop is called to payers; "" for a shop that there is not.
func (a *App) merchantOf(shop string) string {
	if blocks := a.shops[shop]; len(blocks) > 0 {
		return blocks[0].MerchantName
	}
	return ""
}

// officeService is the order service of a shop; nil for a shop that there is not.
func (a *App) officeService(shop string) backoffice.Service {
	if service := a.service(shop); service != nil {
		return service
	}
	return nil
}

// endpointNamed is how the log and the owner are shown an endpoint; "" if no block
// has it any more.
func (a *App) endpointNamed(shop, id string) string {
	for _, work := range a.works {
		if receiver, ok := work.receivers[ledger.Destination{Shop: shop, Endpoint: id}]; ok {
			return receiver.String()
		}
	}
	return ""
}

// sealOf seals for a shop; nil for one that there is not.
func (a *App) sealOf(shop string) *checkout.Seal {
	if blocks := a.shops[shop]; len(blocks) > 0 {
		return blocks[0].seal
	}
	return nil
}

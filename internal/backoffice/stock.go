package backoffice

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// StockedItem is an item of which no more is sold than there is.
type StockedItem struct{ Item, Name string }

// StockRow is how much there is of an item.
type StockRow struct {
	Item      string    `json:"item"`
	Name      string    `json:"name"`
	Shop      string    `json:"shop"`
	Available int64     `json:"available"`           // pieces that can be sold
	Reserved  int64     `json:"reserved"`            // pieces that open orders hold beside them
	Counted   time.Time `json:"counted_at,omitzero"` // when it was said last; not there if it never was
}

// StockAnswer lists all items that have stock.
type StockAnswer struct {
	Stock []StockRow `json:"stock"`
}

// StockRequest says how many pieces of an item can be sold from now on.
type StockRequest struct {
	Available *int64 `json:"available"`
	Name      string `json:"name,omitempty"` // of the shop, where several sell the item
}

// ListStock answers with how much there is of each item that has stock.
func (o *Office) ListStock(w http.ResponseWriter, r *http.Request) error {
	one, err := o.Only(r.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	rows, err := one.stock(r.Context())
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, StockAnswer{rows})
}

// SetStock says how many pieces of an item can be sold from now on, and answers with
// its row.
func (o *Office) SetStock(w http.ResponseWriter, r *http.Request) error {
	var asked StockRequest
	if err := ReadJSON(r, &asked); err != nil {
		return err
	}
	if asked.Available == nil {
		return Deny(http.StatusBadRequest, "available must say how many pieces can be sold from now on")
	}
	one, err := o.Only(asked.Name)
	if err != nil {
		return err
	}
	row, err := one.setStock(r.Context(), r.PathValue("item"), *asked.Available)
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, row)
}

// setStock says how many pieces there are of an item that one of the shops sells by
// stock.
func (o *Office) setStock(ctx context.Context, item string, available int64) (StockRow, error) {
	shop, err := o.stocking(item)
	if err != nil {
		return StockRow{}, err
	}
	service := o.Service(shop)
	if service == nil {
		return StockRow{}, Deny(http.StatusConflict, "the shop %q is not in the running configuration", shop)
	}
	if err := service.SetStock(ctx, item, available); err != nil {
		return StockRow{}, err
	}
	one, err := o.Only(shop)
	if err != nil {
		return StockRow{}, err
	}
	return one.stockRow(ctx, item)
}

// stockRow is what a single shop has of an item.
func (o *Office) stockRow(ctx context.Context, item string) (StockRow, error) {
	rows, err := o.stock(ctx)
	if err != nil {
		return StockRow{}, err
	}
	for _, row := range rows {
		if row.Item == item {
			return row, nil
		}
	}
	return StockRow{}, Deny(http.StatusConflict, "the shop no longer sells %q", item)
}

// stocking is the shop that sells an item by stock.
func (o *Office) stocking(item string) (shop string, err error) {
	for _, l := range o.Ledgers {
		for _, name := range l.Shops {
			if !slices.ContainsFunc(o.stocked(name), func(s StockedItem) bool { return s.Item == item }) {
				continue
			}
			if shop != "" {
				return "", Deny(http.StatusConflict, "several shops sell %q: say which with its name", item)
			}
			shop = name
		}
	}
	if shop == "" {
		return "", Deny(http.StatusNotFound, "no item %q has stock: set it in the configuration or the catalogue", item)
	}
	return shop, nil
}

// stocked are the items of a shop that have stock.
func (o *Office) stocked(shop string) []StockedItem {
	if o.Stocked == nil {
		return nil
	}
	return o.Stocked(shop)
}

// hasStock reports whether any of the shops sells something by stock.
func (o *Office) hasStock() bool {
	for _, l := range o.Ledgers {
		if slices.ContainsFunc(l.Shops, func(shop string) bool { return len(o.stocked(shop)) > 0 }) {
			return true
		}
	}
	return false
}

// stock is how much there is of each item that has stock, by shop and item; never
// nil.
func (o *Office) stock(ctx context.Context) ([]StockRow, error) {
	rows, err := gather(ctx, o, func(tx *ledger.Tx, l Ledger) (rows []StockRow, err error) {
		for _, shop := range l.Shops {
			more, err := l.stockOf(tx, shop, o.stocked(shop))
			if err != nil {
				return nil, err
			}
			rows = append(rows, more...)
		}
		return rows, nil
	})
	if err != nil {
		return nil, err
	}
	if rows == nil {
		rows = []StockRow{}
	}
	slices.SortStableFunc(rows, func(a, b StockRow) int {
		return cmp.Or(cmp.Compare(a.Shop, b.Shop), cmp.Compare(a.Item, b.Item))
	})
	return rows, nil
}

func (l Ledger) stockOf(tx *ledger.Tx, shop string, stocked []StockedItem) (rows []StockRow, err error) {
	if len(stocked) == 0 {
		return nil, nil
	}
	counted, err := tx.Stock(shop)
	if err != nil {
		return nil, err
	}
	for _, sold := range stocked {
		row := StockRow{Item: sold.Item, Name: sold.Name, Shop: shop}
		if found, ok := counted[sold.Item]; ok {
			row.Available, row.Reserved, row.Counted = found.Available, found.Reserved, found.Counted.In(l.zone())
		}
		rows = append(rows, row)
	}
	return rows, nil
}

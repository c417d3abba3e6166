package backoffice

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

const (
	// packsShown is how many orders a page of what is to be fulfilled holds, and
	// how many are printed at once at most.
	packsShown   = 50
	packsPrinted = 100

	// toDoCounted is up to how many orders are counted.
	toDoCounted = 1000
)

// isList reports whether a list is asked for. Without anything that only a list
// has, it is what is to be fulfilled.
func isList(query url.Values) bool {
	if query.Get("fulfilled") == "false" && !hasPeriod(query) {
		return false
	}
	return query.Has("before") || slices.ContainsFunc(SearchParameters, func(name string) bool { return name != "name" && query.Has(name) })
}

// pack is an order with what has to be known to fulfil it.
type pack struct {
	Row
	items  []ledger.Line
	fields ledger.Fields
	short  bool // not enough was left of what it is for
}

// packs returns orders that are to be fulfilled, the oldest first, beginning behind the
// one called after; "" begins with the first.
func (o *Office) packs(ctx context.Context, after string, limit int) ([]pack, error) {
	search, err := ReadSearch(url.Values{"fulfilled": {"false"}}, o.today())
	if err != nil {
		return nil, err
	}
	rows, err := o.Rows(ctx, search, ledger.Page{After: after, Ascending: true, Limit: limit})
	if err != nil {
		return nil, err
	}
	packs := make([]pack, len(rows))
	for i := range rows {
		packs[i].Row = rows[i]
	}
	for _, l := range o.Ledgers {
		if err := l.fill(ctx, packs); err != nil {
			return nil, err
		}
	}
	return packs, nil
}

// fill reads what has to be known of those orders that are in the ledger.
func (l Ledger) fill(ctx context.Context, packs []pack) error {
	return l.view(ctx, func(tx *ledger.Tx) error {
		for i := range packs {
			one := &packs[i]
			if !slices.Contains(l.Shops, one.Shop) {
				continue
			}
			order, err := readOrder(tx, &one.Row.Row)
			if err != nil {
				return err
			}
			one.items, one.fields, one.short = order.Intent.Lines, order.Intent.Fields, order.LacksStock()
		}
		return nil
	})
}

// toDo shows what is to be fulfilled, the oldest order first, with what payers told
// the shop.
func (p *Pages) toDo(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	office, after, err := p.toDoOffice(query)
	if err != nil {
		return err
	}
	packs, err := office.packs(r.Context(), after, packsShown+1)
	if err != nil {
		return err
	}
	count, err := office.CountToDo(r.Context(), toDoCounted+1)
	if err != nil {
		return err
	}
	page := pages.ToDo{
		Presets: office.views(ledger.Period{}, false), Count: int64(min(count, toDoCounted)), Uncounted: count > toDoCounted,
		Done: p.justFulfilled(r, office), Shops: office.hasSeveral(), Zone: office.zones(), PrintURL: toDoURL(query, "print", "1"),
	}
	if after != "" {
		page.FirstURL = toDoURL(query, "after", "")
	}
	if len(packs) > packsShown {
		packs = packs[:packsShown]
		page.NextURL = toDoURL(query, "after", packs[packsShown-1].Order)
	}
	session := p.session(w, r)
	for _, one := range packs {
		shown := office.shownPack(one)
		shown.Fulfil = p.hidden(session, Detail{Row: one.Row}, action{Do: "fulfil", Was: stateOf(one.Row)})
		shown.URL = toDoURL(query, "order", one.Order) + "&view=todo"
		page.Packs = append(page.Packs, shown)
	}
	return pages.Write(w, r, http.StatusOK, page)
}

// toDoOffice is the shops whose orders are to be shown, and after which order.
func (p *Pages) toDoOffice(query url.Values) (office *Office, after string, err error) {
	after = strings.ToUpper(query.Get("after"))
	if after != "" && !ledger.ValidID(after) {
		return nil, "", Deny(http.StatusBadRequest, "after is not an order's number")
	}
	if p.Bound {
		return p.Office, after, nil
	}
	office, err = p.Office.Only(query.Get("name"))
	return office, after, err
}

// justFulfilled is the order of which the address says that it has just been
// fulfilled, if it is.
func (p *Pages) justFulfilled(r *http.Request, office *Office) (done pages.Row) {
	_ = office.find(r.Context(), strings.ToUpper(r.URL.Query().Get("done")), func(_ *ledger.Tx, row ledger.Row) error {
		if !row.FulfilledAt.IsZero() {
			done = office.shownRow(newRow(row))
		}
		return nil
	})
	return done
}

// printToDo shows the sheets for packing of what is to be fulfilled, from the order
// on with which the list goes on.
func (p *Pages) printToDo(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	office, after, err := p.toDoOffice(query)
	if err != nil {
		return err
	}
	packs, err := office.packs(r.Context(), after, packsPrinted+1)
	if err != nil {
		return err
	}
	page := pages.Sheets{More: len(packs) > packsPrinted, Shops: office.hasSeveral(), BackURL: toDoURL(query, "", "")}
	for _, one := range packs[:min(len(packs), packsPrinted)] {
		page.Packs = append(page.Packs, office.shownPack(one))
	}
	return pages.Write(w, r, http.StatusOK, page)
}

// printOrder shows the sheet for packing of one order.
func (p *Pages) printOrder(w http.ResponseWriter, r *http.Request) error {
	detail, err := p.open(r)
	if err != nil {
		return err
	}
	one := p.Office.shownPack(pack{detail.Row, detail.Items, detail.Fields, detail.Short})
	return pages.Write(w, r, http.StatusOK, pages.Sheets{Packs: []pages.Pack{one}, Shops: p.Office.hasSeveral(), BackURL: orderURL(detail.Order)})
}

func (o *Office) shownPack(one pack) pages.Pack {
	return pages.Pack{Row: o.shownRow(one.Row), PaidAt: one.PaidAt, Short: one.short, Items: shownItems(one.items, one.Currency), Fields: o.shownFields(one.Shop, one.fields)}
}

// isToDoView reports whether a form was sent from the list of what is to be
// fulfilled.
func isToDoView(query url.Values) bool { return query.Get("view") == "todo" }

// toDoURL is the list of what is to be fulfilled, with one thing changed.
func toDoURL(query url.Values, name, value string) string {
	changed := url.Values{}
	for _, kept := range []string{"after", "name"} {
		if query.Get(kept) != "" {
			changed.Set(kept, query.Get(kept))
		}
	}
	if changed.Del(name); value != "" {
		changed.Set(name, value)
	}
	return "?" + changed.Encode()
}

// offerFulfilment adds the forms about an order's fulfilment to its page.
func (p *Pages) offerFulfilment(page *pages.Order, session string, detail Detail) {
	was := stateOf(detail.Row)
	if detail.Status.Paid() {
		page.PrintURL = orderURL(detail.Order) + "&print=1"
	}
	if detail.Status.Paid() && detail.Status != ledger.StatusRefunded {
		page.Fulfil = p.hidden(session, detail, action{Do: "fulfil", Was: was})
	}
	if !detail.FulfilledAt.IsZero() {
		page.Undo = p.hidden(session, detail, action{Do: "unfulfil", Was: was})
	}
}

package backoffice

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// rowsShown is how many orders a page of a list holds.
const rowsShown = 50

// search reads what the owner looks for, and where. A page that is bound to a shop
// looks nowhere else.
func (p *Pages) search(r *http.Request) (*Office, Search, error) {
	if p.Bound {
		s, err := ReadSearch(r.URL.Query(), p.Office.today())
		return p.Office, s, err
	}
	return p.Office.search(r)
}

// list shows the orders of a period, and what they come to.
func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	office, s, err := p.search(r)
	if err != nil {
		return err
	}
	before, err := readBefore(r.URL.Query())
	if err != nil {
		return err
	}
	rows, err := office.Rows(r.Context(), s, ledger.Page{After: before, Limit: rowsShown + 1})
	if err != nil {
		return err
	}
	takings, err := office.takings(r.Context(), s)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	page := pages.List{
		Search:  shownSearch(s, query),
		Presets: office.views(s.Period, false),
		Shops:   office.hasSeveral(),
		Zone:    office.zones(),
		CSVURL:  listURL(query, "format", "csv"),
		Found:   takings.found(), Totals: takings.totals(), Charts: takings.charts(),
	}
	if query.Has("sums") {
		shares, err := office.shares(r.Context(), s)
		if err != nil {
			return err
		}
		page.Shares = &shares
	} else {
		page.SharesURL = listURL(query, "sums", "1")
	}
	if office.asksForFields() {
		page.ToldCSVURL = listURL(query, "format", "csv") + "&fields=true"
	}
	if before != "" {
		page.NewestURL = listURL(query, "before", "")
	}
	if len(rows) > rowsShown {
		rows = rows[:rowsShown]
		page.OlderURL = listURL(query, "before", rows[rowsShown-1].Order)
	}
	for _, row := range rows {
		page.Rows = append(page.Rows, office.shownRow(row))
	}
	return pages.Write(w, r, http.StatusOK, page)
}

// download sends a period's orders as CSV, the oldest first, with what payers told
// the shop if the address asks for it.
func (p *Pages) download(w http.ResponseWriter, r *http.Request) error {
	office, s, err := p.search(r)
	if err != nil {
		return err
	}
	if s.Told, err = readTold(r.URL.Query()); err != nil {
		return err
	}
	pages.SetCommonHeaders(w.Header())
	return office.exportCSV(r.Context(), w, s)
}

func shownSearch(s Search, query url.Values) pages.Search {
	return pages.Search{
		From: s.First.String(), To: s.Last.String(), Status: joinStatuses(s.Status), Method: strings.Join(s.Method, ","),
		Fulfilled: query.Get("fulfilled"), Text: s.Text, Shop: query.Get("name"),
	}
}

func joinStatuses(statuses []ledger.Status) string {
	texts := make([]string, len(statuses))
	for i, status := range statuses {
		texts[i] = string(status)
	}
	return strings.Join(texts, ",")
}

func (o *Office) shownRow(row Row) pages.Row {
	return pages.Row{
		Order: row.Order, URL: orderURL(row.Order), Shop: o.shopName(row.Shop), Status: string(row.Status), Method: row.Method, At: row.At,
		Amount: pages.Money{Minor: row.Amount, Currency: row.Currency}, Refunded: pages.Money{Minor: row.Refunded, Currency: row.Currency},
		Refunding:   pages.Money{Minor: row.RefundPending, Currency: row.Currency},
		Description: row.Description, Ref: row.Ref, Late: row.Late, Disputed: row.Disputed, Fulfilled: !row.FulfilledAt.IsZero(), Damaged: row.Damaged,
	}
}

// orderURL is the page of one order.
func orderURL(order string) string { return "?" + url.Values{"order": {order}}.Encode() }

// listURL is the list that is shown, with one thing changed.
func listURL(query url.Values, name, value string) string {
	changed := url.Values{}
	for _, kept := range SearchParameters {
		if values := query[kept]; len(values) > 0 {
			changed[kept] = values
		}
	}
	if value != "" {
		changed.Set(name, value)
	}
	return "?" + changed.Encode()
}

// views are those that are looked at most: what is to be fulfilled, which is shown with
// no period, the orders of some periods, and what there is where items have stock.
func (o *Office) views(shown ledger.Period, isStock bool) []pages.Preset {
	today := o.today()
	all := []pages.Preset{{Name: "todo", URL: "?", Current: shown == ledger.Period{} && !isStock}}
	for _, preset := range []struct {
		name        string
		first, last ledger.Day
	}{
		{"today", today, today},
		{"yesterday", today.Previous(), today.Previous()},
		{"month", today.FirstOfMonth(0), today},
		{"last_month", today.FirstOfMonth(-1), today.FirstOfMonth(0).Previous()},
	} {
		from, to := preset.first.String(), preset.last.String()
		all = append(all, pages.Preset{
			Name: preset.name, URL: "?" + url.Values{"from": {from}, "to": {to}}.Encode(),
			Current: from == shown.First.String() && to == shown.Last.String(),
		})
	}
	if o.hasStock() || isStock {
		all = append(all, pages.Preset{Name: "stock", URL: stockURL, Current: isStock})
	}
	return all
}

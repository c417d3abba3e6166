package qfpayjsapi

import (
	"cmp"
	"context"
	"encoding/csv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/officepages"
)

const (
	// ordersShown is how many orders a page of a list holds.
	ordersShown = 50

	// listLimit bounds how long a list is gathered. Days whose digests it made
	// by then need not be read again.
	listLimit = 2 * time.Minute

	// dailyUpTo is the longest period, in days, of which a chart shows each day.
	dailyUpTo = 92
)

// search reads what the owner looks for. A page that is bound to a ledger looks
// nowhere else.
func (o *Orders) search(r *http.Request) (search, error) {
	s, err := readSearch(r, o.app.now())
	s.Name = cmp.Or(o.Name, s.Name)
	if err == nil && len(o.app.books(s.Name)) == 0 {
		err = deny(http.StatusBadRequest, "there is no ledger called %q", s.Name)
	}
	return s, err
}

// list shows the orders of a period, and what they come to.
func (o *Orders) list(w http.ResponseWriter, r *http.Request) error {
	s, err := o.search(r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), listLimit)
	defer cancel()
	query := r.URL.Query()
	page := officepages.List{
		Search:  officepages.Search{From: s.First.String(), To: s.Last.String(), Status: joinStatuses(s.Status), Text: s.Text, Ledger: query.Get("name")},
		Presets: presets(s, o.app.now()),
		Ledgers: len(o.app.books(s.Name)) > 1,
		CSVURL:  listURL(query, "format", "csv"),
	}
	entries := entries{before: query.Get("before")}
	if err := o.gather(ctx, s, &entries); err != nil {
		return err
	}
	if entries.before != "" {
		page.NewestURL = listURL(query, "before", "")
	}
	if entries.more {
		page.OlderURL = listURL(query, "before", entries.rows[ordersShown-1].Order)
	}
	for _, row := range entries.rows {
		page.Rows = append(page.Rows, shownRow(row))
	}
	page.Found, page.Totals, page.Charts = entries.takings.found(), entries.takings.totals(), entries.takings.charts()
	return officepages.Write(w, r, http.StatusOK, page)
}

// entries are the orders that fit on a page, and what all that were found come
// to.
type entries struct {
	before  string // only orders before this one are shown
	rows    []orderRow
	more    bool // than fit on the page
	takings *takings
}

// gather goes through the days of a search. Of days whose orders are neither
// shown nor picked out of many, it reads the sums alone.
func (o *Orders) gather(ctx context.Context, s search, e *entries) error {
	from := s.Last
	if e.before != "" {
		day, err := dayOfOrder(e.before)
		if err != nil {
			return err
		}
		from = day
	}
	shelves, err := o.app.shelves(ctx, s)
	if err != nil {
		return err
	}
	e.takings = newTakings(s.Period)
	for day := range s.Days() {
		if !s.isNarrow() && (e.more || from.Before(day)) {
			sums, err := shelves.sums(ctx, day)
			if err != nil {
				return err
			}
			e.takings.add(day, sums)
			continue
		}
		rows, err := shelves.rows(ctx, day, s, "")
		if err != nil {
			return err
		}
		e.takings.add(day, sumsOf(rows))
		e.show(rows)
	}
	return nil
}

// show takes as many orders of a day as fit.
func (e *entries) show(rows []orderRow) {
	for _, row := range rows {
		if e.before != "" && row.Order >= e.before {
			continue
		}
		if len(e.rows) == ordersShown {
			e.more = true
			return
		}
		e.rows = append(e.rows, row)
	}
}

func sumsOf(rows []orderRow) []ledger.Sum {
	plain := make([]ledger.Row, len(rows))
	for i, row := range rows {
		plain[i] = row.Row
	}
	return ledger.SumsOf(plain)
}

func joinStatuses(statuses []ledger.Status) string {
	texts := make([]string, len(statuses))
	for i, status := range statuses {
		texts[i] = string(status)
	}
	return strings.Join(texts, ",")
}

func shownRow(row orderRow) officepages.Row {
	return officepages.Row{
		Order: row.Order, URL: orderURL(row.Order), Ledger: row.Name, Status: string(row.Status), At: row.At,
		Amount: officepages.Money{Minor: row.Amount, Currency: row.Currency}, Refunded: officepages.Money{Minor: row.Refunded, Currency: row.Currency},
		Description: row.Description, Ref: row.Ref, Late: row.Late, Disputed: row.Disputed, Refunding: row.Refunding,
	}
}

// orderURL is the page of one order.
func orderURL(order string) string { return "?" + url.Values{"order": {order}}.Encode() }

// listURL is the list that is shown, with one thing changed.
func listURL(query url.Values, name, value string) string {
	changed := url.Values{}
	for _, kept := range []string{"day", "from", "to", "status", "q", "name", "before"} {
		if values := query[kept]; len(values) > 0 {
			changed[kept] = values
		}
	}
	changed.Del("before")
	if value != "" {
		changed.Set(name, value)
	}
	return "?" + changed.Encode()
}

// presets are the periods that are looked at most.
func presets(s search, now time.Time) []officepages.Preset {
	today := ledger.DayOf(now)
	year, month, _ := today.Start().Date()
	begin := func(month time.Month) ledger.Day {
		return ledger.DayOf(time.Date(year, month, 1, 0, 0, 0, 0, today.Start().Location()))
	}
	all := []officepages.Preset{}
	for _, preset := range []struct {
		name        string
		first, last ledger.Day
	}{
		{"today", today, today},
		{"yesterday", today.Previous(), today.Previous()},
		{"month", begin(month), today},
		{"last_month", begin(month - 1), begin(month).Previous()},
	} {
		from, to := preset.first.String(), preset.last.String()
		all = append(all, officepages.Preset{
			Name: preset.name, URL: "?" + url.Values{"from": {from}, "to": {to}}.Encode(),
			Current: from == s.First.String() && to == s.Last.String(),
		})
	}
	return all
}

// takings add up what came in, by currency and by day or month.
type takings struct {
	monthly bool
	names   []string                         // of days or months, the last first
	all     map[string]map[string]ledger.Sum // by currency and name
}

func newTakings(period ledger.Period) *takings {
	length := period.Last.Start().Sub(period.First.Start())
	return &takings{monthly: length >= dailyUpTo*24*time.Hour, all: make(map[string]map[string]ledger.Sum)}
}

// add takes the days one after the other, the last one first.
func (t *takings) add(day ledger.Day, sums []ledger.Sum) {
	name := day.String()
	if t.monthly {
		name = name[:len("2026-11")]
	}
	if len(t.names) == 0 || t.names[len(t.names)-1] != name {
		t.names = append(t.names, name)
	}
	for _, sum := range sums {
		if t.all[sum.Currency] == nil {
			t.all[sum.Currency] = make(map[string]ledger.Sum)
		}
		t.all[sum.Currency][name] = sum.Plus(t.all[sum.Currency][name])
	}
}

// found is how many orders there are.
func (t *takings) found() (orders int) {
	for _, total := range t.totals() {
		orders += total.Orders
	}
	return orders
}

func (t *takings) totals() (totals []officepages.Total) {
	for _, currency := range slices.Sorted(maps.Keys(t.all)) {
		whole := ledger.Sum{Currency: currency}
		for _, sum := range t.all[currency] {
			whole = whole.Plus(sum)
		}
		totals = append(totals, officepages.Total{
			Orders: whole.Orders, Paid: whole.Paid, Taken: officepages.Money{Minor: whole.Taken, Currency: currency},
			Refunded: officepages.Money{Minor: whole.Refunded, Currency: currency}, Kept: officepages.Money{Minor: whole.Taken - whole.Refunded, Currency: currency},
		})
	}
	return totals
}

// charts are those of the currencies in which anything came in. One day makes
// no chart.
func (t *takings) charts() (charts []officepages.Chart) {
	if len(t.names) < 2 {
		return nil
	}
	for _, currency := range slices.Sorted(maps.Keys(t.all)) {
		chart := officepages.Chart{Currency: currency, Monthly: t.monthly}
		for _, name := range slices.Backward(t.names) {
			sum := t.all[currency][name]
			chart.Spans = append(chart.Spans, officepages.Span{
				Name: name, Paid: sum.Paid, Taken: officepages.Money{Minor: sum.Taken, Currency: currency},
				Refunded: officepages.Money{Minor: sum.Refunded, Currency: currency}, Kept: officepages.Money{Minor: sum.Taken - sum.Refunded, Currency: currency},
			})
		}
		if chart.Most().Minor > 0 {
			charts = append(charts, chart)
		}
	}
	return charts
}

// download writes a period's orders as CSV, the oldest first. What it holds of
// them at any time is a day. The mark in front tells spreadsheets that the text
// is UTF-8.
func (o *Orders) download(w http.ResponseWriter, r *http.Request) error {
	s, err := o.search(r)
	if err != nil {
		return err
	}
	s.Descending = false
	control := http.NewResponseController(w)
	table := csv.NewWriter(w)
	begun := false
	begin := func() {
		officepages.SetCommonHeaders(w.Header())
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="orders-`+s.First.String()+`-`+s.Last.String()+`.csv"`)
		_, _ = w.Write([]byte("\ufeff"))
		_ = table.Write(csvHeader)
		begun = true
	}
	for rows, err := range o.app.days(r.Context(), s, "") {
		if err != nil && !begun {
			return err
		}
		if err != nil {
			panic(http.ErrAbortHandler) // so that the browser does not take it for the whole
		}
		if !begun {
			begin()
		}
		for _, row := range rows {
			_ = table.Write(csvRow(row))
		}
		table.Flush()
		if table.Error() != nil {
			return nil // nobody reads it any more
		}
		_ = control.SetWriteDeadline(time.Now().Add(time.Minute))
		_ = control.Flush()
	}
	_ = control.SetWriteDeadline(time.Time{}) // the connection may go on to other requests
	return nil
}

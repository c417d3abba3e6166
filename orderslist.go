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
	before := query.Get("before")
	if before != "" {
		page.NewestURL = listURL(query, "before", "")
	}
	sums := newTakings(s.Period)
	for rows, err := range o.app.days(ctx, s, "") {
		if err != nil {
			return err
		}
		sums.nextDay()
		for _, row := range rows {
			sums.add(row.Row)
			switch {
			case before != "" && row.Order >= before || page.OlderURL != "":
			case len(page.Rows) == ordersShown:
				page.OlderURL = listURL(query, "before", page.Rows[ordersShown-1].Order)
			default:
				page.Rows = append(page.Rows, shownRow(row))
			}
		}
		page.Found += len(rows)
	}
	page.Totals, page.Charts = sums.totals(), sums.charts()
	return officepages.Write(w, r, http.StatusOK, page)
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

// takings adds up what came in, by currency and by day. It goes through the days
// of a period backwards.
type takings struct {
	day     ledger.Day
	monthly bool
	names   []string                   // of days or months, the last first
	all     map[string]map[string]*sum // by currency and name
}

// sum is what some orders of one currency come to.
type sum struct {
	orders, paid    int
	taken, refunded int64
}

func newTakings(period ledger.Period) *takings {
	monthly := period.Last.Start().Sub(period.First.Start()) >= dailyUpTo*24*time.Hour
	return &takings{day: period.Last.Next(), monthly: monthly, all: make(map[string]map[string]*sum)}
}

// nextDay goes on to the day before.
func (t *takings) nextDay() {
	t.day = t.day.Previous()
	name := t.day.String()
	if t.monthly {
		name = name[:len("2026-11")]
	}
	if !slices.Contains(t.names, name) {
		t.names = append(t.names, name)
	}
}

func (t *takings) add(row ledger.Row) {
	spans, ok := t.all[row.Currency]
	if !ok {
		spans = make(map[string]*sum)
		t.all[row.Currency] = spans
	}
	name := t.names[len(t.names)-1]
	if spans[name] == nil {
		spans[name] = new(sum)
	}
	spans[name].add(row)
}

func (s *sum) add(row ledger.Row) {
	s.orders++
	if paid, _ := row.Taken(); paid {
		s.paid++
		s.taken += row.Amount
		s.refunded += row.Refunded
	}
}

func (t *takings) totals() (totals []officepages.Total) {
	for _, currency := range slices.Sorted(maps.Keys(t.all)) {
		var whole sum
		for _, span := range t.all[currency] {
			whole.orders += span.orders
			whole.paid += span.paid
			whole.taken += span.taken
			whole.refunded += span.refunded
		}
		span := whole.span("", currency)
		totals = append(totals, officepages.Total{Orders: whole.orders, Paid: whole.paid, Taken: span.Taken, Refunded: span.Refunded, Kept: span.Kept})
	}
	return totals
}

func (s sum) span(name, currency string) officepages.Span {
	return officepages.Span{
		Name: name, Paid: s.paid, Taken: officepages.Money{Minor: s.taken, Currency: currency},
		Refunded: officepages.Money{Minor: s.refunded, Currency: currency}, Kept: officepages.Money{Minor: s.taken - s.refunded, Currency: currency},
	}
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
			span := t.all[currency][name]
			if span == nil {
				span = new(sum)
			}
			chart.Spans = append(chart.Spans, span.span(name, currency))
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

package qfpayjsapi

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// orderRow is what lists say of an order.
type orderRow struct {
	Name string `json:"name"` // of the ledger
	ledger.Row
	DisplayAmount   string `json:"display_amount"`
	DisplayRefunded string `json:"display_refunded"`
}

// search is which orders are wanted.
type search struct {
	ledger.Period
	Name   string          // of a ledger; "" for all
	Status []ledger.Status // empty for all
	Text   string          // in the order's number, description, reference or the gateway's number
}

// isNarrow reports whether not all orders of the period are wanted.
func (s search) isNarrow() bool { return len(s.Status) > 0 || s.Text != "" }

func (s search) fits(row ledger.Row) bool {
	if len(s.Status) > 0 && !slices.Contains(s.Status, row.Status) {
		return false
	}
	if s.Text == "" {
		return true
	}
	for _, said := range []string{row.Order, row.Description, row.Ref, row.Syssn} {
		if strings.Contains(strings.ToLower(said), strings.ToLower(s.Text)) {
			return true
		}
	}
	return false
}

// longestPeriod bounds a search, in days.
const longestPeriod = 3700

// searchParameters are those that readSearch reads.
var searchParameters = []string{"day", "from", "to", "status", "q", "name"}

// readSearch reads what is wanted from a request: day, or from and to; status,
// repeated or with commas; name; q. Without a day, it is today.
func readSearch(r *http.Request, now time.Time) (search, error) {
	query := r.URL.Query()
	today := ledger.DayOf(now).String()
	first, last := cmp.Or(query.Get("from"), query.Get("day"), query.Get("to"), today), cmp.Or(query.Get("to"), query.Get("day"), today)
	if query.Get("from") == "" && query.Get("to") != "" {
		first = last
	}
	s := search{Name: query.Get("name"), Text: strings.TrimSpace(query.Get("q"))}
	s.Descending = true
	var err error
	if s.First, err = ledger.ParseDay(first); err != nil {
		return s, deny(http.StatusBadRequest, "%v", err)
	}
	if s.Last, err = ledger.ParseDay(last); err != nil {
		return s, deny(http.StatusBadRequest, "%v", err)
	}
	if s.Last.Before(s.First) {
		return s, deny(http.StatusBadRequest, "the period ends on %s before it begins on %s", s.Last, s.First)
	}
	if s.Last.Start().Sub(s.First.Start()) > longestPeriod*24*time.Hour {
		return s, deny(http.StatusBadRequest, "the period is longer than %d days", longestPeriod)
	}
	for _, text := range query["status"] {
		for status := range strings.SplitSeq(text, ",") {
			if status == "" {
				continue
			}
			if !slices.Contains(ledger.Statuses(), ledger.Status(status)) {
				return s, deny(http.StatusBadRequest, "%q is no status; there are %v", status, ledger.Statuses())
			}
			s.Status = append(s.Status, ledger.Status(status))
		}
	}
	return s, nil
}

// books returns the books of a ledger, or of all, in the order of their names.
func (a *App) books(name string) (all []*books) {
	for _, key := range slices.Sorted(maps.Keys(a.clerks)) {
		if name == "" || name == key {
			all = append(all, a.clerks[key].books)
		}
	}
	return all
}

// orders yields what a search finds: a day after the other, ledger by ledger
// within a day. A before leaves out that order and all that come before it in
// the list.
func (a *App) orders(ctx context.Context, s search, before string) iter.Seq2[orderRow, error] {
	return func(yield func(orderRow, error) bool) {
		if s.Name != "" && len(a.books(s.Name)) == 0 {
			yield(orderRow{}, deny(http.StatusNotFound, "there is no ledger called %q", s.Name))
			return
		}
		for rows, err := range a.days(ctx, s, before) {
			if err != nil {
				yield(orderRow{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// days yields the rows of each day, over all ledgers, by their orders' numbers.
func (a *App) days(ctx context.Context, s search, before string) iter.Seq2[[]orderRow, error] {
	return func(yield func([]orderRow, error) bool) {
		if before != "" {
			day, err := dayOfOrder(before)
			if err != nil {
				yield(nil, err)
				return
			}
			if day.Before(s.Last) {
				s.Last = day
			}
		}
		shelves, err := a.shelves(ctx, s)
		if err != nil {
			yield(nil, err)
			return
		}
		for day := range s.Days() {
			rows, err := shelves.rows(ctx, day, s, before)
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

// dayOfOrder is the day on which an order is filed.
func dayOfOrder(order string) (ledger.Day, error) {
	started, err := checkout.Started(order)
	if err != nil {
		return ledger.Day{}, deny(http.StatusBadRequest, "before is no order's number")
	}
	return ledger.DayOf(started), nil
}

// shelves are the ledgers that a search goes through.
type shelves []shelf

type shelf struct {
	name string
	ledger.Calendar
}

func (a *App) shelves(ctx context.Context, s search) (shelves, error) {
	var all shelves
	for _, b := range a.books(s.Name) {
		calendar, err := b.ledger.Calendar(ctx, b.now())
		if err != nil {
			return nil, err
		}
		all = append(all, shelf{b.name, calendar})
	}
	return all, nil
}

// rows are what a search finds on a day.
func (all shelves) rows(ctx context.Context, day ledger.Day, s search, before string) ([]orderRow, error) {
	var found []orderRow
	for _, shelf := range all {
		rows, err := shelf.Rows(ctx, day)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if s.fits(row) && (before == "" || row.Order < before) {
				found = append(found, newOrderRow(shelf.name, row))
			}
		}
	}
	slices.SortFunc(found, func(x, y orderRow) int {
		if s.Descending {
			x, y = y, x
		}
		return cmp.Compare(x.Order, y.Order)
	})
	return found, nil
}

// sums are what all orders of a day come to.
func (all shelves) sums(ctx context.Context, day ledger.Day) (sums []ledger.Sum, err error) {
	for _, shelf := range all {
		more, err := shelf.Sums(ctx, day)
		if err != nil {
			return nil, err
		}
		sums = append(sums, more...)
	}
	return sums, nil
}

func newOrderRow(name string, row ledger.Row) orderRow {
	return orderRow{
		Name: name, Row: row,
		DisplayAmount: displayAmount(row.Amount, row.Currency), DisplayRefunded: displayAmount(row.Refunded, row.Currency),
	}
}

// displayAmount is money as people write it; of an unknown currency, as it came.
func displayAmount(minor int64, currency string) string { return checkout.Decimal(minor, currency) }

// find looks for an order in a ledger, or in all.
func (a *App) find(ctx context.Context, name, id string) (*books, ledger.Order, error) {
	for _, b := range a.books(name) {
		order, err := b.ledger.Find(ctx, id)
		if errors.Is(err, ledger.ErrUnknown) {
			continue
		}
		return b, order, err
	}
	return nil, ledger.Order{}, ledger.ErrUnknown
}

package backoffice

import (
	"context"
	"maps"
	"slices"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// dailyUpTo is the longest period, in days, of which a chart shows each day.
const dailyUpTo = 92

// takings are what came in, by currency and by day or month.
type takings struct {
	monthly bool
	names   []string                         // of the days or months, the first one first
	all     map[string]map[string]ledger.Sum // by currency and name

	// given is what went back on a day or in a month, of whatever orders; nil where
	// that is not shown.
	given map[string]map[string]ledger.Sum
}

// takings are what the orders of a search come to, with what went back on its days
// where all orders of them are wanted.
func (o *Office) takings(ctx context.Context, s Search) (*takings, error) {
	sums, err := o.Sums(ctx, s)
	if err != nil {
		return nil, err
	}
	t := newTakings(s.Period, sums)
	if s.IsNarrow() {
		return t, nil
	}
	given, err := o.GivenBack(ctx, s)
	if err != nil {
		return nil, err
	}
	t.giveBack(given)
	return t, nil
}

func newTakings(period ledger.Period, sums []ledger.DaySum) *takings {
	t := &takings{monthly: period.Length() > dailyUpTo}
	for day := range period.Days() {
		if name := t.span(day.String()); len(t.names) == 0 || t.names[len(t.names)-1] != name {
			t.names = append(t.names, name)
		}
	}
	t.all = t.bySpan(sums)
	return t
}

// giveBack adds what went back on the days of the period.
func (t *takings) giveBack(sums []ledger.DaySum) {
	t.given = t.bySpan(sums)
	for currency := range t.given {
		if t.all[currency] == nil {
			t.all[currency] = make(map[string]ledger.Sum)
		}
	}
}

// bySpan adds sums up by currency and day or month.
func (t *takings) bySpan(sums []ledger.DaySum) map[string]map[string]ledger.Sum {
	all := make(map[string]map[string]ledger.Sum)
	for _, sum := range sums {
		if all[sum.Currency] == nil {
			all[sum.Currency] = make(map[string]ledger.Sum)
		}
		name := t.span(sum.Day)
		all[sum.Currency][name] = sum.Plus(all[sum.Currency][name])
	}
	return all
}

// span is the day, or the month of a day.
func (t *takings) span(day string) string {
	if t.monthly {
		return day[:len("2026-11")]
	}
	return day
}

// found is how many orders there are.
func (t *takings) found() (orders int64) {
	for _, total := range t.totals() {
		orders += total.Orders
	}
	return orders
}

func (t *takings) totals() (totals []pages.Total) {
	for _, currency := range slices.Sorted(maps.Keys(t.all)) {
		whole := ledger.Sum{Currency: currency}
		for _, sum := range t.all[currency] {
			whole = whole.Plus(sum)
		}
		total := shownTotal(whole)
		if t.given != nil {
			given := pages.Money{Currency: currency}
			for _, sum := range t.given[currency] {
				given.Minor += sum.Refunded
			}
			total.GivenBack = &given
		}
		totals = append(totals, total)
	}
	return totals
}

// charts are those of the currencies in which anything came in. One day makes no
// chart.
func (t *takings) charts() (charts []pages.Chart) {
	if len(t.names) < 2 {
		return nil
	}
	for _, currency := range slices.Sorted(maps.Keys(t.all)) {
		chart := pages.Chart{Currency: currency, Monthly: t.monthly, GivesBack: t.given != nil}
		for _, name := range t.names {
			sum := t.all[currency][name]
			chart.Spans = append(chart.Spans, pages.Span{
				Name: name, Paid: sum.Paid, Gross: pages.Money{Minor: sum.Gross, Currency: currency},
				Refunded: pages.Money{Minor: sum.Refunded, Currency: currency}, Net: pages.Money{Minor: sum.Gross - sum.Refunded, Currency: currency},
				GivenBack: pages.Money{Minor: t.given[currency][name].Refunded, Currency: currency},
			})
		}
		if chart.Most().Minor > 0 || len(t.given[currency]) > 0 {
			charts = append(charts, chart)
		}
	}
	return charts
}

package backoffice

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// columns are those of an export as CSV.
type columns struct {
	told   bool
	fields []string // that have columns of their own
}

// columns are those of what a search wants: with what payers told the shop, one for
// each field that the shops ask for now, and one for all others.
func (o *Office) columns(s Search) columns {
	c := columns{told: s.Told}
	if !s.Told {
		return c
	}
	for _, l := range o.Ledgers {
		for _, shop := range l.Shops {
			for _, field := range o.fields(shop) {
				if !slices.Contains(c.fields, field) {
					c.fields = append(c.fields, field)
				}
			}
		}
	}
	return c
}

// header names the columns.
func (c columns) header() []string {
	names := []string{
		"order", "status", "started", "paid_at", "fulfilled_at", "currency", "amount", "refunded", "net", "refund_pending", "description", "items", "ref", "syssn", "late", "disputed", "method", "shop", "damaged",
	}
	for _, field := range c.fields {
		names = append(names, "field."+field)
	}
	if c.told {
		names = append(names, "other_fields")
	}
	return names
}

// cells are an order for a spreadsheet: times of the shop's zone, amounts as
// decimals.
func (c columns) cells(r exported) []string {
	cells := []string{
		unspoilt(r.Order), string(r.Status), clock(r.At), clock(r.PaidAt), clock(r.FulfilledAt), r.Currency, r.DisplayAmount, r.DisplayRefunded, DisplayAmount(r.net(), r.Currency), DisplayAmount(r.RefundPending, r.Currency),
		unspoilt(r.Description), unspoilt(inWords(r.Items)), unspoilt(r.Ref), unspoilt(r.Syssn), yesIf(r.Late), yesIf(r.Disputed), r.Method, unspoilt(r.Shop), yesIf(r.Damaged),
	}
	for _, field := range c.fields {
		cells = append(cells, unspoilt(strings.Join(r.Fields[field], "; ")))
	}
	if c.told {
		cells = append(cells, c.others(r.Fields))
	}
	for i, cell := range cells {
		cells[i] = harmless(Printable(cell))
	}
	return cells
}

// inWords is what was bought, such as 2 × Cat food; 1 × Bowl.
func inWords(lines []ledger.Line) string {
	texts := make([]string, len(lines))
	for i, line := range lines {
		texts[i] = strconv.Itoa(line.Quantity) + " × " + cmp.Or(line.Name, line.Item)
	}
	return strings.Join(texts, "; ")
}

// others are the fields without a column, with their names.
func (c columns) others(told ledger.Fields) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if !slices.Contains(c.fields, name) {
			texts = append(texts, name+": "+strings.Join(told[name], "; "))
		}
	}
	return strings.Join(texts, "; ")
}

// clock is a time in a form that spreadsheets read.
func clock(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.DateTime)
}

func yesIf(holds bool) string {
	if holds {
		return "yes"
	}
	return ""
}

package backoffice

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// open finds the order that a request is about.
func (p *Pages) open(r *http.Request) (Detail, error) {
	return p.Office.Detail(r.Context(), strings.ToUpper(r.URL.Query().Get("order")))
}

// show is the page of one order. It alone shows what the payer told the shop.
func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	detail, err := p.open(r)
	if err != nil {
		return err
	}
	return p.showOrder(w, r, detail, http.StatusOK, attempt{})
}

// attempt is what the owner wanted to do on a page, and why it was not done.
type attempt struct {
	typed, wrong string // the amount of a refund, and what is wrong with it: amount or too_much
	note         string // for the payer
	amount       int64  // of a refund, minor units; 0 for none
	isOutdated   bool   // the order is not any more as the page showed it
}

// stateOf is how an order stands, as far as it matters to what the owner does. Every
// form carries it, so that nothing is done to an order that has changed since its
// page was made: Back, after a refund, does not lead to the same refund once more.
func stateOf(row Row) string {
	fulfilled := "no"
	if !row.FulfilledAt.IsZero() {
		fulfilled = strconv.FormatInt(row.FulfilledAt.UnixNano(), 36)
	}
	return strings.Join([]string{
		string(row.Status), fulfilled, strconv.FormatInt(row.Refunded, 10), strconv.FormatInt(row.RefundPending, 10), strconv.FormatBool(row.Disputed),
	}, "-")
}

// askAgain shows how the order stands now, says that nothing was done, and keeps
// what was typed.
func (p *Pages) askAgain(w http.ResponseWriter, r *http.Request, detail Detail, tried attempt) error {
	if tried.isOutdated = true; tried.amount > 0 {
		tried.typed = DisplayAmount(tried.amount, detail.Currency)
	}
	return p.showOrder(w, r, detail, http.StatusConflict, tried)
}

// showOrder shows the page, with what came of an attempt.
func (p *Pages) showOrder(w http.ResponseWriter, r *http.Request, detail Detail, status int, tried attempt) error {
	session := p.session(w, r)
	page := pages.Order{
		Row: p.Office.shownRow(detail.Row), PaidAt: detail.PaidAt, Syssn: detail.Syssn, Invoice: detail.Invoice,
		Events: shownEvents(detail.Events, detail.Currency), Notice: notice(r, detail), Typed: tried.typed, Wrong: tried.wrong,
		Left: detail.money(detail.Left), Closable: detail.Status == ledger.StatusPending,
		Ask: p.hidden(session, detail, action{Do: "query"}), URL: orderURL(detail.Order), BackURL: "?day=" + ledger.DayIn(detail.At.Location(), ledger.StartedAt(detail.Order)).String(),
		FulfilledAt: detail.FulfilledAt, Note: detail.Note, Short: detail.Short, TypedNote: cmp.Or(tried.note, detail.Note), Was: stateOf(detail.Row),
		Zone: detail.At.Location().String(),
	}
	if tried.isOutdated {
		page.Notice = "changed"
	}
	page.Items, page.Fields = shownItems(detail.Items, detail.Currency), p.Office.shownFields(detail.Shop, detail.Fields)
	p.offerFulfilment(&page, session, detail)
	for _, refund := range detail.Refunds {
		page.Refunds = append(page.Refunds, pages.Refund{
			ID: refund.RefundID, Status: refund.Status, Syssn: refund.Syssn, Reason: refund.Reason + InBrackets(refund.Respcd), Amount: detail.money(refund.Amount), At: refund.At,
		})
	}
	for _, d := range detail.Deliveries {
		page.Deliveries = append(page.Deliveries, pages.Delivery{
			Event: d.Event, Endpoint: d.Endpoint, Status: d.Status, Attempts: d.Attempts, LastStatus: d.LastStatus, NextAt: d.NextAt,
		})
	}
	return pages.Write(w, r, status, page)
}

func shownItems(lines []ledger.Line, currency string) (items []pages.Item) {
	for _, line := range lines {
		items = append(items, pages.Item{
			Name: line.Name, Quantity: line.Quantity, Sum: pages.Money{Minor: line.Price * int64(line.Quantity), Currency: currency},
		})
	}
	return items
}

// shownFields are what a payer told a shop, in the order of its form; what the form
// does not ask for any more comes last.
func (o *Office) shownFields(shop string, fields ledger.Fields) (pairs []pages.Pair) {
	asked := o.fields(shop)
	names := slices.Concat(asked, slices.DeleteFunc(slices.Sorted(maps.Keys(fields)), func(name string) bool { return slices.Contains(asked, name) }))
	for _, name := range names {
		if values := fields[name]; len(values) > 0 {
			pairs = append(pairs, pages.Pair{Name: name, Value: strings.Join(values, "\n")})
		}
	}
	return pairs
}

func (d Detail) money(minor int64) pages.Money {
	return pages.Money{Minor: minor, Currency: d.Currency}
}

// notice is what the address says has just been done, as far as it is so.
func notice(r *http.Request, detail Detail) string {
	done, id, _ := strings.Cut(r.URL.Query().Get("done"), ".")
	switch {
	case done == "query":
		return "asked"
	case done == "close" && detail.Status == ledger.StatusClosed:
		return "closed"
	case done == "fulfil" && !detail.FulfilledAt.IsZero():
		return "fulfilled"
	case done == "unfulfil" && detail.FulfilledAt.IsZero():
		return "unfulfilled"
	case done == "refund":
		for _, refund := range detail.Refunds {
			if refund.RefundID == id {
				return "refund_" + refund.Status
			}
		}
	}
	return ""
}

func shownEvents(events []EventView, currency string) []pages.Event {
	shown := make([]pages.Event, len(events))
	for i, event := range events {
		shown[i] = pages.Event{Kind: event.Event, About: event.About, At: event.At, Data: shownData(event, currency)}
	}
	return shown
}

// dataOrder is in which order the history says the best known things of an event.
var dataOrder = []string{"amount", "note", "reason", "source", "syssn", "call", "respcd", "message"}

// shownData is what an event says beside its kind. That something is not so, or
// went as it should, goes without saying.
func shownData(event EventView, currency string) (pairs []pages.Pair) {
	data := maps.Clone(event.Data)
	currency = currencyOf(data, currency)
	if _, ok := data["amount"]; ok {
		delete(data, "currency")
	}
	names := slices.SortedFunc(maps.Keys(data), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
	})
	for _, name := range names {
		if value := shownValue(name, data[name], currency); value != "" {
			pairs = append(pairs, pages.Pair{Name: name, Value: value})
		}
	}
	return pairs
}

// rank is where a thing is in dataOrder; what is not in it comes last.
func rank(name string) int {
	if i := slices.Index(dataOrder, name); i >= 0 {
		return i
	}
	return len(dataOrder)
}

func shownValue(name string, value any, currency string) string {
	switch said := value.(type) {
	case string:
		return said
	case bool:
		if said {
			return "true"
		}
	case float64:
		if name == "amount" {
			return DisplayAmount(int64(said), currency) + " " + currency
		}
		return strconv.FormatFloat(said, 'f', -1, 64)
	}
	return ""
}

// currencyOf is the currency that an event's amount is in: its own, or else that of
// the order.
func currencyOf(data map[string]any, currency string) string {
	if own, ok := data["currency"].(string); ok && own != "" {
		return own
	}
	return currency
}

// confirmRefund asks whether to refund so much, if so much is left.
func (p *Pages) confirmRefund(w http.ResponseWriter, r *http.Request) error {
	detail, err := p.open(r)
	if err != nil {
		return err
	}
	typed := strings.TrimSpace(r.URL.Query().Get("refund"))
	amount, err := p.ParseAmount(typed, detail.Currency)
	switch {
	case err != nil:
		return p.showOrder(w, r, detail, http.StatusBadRequest, attempt{typed: typed, wrong: "amount"})
	case isOutdated(r, detail):
		return p.askAgain(w, r, detail, attempt{typed: typed})
	case amount > detail.Left:
		return p.showOrder(w, r, detail, http.StatusConflict, attempt{typed: typed, wrong: "too_much"})
	}
	return p.confirm(w, r, detail, action{Do: "refund", RefundID: nextRefund(detail), Amount: amount})
}

// nextRefund is what the page calls the next refund of an order: the same for all
// who look at the order before there is one more. Whoever sends the same form
// twice, or confirms the same refund in two windows, makes one.
func nextRefund(detail Detail) string {
	return "page-" + strconv.Itoa(len(detail.Refunds)+1)
}

// confirmClose asks whether to close an order.
func (p *Pages) confirmClose(w http.ResponseWriter, r *http.Request) error {
	detail, err := p.open(r)
	if err != nil {
		return err
	}
	if isOutdated(r, detail) || detail.Status != ledger.StatusPending {
		return p.askAgain(w, r, detail, attempt{})
	}
	return p.confirm(w, r, detail, action{Do: "close"})
}

// isOutdated reports whether an order has changed since the page that leads to a
// question was made.
func isOutdated(r *http.Request, detail Detail) bool {
	return r.URL.Query().Get("was") != stateOf(detail.Row)
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request, detail Detail, a action) error {
	session := p.session(w, r)
	a.Was = stateOf(detail.Row)
	return pages.Write(w, r, http.StatusOK, pages.Confirm{
		Row: p.Office.shownRow(detail.Row), Do: a.Do, Amount: detail.money(a.Amount), Rest: detail.money(detail.Left - a.Amount),
		Hidden: p.hidden(session, detail, a), URL: orderURL(detail.Order), BackURL: orderURL(detail.Order),
	})
}

package qfpayjsapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/officepages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// file is one order with the books that it is in.
type file struct {
	*books
	order  ledger.Order
	detail orderDetail
}

// open finds the order that a request is about.
func (o *Orders) open(ctx context.Context, id string) (file, error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	b, order, err := o.app.find(ctx, o.Name, id)
	if err != nil {
		return file{}, err
	}
	detail, err := b.detail(ctx, order)
	return file{b, order, detail}, err
}

// show is the page of one order. It alone shows what the payer told the shop.
func (o *Orders) show(w http.ResponseWriter, r *http.Request) error {
	f, err := o.open(r.Context(), r.URL.Query().Get("order"))
	if err != nil {
		return err
	}
	return o.showOrder(w, r, f, http.StatusOK, "", "")
}

// showOrder shows the page, with what was typed as the amount of a refund and
// what is wrong with it.
func (o *Orders) showOrder(w http.ResponseWriter, r *http.Request, f file, status int, typed, wrong string) error {
	session := o.session(w, r)
	page := officepages.Order{
		Row: shownRow(f.detail.orderRow), PaidAt: f.detail.PaidAt, Syssn: f.detail.Syssn, Invoice: f.detail.Invoice,
		Facts: shownFacts(f.detail.Facts, f.detail.Currency), Notice: notice(r, f.detail), Typed: typed, Wrong: wrong,
		Left: f.money(f.detail.Left), Closable: f.detail.Status == ledger.StatusPending,
		Ask: o.hidden(session, f, deed{Do: "query"}), URL: orderURL(f.order.ID), BackURL: "?day=" + dayOf(f.order),
	}
	for _, line := range f.detail.Items {
		page.Items = append(page.Items, officepages.Item{Name: line.Name, Quantity: line.Quantity, Sum: f.money(line.Price * int64(line.Quantity))})
	}
	for _, name := range slices.Sorted(maps.Keys(f.order.Intent.Fields)) {
		page.Fields = append(page.Fields, officepages.Pair{Name: name, Value: f.order.Intent.Fields[name]})
	}
	for _, refund := range f.detail.Refunds {
		page.Refunds = append(page.Refunds, officepages.Refund{
			ID: refund.RefundID, Status: refund.Status, Syssn: refund.Syssn, Reason: refund.Reason + inBrackets(refund.Respcd), Amount: f.money(refund.Amount),
		})
	}
	return officepages.Write(w, r, status, page)
}

func (f file) money(minor int64) officepages.Money {
	return officepages.Money{Minor: minor, Currency: f.order.Intent.Currency}
}

// dayOf is the day in whose list an order is.
func dayOf(order ledger.Order) string {
	started, _ := checkout.Started(order.ID)
	return ledger.DayOf(started).String()
}

// notice is what the address says has just been done, as far as it is so.
func notice(r *http.Request, detail orderDetail) string {
	done, id, _ := strings.Cut(r.URL.Query().Get("done"), ".")
	switch {
	case done == "query":
		return "asked"
	case done == "close" && detail.Status == ledger.StatusClosed:
		return "closed"
	case done == "refund":
		for _, refund := range detail.Refunds {
			if refund.RefundID == id {
				return "refund_" + refund.Status
			}
		}
	}
	return ""
}

// shownFacts tells what a fact is from what is in its name besides, such as the
// number of a refund.
func shownFacts(facts []factView, currency string) []officepages.Fact {
	shown := make([]officepages.Fact, len(facts))
	for i, fact := range facts {
		kind, about, _ := strings.Cut(fact.Fact, "-")
		shown[i] = officepages.Fact{Kind: kind, About: about, At: fact.At, Data: shownData(fact.Data, currency)}
	}
	return shown
}

// shownData leaves out what stands elsewhere on the page.
func shownData(data map[string]any, currency string) (pairs []officepages.Pair) {
	for _, name := range slices.Sorted(maps.Keys(data)) {
		var value string
		switch said := data[name].(type) {
		case string:
			value = said
			if at, err := time.Parse(time.RFC3339, said); err == nil {
				value = at.In(qfpay.HongKong).Format(time.DateTime)
			}
		case bool:
			value = strconv.FormatBool(said)
		case float64:
			value = strconv.FormatFloat(said, 'f', -1, 64)
			if name == "amount" {
				if of, ok := data["currency"].(string); ok {
					currency = of
				}
				value = displayAmount(int64(said), currency)
			}
		}
		if value != "" && name != "description" && name != "ref" {
			pairs = append(pairs, officepages.Pair{Name: name, Value: value})
		}
	}
	return pairs
}

// confirmRefund asks whether to refund so much, if so much is left.
func (o *Orders) confirmRefund(w http.ResponseWriter, r *http.Request) error {
	f, err := o.open(r.Context(), r.URL.Query().Get("order"))
	if err != nil {
		return err
	}
	typed := strings.TrimSpace(r.URL.Query().Get("refund"))
	amount, err := checkout.ParsePrice(typed, f.order.Intent.Currency)
	switch {
	case err != nil:
		return o.showOrder(w, r, f, http.StatusBadRequest, typed, "amount")
	case amount > f.detail.Left:
		return o.showOrder(w, r, f, http.StatusConflict, typed, "too_much")
	}
	return o.confirm(w, r, f, deed{Do: "refund", RefundID: nextRefund(f.detail), Amount: amount})
}

// nextRefund is what the page calls the next refund of an order: the same for
// all who look at the order before there is one more. Whoever sends the same
// form twice, or confirms the same refund in two windows, makes one.
func nextRefund(detail orderDetail) string {
	return "page-" + strconv.Itoa(len(detail.Refunds)+1)
}

// confirmClose asks whether to close an order.
func (o *Orders) confirmClose(w http.ResponseWriter, r *http.Request) error {
	f, err := o.open(r.Context(), r.URL.Query().Get("order"))
	if err != nil {
		return err
	}
	return o.confirm(w, r, f, deed{Do: "close"})
}

func (o *Orders) confirm(w http.ResponseWriter, r *http.Request, f file, d deed) error {
	session := o.session(w, r)
	return officepages.Write(w, r, http.StatusOK, officepages.Confirm{
		Row: shownRow(f.detail.orderRow), Do: d.Do, Amount: f.money(d.Amount), Rest: f.money(f.detail.Left - d.Amount),
		Hidden: o.hidden(session, f, d), URL: orderURL(f.order.ID), BackURL: orderURL(f.order.ID),
	})
}

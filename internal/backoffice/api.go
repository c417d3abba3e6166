package backoffice

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// The requests of the admin API. Errors that they return have had nothing written
// before them; [DenialOf] says them.

// Bounds of a page of orders.
const (
	defaultPage = 100
	MaxPage     = 1000
)

// OrdersPage is a page of orders, the newest first.
type OrdersPage struct {
	Orders []Row `json:"orders"`
	// Next is the value of before that asks for the page that follows; empty on
	// the last one.
	Next string `json:"next,omitempty"`
}

// ListOrders answers with a page of what a search finds.
func (o *Office) ListOrders(w http.ResponseWriter, r *http.Request) error {
	one, search, err := o.search(r)
	if err != nil {
		return err
	}
	limit, err := readLimit(r)
	if err != nil {
		return err
	}
	before, err := readBefore(r.URL.Query())
	if err != nil {
		return err
	}
	rows, err := one.Rows(r.Context(), search, ledger.Page{After: before, Limit: limit + 1})
	if err != nil {
		return err
	}
	page := OrdersPage{Orders: append([]Row{}, rows[:min(len(rows), limit)]...)} // never null
	if len(rows) > limit {
		page.Next = rows[limit-1].Order
	}
	return WriteJSON(w, http.StatusOK, page)
}

// search reads what is looked for, and where.
func (o *Office) search(r *http.Request) (*Office, Search, error) {
	query := r.URL.Query()
	one, err := o.Only(query.Get("name"))
	if err != nil {
		return nil, Search{}, err
	}
	search, err := ReadSearch(query, one.today())
	return one, search, err
}

func readLimit(r *http.Request) (int, error) {
	limit, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), strconv.Itoa(defaultPage)))
	if err != nil || limit < 1 || limit > MaxPage {
		return 0, Deny(http.StatusBadRequest, "limit must be from 1 to %d", MaxPage)
	}
	return limit, nil
}

// ExportParameters are those of an export, beside what it searches for: csv or
// jsonl, the default, and true for what payers told the shop.
var ExportParameters = []string{"format", "fields"}

// ExportOrders answers with all that a search finds, the oldest order first.
func (o *Office) ExportOrders(w http.ResponseWriter, r *http.Request) error {
	one, search, err := o.search(r)
	if err != nil {
		return err
	}
	format := r.URL.Query().Get("format")
	if search.Told, err = readTold(r.URL.Query()); err != nil {
		return err
	}
	switch format {
	case "csv":
		return one.exportCSV(r.Context(), w, search)
	case "jsonl", "":
		return one.exportJSON(r.Context(), w, search)
	default:
		return Deny(http.StatusBadRequest, "format is csv or jsonl, not %q", format)
	}
}

// readTold reads whether an export is to have what payers told the shop.
func readTold(query url.Values) (told bool, err error) {
	switch fields := query.Get("fields"); fields {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, Deny(http.StatusBadRequest, "fields is true or false, not %q", fields)
	}
}

// ShowOrder answers with all that is known of an order.
func (o *Office) ShowOrder(w http.ResponseWriter, r *http.Request) error {
	detail, err := o.Detail(r.Context(), orderIn(r))
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, detail)
}

// RefundOrder answers 200 for a refund that is done, 202 for one whose outcome is
// still to come, and 409 for one that was refused.
func (o *Office) RefundOrder(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		RefundID string          `json:"refund_id"`
		Amount   json.RawMessage `json:"amount"`
	}
	if err := ReadJSON(r, &asked); err != nil {
		return err
	}
	amount, err := readAmount(asked.Amount)
	if err != nil {
		return err
	}
	view, err := o.refund(r.Context(), orderIn(r), asked.RefundID, amount)
	if err != nil {
		return err
	}
	switch view.Status {
	case "done":
		return WriteJSON(w, http.StatusOK, view)
	case "pending":
		return WriteJSON(w, http.StatusAccepted, view)
	default:
		return Deny(http.StatusConflict, "the refund %s was refused, and no money went back: %s%s",
			view.RefundID, view.Reason, InBrackets(view.Respcd))
	}
}

// readAmount reads what is to go back; 0, if nothing is said, is all that is left.
// Null says something, but no amount.
func readAmount(raw json.RawMessage) (int64, error) {
	if len(raw) == 0 {
		return 0, nil
	}
	var amount *int64
	if err := json.Unmarshal(raw, &amount); err != nil || amount == nil {
		return 0, Deny(http.StatusBadRequest, wrongAmount)
	}
	if *amount <= 0 {
		return 0, Deny(http.StatusBadRequest, "amount must be positive, in minor units; leave it out to refund all that is left")
	}
	return *amount, nil
}

// QueryOrder asks the gateway about an order and its refunds now.
func (o *Office) QueryOrder(w http.ResponseWriter, r *http.Request) error {
	if err := ReadNothing(r); err != nil {
		return err
	}
	if err := o.lookUp(r.Context(), orderIn(r)); err != nil {
		return err
	}
	return o.ShowOrder(w, r)
}

// CloseOrder ends an order that nobody has paid.
func (o *Office) CloseOrder(w http.ResponseWriter, r *http.Request) error {
	if err := ReadNothing(r); err != nil {
		return err
	}
	if err := o.close(r.Context(), orderIn(r)); err != nil {
		return err
	}
	return o.ShowOrder(w, r)
}

// orphanRow is a payment that belongs to no order.
type orphanRow struct {
	ledger.Orphan
	DisplayAmount string `json:"display_amount"`
}

// mostOrphans bounds the list of orphans of a ledger. There should be none.
const mostOrphans = 1000

// ListOrphans answers with the payments that belong to no order, the newest first.
func (o *Office) ListOrphans(w http.ResponseWriter, r *http.Request) error {
	page := struct {
		Orphans []orphanRow `json:"orphans"`
	}{[]orphanRow{}}
	for _, l := range o.Ledgers {
		var orphans []ledger.Orphan
		err := l.view(r.Context(), func(tx *ledger.Tx) (err error) {
			orphans, err = tx.Orphans(l.Shops, mostOrphans)
			return err
		})
		if err != nil {
			return err
		}
		for _, orphan := range orphans {
			orphan.At = orphan.At.In(l.zone())
			page.Orphans = append(page.Orphans, orphanRow{orphan, DisplayAmount(orphan.Amount, orphan.Currency)})
		}
	}
	slices.SortStableFunc(page.Orphans, func(a, b orphanRow) int { return b.At.Compare(a.At) })
	return WriteJSON(w, http.StatusOK, page)
}

// orderIn is the order that an address names. Ids are found in either case.
func orderIn(r *http.Request) string { return strings.ToUpper(r.PathValue("order")) }

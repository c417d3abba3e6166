package qfpayjsapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Bounds of a page of orders.
const (
	defaultPage = 100
	maxPage     = 1000
)

// ordersPage is a page of orders, the newest first.
type ordersPage struct {
	Orders []orderRow `json:"orders"`
	// Next is the value of before that asks for the page that follows; empty on
	// the last one.
	Next string `json:"next,omitempty"`
}

func listOrders(app *App, w http.ResponseWriter, r *http.Request) error {
	search, err := readSearch(r, app.now())
	if err != nil {
		return err
	}
	limit, err := readLimit(r)
	if err != nil {
		return err
	}
	page := ordersPage{Orders: []orderRow{}}
	for row, err := range app.orders(r.Context(), search, r.URL.Query().Get("before")) {
		if err != nil {
			return err
		}
		if len(page.Orders) == limit {
			page.Next = page.Orders[limit-1].Order
			break
		}
		page.Orders = append(page.Orders, row)
	}
	return writeJSON(w, http.StatusOK, page)
}

func readLimit(r *http.Request) (int, error) {
	limit, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), strconv.Itoa(defaultPage)))
	if err != nil || limit < 1 || limit > maxPage {
		return 0, deny(http.StatusBadRequest, "limit must be from 1 to %d", maxPage)
	}
	return limit, nil
}

func showOrder(app *App, w http.ResponseWriter, r *http.Request) error {
	b, order, err := app.find(r.Context(), "", r.PathValue("order"))
	if err != nil {
		return err
	}
	return answerOrder(w, r, b, order, http.StatusOK)
}

func answerOrder(w http.ResponseWriter, r *http.Request, b *books, order ledger.Order, status int) error {
	detail, err := b.detail(r.Context(), order)
	if err != nil {
		return err
	}
	return writeJSON(w, status, detail)
}

// exportOrders writes a period's orders as JSON Lines, the oldest first. What it
// holds of them at any time is a day.
func exportOrders(app *App, w http.ResponseWriter, r *http.Request) error {
	search, err := readSearch(r, app.now())
	if err != nil {
		return err
	}
	search.Descending = false
	control := http.NewResponseController(w)
	lines := json.NewEncoder(w)
	w.Header().Set("Content-Type", "application/jsonl")
	written := 0
	for row, err := range app.orders(r.Context(), search, "") {
		if err == nil {
			err = lines.Encode(row)
		}
		if err != nil && written == 0 {
			return err
		}
		if err != nil {
			panic(http.ErrAbortHandler) // so that the reader does not take it for the whole
		}
		if written++; written%1000 == 0 {
			_ = control.SetWriteDeadline(time.Now().Add(time.Minute))
			_ = control.Flush()
		}
	}
	_ = control.SetWriteDeadline(time.Time{}) // the connection may go on to other requests
	return nil
}

// orphanRow is a payment that belongs to no order.
type orphanRow struct {
	Name          string `json:"name"`
	DisplayAmount string `json:"display_amount"`
	ledger.Orphan
}

func listOrphans(app *App, w http.ResponseWriter, r *http.Request) error {
	page := struct {
		Orphans []orphanRow `json:"orphans"`
	}{[]orphanRow{}}
	for _, b := range app.books("") {
		orphans, err := b.ledger.Orphans(r.Context())
		if err != nil {
			return err
		}
		for _, orphan := range orphans {
			page.Orphans = append(page.Orphans, orphanRow{b.name, displayAmount(orphan.Amount, orphan.Currency), orphan})
		}
	}
	return writeJSON(w, http.StatusOK, page)
}

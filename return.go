package qfpayjsapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// comeBack is where the pay page sends the payer. Coming back proves nothing:
// the gateway is asked, and the page says what the gateway said.
func (h *Handler) comeBack(w http.ResponseWriter, r *http.Request, id string) error {
	began := h.now()
	order, err := h.find(r, id)
	if errors.Is(err, ledger.ErrUnknown) {
		return h.problem(w, r, pages.Problem{Kind: pages.UnknownOrder})
	}
	if err != nil {
		h.unreadable(r, id, err)
		retryAfter(w, storageWait)
		return h.problem(w, r, pages.Problem{Kind: pages.StorageDown, RetryURL: h.returnPath(id)})
	}
	if order.Status() == ledger.StatusPending {
		order = h.glance(context.WithoutCancel(r.Context()), order)
	}
	noteOrder(r, order)
	h.noteReturn(order, began)
	switch order.Status() {
	case ledger.StatusPending:
		return h.confirming(w, r, order)
	case ledger.StatusFailed, ledger.StatusClosed:
		return h.failed(w, r, order)
	default:
		return h.paid(w, r, order)
	}
}

func (h *Handler) paid(w http.ResponseWriter, r *http.Request, order ledger.Order) error {
	if h.SuccessURL != "" {
		return redirect(w, r, withOrder(h.SuccessURL, order.ID))
	}
	return h.page(w, r, pages.Receipt{Order: h.shown(order.ID, order.Intent), PaidAt: *paidAt(order), ShopURL: "/"})
}

func (h *Handler) failed(w http.ResponseWriter, r *http.Request, order ledger.Order) error {
	if h.FailureURL != "" {
		return redirect(w, r, withOrder(h.FailureURL, order.ID))
	}
	return h.page(w, r, pages.Failed{
		Order:    h.shown(order.ID, order.Intent),
		StartURL: h.startAgain(order.ID, order.Intent),
		ShopURL:  "/",
	})
}

// confirming shows that the gateway has not confirmed the payment yet, and
// looks again by itself for a while.
func (h *Handler) confirming(w http.ResponseWriter, r *http.Request, order ledger.Order) error {
	check := checkNumber(r)
	shown := h.shown(order.ID, order.Intent)
	again := h.returnPath(order.ID) + "?check=" + strconv.Itoa(min(check+1, lastCheck+1))
	if order.Prepared == nil {
		return h.page(w, r, pages.Checking{
			Order:    shown,
			CheckURL: again,
			Refresh:  refreshAfter(check),
			StartURL: h.startAgain(order.ID, order.Intent),
		})
	}
	page := pages.Confirming{Order: shown, Check: check, Refresh: refreshAfter(check), CheckURL: again}
	if _, ours := h.ticket(r, h.origin(r), order.ID); ours && h.now().Before(h.expiry(order)) {
		page.ContinueURL = order.Prepared.PayURL
	}
	return h.page(w, r, page)
}

// The return page looks again often at first, when most payments are
// confirmed, then less often, and stops by itself after about five minutes.
const (
	firstRefresh = 3 * time.Second
	laterRefresh = 10 * time.Second
	quickChecks  = 20
	lastCheck    = 44
)

func refreshAfter(check int) time.Duration {
	switch {
	case check < quickChecks:
		return firstRefresh
	case check < lastCheck:
		return laterRefresh
	default:
		return 0
	}
}

// checkNumber is how often the payer's browser has looked, from 1.
func checkNumber(r *http.Request) int {
	check, err := strconv.Atoi(r.URL.Query().Get("check"))
	if err != nil || check < 1 {
		return 1
	}
	return min(check, lastCheck+1)
}

// withOrder adds order=<id> to the query of a destination.
func withOrder(destination, order string) string {
	u, err := url.Parse(destination)
	if err != nil {
		return destination
	}
	query := u.Query()
	query.Set("order", order)
	u.RawQuery = query.Encode()
	return u.String()
}

package qfpayjsapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// orderStatus is what the shop's own pages may know of an order. It holds no
// payer data: whoever knows the order's id may see it.
type orderStatus struct {
	Order         string        `json:"order"`
	Status        ledger.Status `json:"status"`
	Amount        int64         `json:"amount"` // minor units
	Currency      string        `json:"currency"`
	DisplayAmount string        `json:"display_amount"`
	Description   string        `json:"description"`
	Ref           string        `json:"ref"`
	PaidAt        *time.Time    `json:"paid_at"`
}

// status answers the shop's own pages with JSON.
func (h *Handler) status(w http.ResponseWriter, r *http.Request, id string) error {
	order, err := h.find(r, id)
	if errors.Is(err, ledger.ErrUnknown) {
		return unknownStatus(w)
	}
	if err != nil {
		h.unreadable(r, id, err)
		retryAfter(w, storageWait)
		return writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": pages.StorageDown.Error()})
	}
	if order.Status() == ledger.StatusPending {
		order = h.glance(context.WithoutCancel(r.Context()), order)
	}
	noteOrder(r, order)
	return writeJSON(w, http.StatusOK, orderStatus{
		Order:         order.ID,
		Status:        order.Status(),
		Amount:        order.Intent.Amount,
		Currency:      order.Intent.Currency,
		DisplayAmount: checkout.Decimal(order.Intent.Amount, order.Intent.Currency),
		Description:   order.Intent.Description,
		Ref:           order.Intent.Ref,
		PaidAt:        paidAt(order),
	})
}

func unknownStatus(w http.ResponseWriter) error {
	return writeJSON(w, http.StatusNotFound, map[string]string{"error": pages.UnknownOrder.Error()})
}

// paidAt is when the payment happened, or else when we learned of it; nil when
// it is not known to have happened.
func paidAt(order ledger.Order) *time.Time {
	if order.Paid == nil {
		return nil
	}
	at := order.Paid.When()
	return &at
}

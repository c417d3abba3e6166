package checkout

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
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
	FulfilledAt   *time.Time    `json:"fulfilled_at"` // when the shop said that it has done its part
	Note          string        `json:"note"`         // what it says with that
}

// status answers the shop's own pages with JSON.
func (c *Checkout) status(w http.ResponseWriter, r *http.Request, id string) error {
	order, _, err := c.look(r, id)
	if errors.Is(err, ledger.ErrUnknown) {
		return unknownStatus(w)
	}
	if err != nil {
		c.logUnreadable(r, id, err)
		retryAfter(w, ledgerWait)
		return writeJSON(w, http.StatusServiceUnavailable, map[string]string{"error": pages.LedgerDown.Error()})
	}
	c.noteOrder(r, order)
	return writeJSON(w, http.StatusOK, orderStatus{
		Order:         order.ID,
		Status:        order.Status,
		Amount:        order.Intent.Amount,
		Currency:      order.Intent.Currency,
		DisplayAmount: qfpay.Decimal(order.Intent.Amount, order.Intent.Currency),
		Description:   order.Intent.Description,
		Ref:           order.Intent.Ref,
		PaidAt:        paidAt(order),
		FulfilledAt:   fulfilledAt(order),
		Note:          order.Note,
	})
}

func unknownStatus(w http.ResponseWriter) error {
	return writeJSON(w, http.StatusNotFound, map[string]string{"error": pages.UnknownOrder.Error()})
}

// paidAt is when the payment happened, or else when we learned of it; nil when
// it is not known to have happened.
func paidAt(order ledger.Order) *time.Time {
	if !order.Status.Paid() {
		return nil
	}
	return &order.PaidAt
}

// fulfilledAt is when the shop said that it has done its part; nil before.
func fulfilledAt(order ledger.Order) *time.Time {
	if order.FulfilledAt.IsZero() {
		return nil
	}
	return &order.FulfilledAt
}

package qfpayjsapi

import (
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// refundView is a refund as the owner sees it.
type refundView struct {
	Order         string `json:"order"`
	RefundID      string `json:"refund_id"`
	Amount        int64  `json:"amount"` // minor units of Currency
	Currency      string `json:"currency"`
	DisplayAmount string `json:"display_amount"`
	Status        string `json:"status"` // done, pending or refused
	Syssn         string `json:"syssn,omitempty"`
	Respcd        string `json:"respcd,omitempty"`
	Reason        string `json:"reason,omitempty"`
}

func viewRefund(order ledger.Order, refunding ledger.Refunding) refundView {
	asked := refunding.Asked
	view := refundView{
		Order: order.ID, RefundID: asked.RefundID, Amount: asked.Amount, Currency: order.Intent.Currency,
		DisplayAmount: displayAmount(asked.Amount, order.Intent.Currency), Status: "pending",
	}
	switch {
	case refunding.Done != nil:
		view.Status, view.Syssn, view.Amount = "done", refunding.Done.Syssn, refunding.Done.Amount
	case refunding.Refused != nil:
		view.Status, view.Respcd, view.Reason = "refused", refunding.Refused.Respcd, refunding.Refused.Message
	}
	return view
}

// refundOrder answers 200 for a refund that is done, 202 for one whose outcome
// is still to come, and 409 for one that was refused.
func refundOrder(app *App, w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		RefundID string `json:"refund_id"`
		Amount   *int64 `json:"amount"`
	}
	if err := readJSON(r, &asked); err != nil {
		return err
	}
	amount := int64(0)
	if asked.Amount != nil {
		if amount = *asked.Amount; amount <= 0 {
			return deny(http.StatusBadRequest, "amount must be positive, in minor units; leave it out to refund all that is left")
		}
	}
	b, order, err := app.find(r.Context(), "", r.PathValue("order"))
	if err != nil {
		return err
	}
	refunding, err := b.giveBack(r.Context(), order.ID, asked.RefundID, amount)
	if err != nil {
		return err
	}
	view := viewRefund(order, refunding)
	switch view.Status {
	case "done":
		return writeJSON(w, http.StatusOK, view)
	case "pending":
		return writeJSON(w, http.StatusAccepted, view)
	default:
		return deny(http.StatusConflict, "the refund %s was refused, and no money went back: %s%s; ask again with another refund_id",
			view.RefundID, view.Reason, inBrackets(view.Respcd))
	}
}

func inBrackets(respcd string) string {
	if respcd == "" {
		return ""
	}
	return " (respcd " + respcd + ")"
}

// queryOrder asks the gateway about an order and its refunds now.
func queryOrder(app *App, w http.ResponseWriter, r *http.Request) error {
	if err := readNothing(r); err != nil {
		return err
	}
	b, order, err := app.find(r.Context(), "", r.PathValue("order"))
	if err != nil {
		return err
	}
	if order, err = b.lookUp(r.Context(), order); err != nil {
		return gatewayDenial(err)
	}
	return answerOrder(w, r, b, order, http.StatusOK)
}

// closeOrder ends an order that nobody has paid.
func closeOrder(app *App, w http.ResponseWriter, r *http.Request) error {
	if err := readNothing(r); err != nil {
		return err
	}
	b, order, err := app.find(r.Context(), "", r.PathValue("order"))
	if err != nil {
		return err
	}
	if order, err = b.closeByHand(r.Context(), order); err != nil {
		return err
	}
	return answerOrder(w, r, b, order, http.StatusOK)
}

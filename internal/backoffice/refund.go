package backoffice

import (
	"context"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// RefundView is a refund as the owner sees it.
type RefundView struct {
	Order         string `json:"order"`
	RefundID      string `json:"refund_id"` // "" for one that was made elsewhere
	Amount        int64  `json:"amount"`    // minor units of Currency
	Currency      string `json:"currency"`
	DisplayAmount string `json:"display_amount"`
	Status        string `json:"status"` // done, pending or refused
	Syssn         string `json:"syssn,omitempty"`
	Respcd        string `json:"respcd,omitempty"`
	Reason        string `json:"reason,omitempty"`

	At time.Time `json:"-"` // when it ended; until then, when it was asked for
}

func viewRefund(refund ledger.Refund) RefundView {
	view := RefundView{
		Order: refund.Order, RefundID: refund.RefundID, Amount: refund.Amount, Currency: refund.Currency,
		DisplayAmount: DisplayAmount(refund.Amount, refund.Currency), Status: "pending", Syssn: refund.Syssn, At: refund.Ended,
	}
	if view.At.IsZero() {
		view.At = refund.Requested
	}
	switch refund.Status {
	case ledger.RefundWaiting:
		view.Reason = "waits for another refund of this payment"
	case ledger.RefundSent: // for so long that somebody has to look at it
		view.Respcd, view.Reason = refund.Respcd, refund.Message
	case ledger.RefundDone:
		view.Status = "done"
	case ledger.RefundRefused:
		view.Status, view.Respcd, view.Reason = "refused", refund.Respcd, refund.Message
	}
	return view
}

// InBrackets is a code of the gateway behind a text; "" for none.
func InBrackets(respcd string) string {
	if respcd == "" {
		return ""
	}
	return " (respcd " + respcd + ")"
}

func (o *Office) refund(ctx context.Context, order, refundID string, amount int64) (view RefundView, err error) {
	err = o.act(ctx, order, func(ctx context.Context, service Service) error {
		refund, err := service.Refund(ctx, order, refundID, amount)
		view = viewRefund(refund)
		return err
	})
	return view, err
}

func (o *Office) lookUp(ctx context.Context, order string) error {
	return o.act(ctx, order, func(ctx context.Context, service Service) error {
		_, err := service.LookUp(ctx, order)
		return err
	})
}

func (o *Office) close(ctx context.Context, order string) error {
	return o.act(ctx, order, func(ctx context.Context, service Service) error {
		_, err := service.Close(ctx, order)
		return err
	})
}

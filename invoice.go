package qfpayjsapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// invoiceTaken says why an invoice cannot be paid by one more order: it has
// been paid as often as it may be, or other orders that can still be paid would
// make it so. "" means that it can, as everything that is no invoice.
func (h *Handler) invoiceTaken(ctx context.Context, intent ledger.Intent, own string) (pages.Kind, error) {
	if intent.Invoice == nil || intent.Invoice.Uses == 0 {
		return "", nil
	}
	orders, err := h.ledger.InvoiceOrders(ctx, intent.Invoice.ID)
	if err != nil {
		return pages.StorageDown, err
	}
	paid, payable := 0, 0
	for _, id := range orders {
		if id == own {
			continue
		}
		order, err := h.ledger.FindOrEntered(ctx, id)
		switch {
		case errors.Is(err, ledger.ErrUnknown): // it stopped before the gateway heard of it
		case err != nil:
			return pages.StorageDown, err
		case order.Paid != nil:
			paid++
		case order.Status() == ledger.StatusPending && (order.Prepared != nil || h.underWay(order)):
			payable++
		}
	}
	switch {
	case paid >= intent.Invoice.Uses:
		return pages.InvoiceUsed, nil
	case paid+payable >= intent.Invoice.Uses:
		return pages.TakenElsewhere, nil
	default:
		return "", nil
	}
}

func (h *Handler) invoiceProblem(w http.ResponseWriter, r *http.Request, intent ledger.Intent, kind pages.Kind, err error) error {
	problem := pages.Problem{Kind: kind}
	if err != nil {
		h.unreadable(r, "", err)
		retryAfter(w, storageWait)
	}
	if kind != pages.InvoiceUsed {
		problem.RetryURL = h.payLink(intent)
	}
	return h.problem(w, r, problem)
}

// claimInvoice lets an order pay its invoice, unless others do. The lock keeps
// nodes from claiming at once what only one of them may have.
func (h *Handler) claimInvoice(ctx context.Context, ticket checkout.Ticket) (refused *turn) {
	invoice := ticket.Intent.Invoice
	if invoice == nil {
		return nil
	}
	release, err := h.ledger.Lock(ctx, "invoice-"+invoice.ID)
	if err != nil {
		return new(h.storageDown(ticket, err))
	}
	defer release()
	kind, err := h.invoiceTaken(ctx, ticket.Intent, ticket.Order)
	if err == nil && kind == "" {
		err = h.ledger.ClaimInvoice(ctx, invoice.ID, ticket.Order)
	}
	switch {
	case err != nil:
		return new(h.storageDown(ticket, err))
	case kind != "":
		return &turn{problem: kind}
	}
	return nil
}

package checkout

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// checkClaimable says early, before the payer is sent away, whether one more order
// can pay the invoice, or have the stock, beside the browser's own. What counts is the
// claim.
func (c *Checkout) checkClaimable(r *http.Request, intent ledger.Intent, own string) error {
	if intent.Invoice == nil && !intent.WantsStock() {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeLimit)
	defer cancel()
	if intent.Invoice != nil {
		return c.Orders.CheckInvoice(ctx, intent.Invoice, own)
	}
	return c.Orders.CheckStock(ctx, intent, c.ordersFor(r, intent)...)
}

// ordersFor are the orders for the same thing that this browser has under way.
func (c *Checkout) ordersFor(r *http.Request, intent ledger.Intent) (orders []string) {
	tickets, _ := c.tickets(r)
	for _, ticket := range tickets {
		if slices.Equal(ticket.Intent.Lines, intent.Lines) {
			orders = append(orders, ticket.Order)
		}
	}
	return orders
}

// isOver says why nobody in this browser need be asked for details: the invoice is
// paid, or nothing is left, and the browser has no order under way that may have it.
// It is "" where more is possible, or not known.
func (c *Checkout) isOver(r *http.Request, intent ledger.Intent) pages.Kind {
	kind := claimProblem(c.checkClaimable(r, intent, ""))
	tickets, _ := c.tickets(r)
	if kind == pages.InvoiceUsed || kind == pages.SoldOut && len(tickets) == 0 {
		return kind
	}
	return ""
}

// claimProblem is what the payer is told of an order that cannot be claimed; "" for
// other errors.
func claimProblem(err error) pages.Kind {
	switch {
	case errors.Is(err, ledger.ErrSoldOut):
		return pages.SoldOut
	case errors.Is(err, orders.ErrInvoiceUsed):
		return pages.InvoiceUsed
	case errors.Is(err, orders.ErrInvoiceTaken):
		return pages.TakenElsewhere
	default:
		return ""
	}
}

func (c *Checkout) unclaimable(w http.ResponseWriter, r *http.Request, intent ledger.Intent, err error) error {
	switch kind := claimProblem(err); kind {
	case "":
		return c.ledgerDown(w, r, "", err, c.payLink(intent))
	case pages.InvoiceUsed, pages.SoldOut:
		return c.problem(w, r, pages.Problem{Kind: kind})
	default:
		return c.problem(w, r, pages.Problem{Kind: kind, RetryURL: c.payLink(intent)})
	}
}

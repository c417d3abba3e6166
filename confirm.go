package qfpayjsapi

import (
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// confirm answers the callback of a hosted payment, for whose payer nobody
// vouches: a page whose button posts, and the post itself.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, site origin, ticket checkout.Ticket) error {
	noteIntent(r, ticket.Order, ticket.Intent)
	if r.Method == http.MethodPost {
		return h.follow(w, r, site, ticket, h.advanceOnce(r, site, ticket, ""))
	}
	if next, known := h.recall(r.Context(), ticket); known {
		return h.follow(w, r, site, ticket, next)
	}
	return h.askToConfirm(w, r, ticket)
}

func (h *Handler) askToConfirm(w http.ResponseWriter, r *http.Request, ticket checkout.Ticket) error {
	return h.page(w, r, pages.Confirm{
		Order:  h.shown(ticket.Order, ticket.Intent),
		Action: h.callbackPath(ticket.Order),
	})
}

package qfpayjsapi

import (
	"encoding/json"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// sheet answers the callback of an order that has come without a code: for the
// shop's own official account it is the page that opens WeChat's pay sheet. Its
// address lies in the one directory that is registered with WeChat.
func (h *Handler) sheet(w http.ResponseWriter, r *http.Request, site origin, ticket checkout.Ticket) error {
	next, known := h.recall(r.Context(), ticket)
	if !known {
		return h.problem(w, r, pages.Problem{Kind: pages.MissingCode, StartURL: h.payLink(ticket.Intent)})
	}
	noteIntent(r, ticket.Order, ticket.Intent)
	if next.payURL != h.callbackPath(ticket.Order) {
		return h.follow(w, r, site, ticket, next)
	}
	order, err := h.ledger.Find(r.Context(), ticket.Order)
	if err != nil {
		return h.follow(w, r, site, ticket, h.storageDown(ticket, err))
	}
	return h.page(w, r, pages.Sheet{
		Order:       h.shown(ticket.Order, ticket.Intent),
		PayParams:   string(order.Prepared.PayParams),
		ReturnURL:   h.returnPath(ticket.Order),
		FallbackURL: h.withoutSheet(site, ticket, order.Prepared.PayParams),
	})
}

// withoutSheet is where browsers go that have no pay sheet: with
// `outside_wechat allow`, which is for tests with a simulator, to its pay page.
func (h *Handler) withoutSheet(site origin, ticket checkout.Ticket, payParams json.RawMessage) string {
	if h.OutsideWeChat != "allow" {
		return ""
	}
	var params qfpay.PayParams
	if err := json.Unmarshal(payParams, &params); err != nil {
		return ""
	}
	address, err := h.payURL(site, ticket, params)
	if err != nil {
		return ""
	}
	return address
}

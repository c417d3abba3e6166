package qfpayjsapi

import (
	"net/http"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
)

// ticketsKept is how many orders one browser may have under way.
const ticketsKept = 3

// ticketsRead is how many of them are looked at: more than a browser carries,
// even if payments were started at once, and few enough for a request that
// brings hundreds.
const ticketsRead = 8

// cookieGrace is how much longer than the order its cookie lives, so that a
// payer who comes late is told that the order has expired.
const cookieGrace = 24 * time.Hour

const (
	plainCookie  = "qfpay_"
	secureCookie = "__Secure-qfpay_"
)

func cookiePrefix(secure bool) string {
	if secure {
		return secureCookie
	}
	return plainCookie
}

// giveTicket puts a sealed order into the payer's browser.
func (h *Handler) giveTicket(w http.ResponseWriter, site origin, ticket checkout.Ticket) error {
	sealed, err := h.seal.Close(ticket)
	if err != nil {
		return err
	}
	life := time.Duration(h.OrderTTL) + cookieGrace
	http.SetCookie(w, h.cookie(site, ticket.Order, sealed, int(life/time.Second)))
	return nil
}

func (h *Handler) dropTicket(w http.ResponseWriter, site origin, order string) {
	http.SetCookie(w, h.cookie(site, order, "", -1))
}

func (h *Handler) cookie(site origin, order, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name:     cookiePrefix(site.secure()) + order,
		Value:    value,
		Path:     h.Path,
		MaxAge:   maxAge,
		Secure:   site.secure(),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// ticket returns the order's ticket, if this browser carries it.
func (h *Handler) ticket(r *http.Request, site origin, order string) (checkout.Ticket, bool) {
	cookie, err := r.Cookie(cookiePrefix(site.secure()) + order)
	if err != nil {
		return checkout.Ticket{}, false
	}
	ticket, err := h.seal.Open(order, cookie.Value)
	return ticket, err == nil
}

// tickets returns the newest tickets that this browser carries, newest first, and
// the orders of some cookies that are named like ours but do not open.
func (h *Handler) tickets(r *http.Request, site origin) (tickets []checkout.Ticket, spoilt []string) {
	for _, cookie := range r.Cookies() {
		order, ours := strings.CutPrefix(cookie.Name, cookiePrefix(site.secure()))
		if !ours || !checkout.IsOrder(order) {
			continue
		}
		ticket, err := h.seal.Open(order, cookie.Value)
		switch {
		case err == nil:
			tickets = append(tickets, ticket)
		case len(spoilt) < ticketsRead:
			spoilt = append(spoilt, order)
		}
	}
	checkout.NewestFirst(tickets)
	return tickets[:min(len(tickets), ticketsRead)], spoilt
}

package checkout

import (
	"net/http"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
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

// CookiePrefix is what the names of cookies begin with, for a site over https or
// over http.
func CookiePrefix(secure bool) string {
	if secure {
		return "__Secure-qfpay_"
	}
	return "qfpay_"
}

// giveTicket puts a sealed order into the payer's browser.
func (c *Checkout) giveTicket(w http.ResponseWriter, site Origin, ticket Ticket) error {
	sealed, err := c.Seal.Close(site, ticket)
	if err != nil {
		return err
	}
	life := c.OrderTTL + cookieGrace
	http.SetCookie(w, c.cookie(site, ticket.Order, sealed, int(life/time.Second)))
	return nil
}

func (c *Checkout) dropTicket(w http.ResponseWriter, site Origin, order string) {
	http.SetCookie(w, c.cookie(site, order, "", -1))
}

func (c *Checkout) cookie(site Origin, order, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name:     CookiePrefix(site.Secure()) + order,
		Value:    value,
		Path:     c.Path,
		MaxAge:   maxAge,
		Secure:   site.Secure(),
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// ticket returns the order's ticket, if this browser carries it.
func (c *Checkout) ticket(r *http.Request, order string) (Ticket, bool) {
	site := c.Origin(r)
	cookie, err := r.Cookie(CookiePrefix(site.Secure()) + order)
	if err != nil {
		return Ticket{}, false
	}
	ticket, err := c.Seal.Open(site, order, cookie.Value)
	return ticket, err == nil
}

// tickets returns the newest tickets that this browser carries, newest first, and
// the orders of some cookies that are named like ours but do not open.
func (c *Checkout) tickets(r *http.Request) (tickets []Ticket, spoilt []string) {
	site := c.Origin(r)
	for _, cookie := range r.Cookies() {
		order, ours := strings.CutPrefix(cookie.Name, CookiePrefix(site.Secure()))
		if !ours || !ledger.ValidID(order) {
			continue
		}
		ticket, err := c.Seal.Open(site, order, cookie.Value)
		switch {
		case err == nil:
			tickets = append(tickets, ticket)
		case len(spoilt) < ticketsRead:
			spoilt = append(spoilt, order)
		}
	}
	NewestFirst(tickets)
	return tickets[:min(len(tickets), ticketsRead)], spoilt
}

// clearOldTickets makes room so that with a new ticket the browser carries at
// most [ticketsKept].
func (c *Checkout) clearOldTickets(w http.ResponseWriter, site Origin, tickets []Ticket, spoilt []string) {
	for _, order := range spoilt {
		c.dropTicket(w, site, order)
	}
	for i, ticket := range tickets {
		if i >= ticketsKept-1 {
			c.dropTicket(w, site, ticket.Order)
		}
	}
}

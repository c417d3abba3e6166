package checkout

import (
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// outcome is where a callback leads. Requests that ask for the same order at once
// share it.
type outcome interface {
	// answer answers one of the requests.
	answer(c *Checkout, w http.ResponseWriter, r *http.Request, ticket Ticket) error

	// String is the outcome in one word, for the log.
	String() string
}

// payAt is the address where the payer can pay.
type payAt string

func (to payAt) answer(_ *Checkout, w http.ResponseWriter, r *http.Request, _ Ticket) error {
	return redirect(w, r, string(to))
}

func (payAt) String() string { return "pay" }

// seeReturn means that nothing is to be paid any more: the return page says why.
type seeReturn struct{}

func (seeReturn) answer(c *Checkout, w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	return redirect(w, r, c.returnPath(ticket.Order))
}

func (seeReturn) String() string { return "return" }

// unknownYet means that nobody knows whether the gateway took the order.
type unknownYet struct{}

func (unknownYet) answer(c *Checkout, w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	return c.page(w, r, pages.Checking{
		Order:    c.shown(ticket.Order, ticket.Intent),
		CheckURL: c.returnPath(ticket.Order),
		Refresh:  firstRefresh,
		StartURL: c.newOrderLink(ticket.Order, ticket.Intent),
		ShopURL:  shopURL,
	})
}

func (unknownYet) String() string { return "unknown" }

// restart means that the payer signs in again for the same order, once.
type restart struct{}

func (restart) answer(c *Checkout, w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	ticket.Restarted = true
	return c.authorize(w, r, ticket)
}

func (restart) String() string { return "start" }

// refused means that the payer cannot pay this order, or not now.
type refused struct {
	kind    pages.Kind
	wait    time.Duration // when to try again; 0 if that is not known
	isEnded bool          // the order is over, or paid in another way: starting again needs a new one
}

func (o refused) answer(c *Checkout, w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	problem := pages.Problem{Order: pages.Order{ID: ticket.Order}, Kind: o.kind, StartURL: c.payLink(ticket.Intent)}
	switch {
	case o.kind == pages.SoldOut:
		problem.StartURL = ""
	case o.isEnded:
		problem.StartURL = c.newOrderLink(ticket.Order, ticket.Intent)
	}
	if o.wait > 0 {
		retryAfter(w, o.wait)
	}
	return c.problem(w, r, problem)
}

func (refused) String() string { return "problem" }

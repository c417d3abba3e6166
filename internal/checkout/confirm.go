package checkout

import (
	"errors"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// asksToConfirm reports whether nobody vouches for the payer in this browser, so
// that a button has to be pressed before the gateway is called.
func (c *Checkout) asksToConfirm(r *http.Request) bool { return c.Hosted || c.offersWallets(r) }

// confirm answers the callback of such a payment: a page whose buttons post, and
// the post itself.
func (c *Checkout) confirm(w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	c.noteIntent(r, ticket.Order, ticket.Intent)
	if r.Method == http.MethodPost {
		return c.press(w, r, ticket)
	}
	next := c.recall(r.Context(), ticket, c.methodIn(r))
	if _, payable := next.(payAt); next != nil && !(payable && c.offersWallets(r)) {
		return next.answer(c, w, r, ticket)
	}
	return c.askToConfirm(w, r, ticket)
}

// press makes the payment whose button was pressed.
func (c *Checkout) press(w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	if kind := c.readForm(w, r); kind != "" {
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: ticket.Order}, Kind: kind})
	}
	method, ok := c.pressed(r)
	if !ok {
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: ticket.Order}, Kind: pages.UnknownWallet, StartURL: c.payLink(ticket.Intent)})
	}
	own, err := c.ticketFor(w, r, ticket, method)
	switch {
	case errors.Is(err, ErrTooLarge):
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: ticket.Order}, Kind: pages.TooLarge})
	case errors.Is(err, errMayBePaid):
		return redirect(w, r, c.returnPath(ticket.Order))
	case err != nil:
		return c.ledgerDown(w, r, ticket.Order, err, c.callbackPath(ticket.Order))
	}
	c.noteIntent(r, own.Order, own.Intent)
	return c.advanceOnce(r, own, attempt{method: method}).answer(c, w, r, own)
}

func (c *Checkout) askToConfirm(w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	page := pages.Confirm{Order: c.shown(ticket.Order, ticket.Intent), Action: c.callbackPath(ticket.Order), ShopURL: shopURL}
	if !c.offersWallets(r) {
		return c.page(w, r, page)
	}
	text, err := c.closeHandoff(r, ticket.Order, ticket.Intent)
	if err != nil {
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: ticket.Order}, Kind: pages.TooLarge})
	}
	handoff := c.handoffPage(r, text)
	handoff.InApp = inApp(r)
	page.Handoff = &handoff
	for _, wallet := range c.walletsIn(r) {
		page.Wallets = append(page.Wallets, string(wallet))
	}
	return c.page(w, r, page)
}

// method is how those pay who choose nothing.
func (c *Checkout) method() qfpay.Method {
	if c.Hosted {
		return qfpay.MethodHosted
	}
	return qfpay.MethodJSAPI
}

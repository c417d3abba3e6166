package checkout

import (
	"cmp"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// start begins a payment. It calls nobody and stores nothing: the order goes
// into a sealed cookie, and the payer to the gateway's OAuth.
func (c *Checkout) start(w http.ResponseWriter, r *http.Request, item string) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		return c.wrongMethod(w, r, "GET, HEAD, POST")
	}
	if causesNothing(w, r) {
		return nil
	}
	if public := c.elsewhere(r); public != "" {
		return move(w, r, public)
	}
	asked, kind := c.askedFor(w, r, item)
	if kind != "" {
		return c.problem(w, r, pages.Problem{Kind: kind})
	}
	if item == "" && asked.Values.Has("handoff") {
		return c.fromHandoff(w, r, asked)
	}
	intent, err := c.Shop.Intend(asked, c.Now())
	if err != nil {
		return c.unstarted(w, r, asked, intent, err)
	}
	if c.isOutside(r) && !c.offersWallets(r) {
		return c.outsideWeChat(w, r, intent)
	}
	realName, ok := c.realName(asked.Form)
	if !ok {
		return c.askRealName(w, r, asked, intent)
	}
	return c.startOrder(w, r, Ticket{Intent: intent, RealName: realName}, asked.Values.Get("again"))
}

// maxForm bounds the form of a start in bytes.
const maxForm = 16 << 10

// askedFor reads the query, and the form of a POST, whose values come first. What
// cannot be read, or says two things, is no smaller order.
func (c *Checkout) askedFor(w http.ResponseWriter, r *http.Request, item string) (shop.Asked, pages.Kind) {
	if r.Method != http.MethodPost {
		return c.ask(item, r, nil)
	}
	if kind := c.readForm(w, r); kind != "" {
		return shop.Asked{}, kind
	}
	return c.ask(item, r, r.PostForm)
}

// readForm reads the form of a POST, or says what is wrong with it.
func (c *Checkout) readForm(w http.ResponseWriter, r *http.Request) pages.Kind {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return pages.WrongType
	}
	c.limitBody(w, r, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return pages.TooLarge
		}
		return pages.BadLink
	}
	return ""
}

func (c *Checkout) ask(item string, r *http.Request, form url.Values) (shop.Asked, pages.Kind) {
	asked, err := c.Shop.Ask(item, r.URL.RawQuery, form)
	if err != nil {
		return asked, startProblem(err)
	}
	return asked, ""
}

// realName reads who pays, and whether that will do.
func (c *Checkout) realName(form url.Values) (name *RealName, ok bool) {
	name = &RealName{Name: strings.TrimSpace(form.Get("user_truename")), IDCard: strings.ToUpper(strings.TrimSpace(form.Get("user_creid")))}
	switch {
	case c.RealName == "" || c.RealName == "off":
		return nil, true
	case c.RealName == "optional" && *name == (RealName{}):
		return nil, true
	default:
		return name, (*qfpay.RealName)(name).Check() == nil
	}
}

// startOrder goes on with an order for the same thing that this browser has
// under way, or makes a new one.
func (c *Checkout) startOrder(w http.ResponseWriter, r *http.Request, wanted Ticket, again string) error {
	intent := wanted.Intent
	tickets, spoilt := c.tickets(r)
	found, err := c.resume(r, tickets, wanted, again, c.methodIn(r))
	if err != nil {
		return c.ledgerDown(w, r, wanted.Order, err, c.payLink(intent))
	}
	if found.payURL != "" && !c.offersWallets(r) {
		return redirect(w, r, found.payURL)
	}
	if err := c.checkClaimable(r, intent, found.ticket.Order); err != nil {
		return c.unclaimable(w, r, intent, err)
	}
	ticket := found.ticket
	if ticket.Order == "" {
		ticket = c.newTicket(wanted, tickets)
		c.clearOldTickets(w, c.Origin(r), tickets, spoilt)
	}
	ticket.Restarted = false
	return c.authorize(w, r, ticket)
}

// newTicket is that of a new order, in a browser that carries these tickets.
func (c *Checkout) newTicket(wanted Ticket, tickets []Ticket) Ticket {
	wanted.Order = cmp.Or(wanted.Order, ledger.NewID(c.Now()))
	wanted.Browser = wanted.Order
	if len(tickets) > 0 {
		wanted.Browser = cmp.Or(tickets[0].Browser, tickets[0].Order)
	}
	return wanted
}

// resumption is an order under way, to go on with; without a number if there is
// none.
type resumption struct {
	ticket Ticket
	payURL string // where it can be paid; "" while that is not known
}

// resume looks for an order that asks for the same thing and is still payable,
// or about to be. The order called again is passed over: the payer was offered
// to start again because nobody knows what became of it. Of an order that was
// handed over, no other one takes the place. One that is paid by another method is
// passed over too; "" is any method.
func (c *Checkout) resume(r *http.Request, tickets []Ticket, wanted Ticket, again string, by qfpay.Method) (resumption, error) {
	for _, ticket := range tickets {
		if ticket.Order == again || ticket.Expired(c.Now(), c.OrderTTL) || !ticket.IsLike(wanted) ||
			wanted.Order != "" && ticket.Order != wanted.Order {
			continue
		}
		order, err := c.find(r, ticket.Order)
		switch {
		case errors.Is(err, ledger.ErrUnknown):
			return resumption{ticket: ticket}, nil
		case err != nil:
			return resumption{}, err
		case order.Status != ledger.StatusPending || isByAnother(order, by):
			continue
		case order.IsPrepared():
			return resumption{ticket, order.PayURL}, nil
		case ticket.Order > again && c.Orders.UnderWay(order): // of older ones the payer has been told that nobody knows
			return resumption{ticket: ticket}, nil
		}
	}
	return resumption{}, nil
}

// authorize hands the payer the ticket and sends them to where WeChat vouches for
// them.
func (c *Checkout) authorize(w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	site := c.Origin(r)
	ticket.Intent.Locale = pages.Language(r)
	location, err := c.signInURL(site, ticket.Order)
	if err == nil {
		err = c.giveTicket(w, site, ticket)
	}
	if errors.Is(err, ErrTooLarge) {
		return c.problem(w, r, pages.Problem{Kind: pages.TooLarge})
	}
	if err != nil {
		c.Log.Error("starting a payment failed", zap.Error(err))
		return c.problem(w, r, pages.Problem{Kind: pages.Internal})
	}
	c.noteIntent(r, ticket.Order, ticket.Intent)
	c.logStart("start", ticket.Order, ticket.Intent)
	if c.asksToConfirm(r) {
		return c.askToConfirm(w, r, ticket)
	}
	return redirect(w, r, location)
}

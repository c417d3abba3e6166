package checkout

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
)

// watchRefresh is how often the page on the desktop looks without script.
const watchRefresh = 5 * time.Second

// outsideWeChat answers pay links in browsers that cannot pay: a page hands
// exactly this order to the phone, and watches what becomes of it.
func (c *Checkout) outsideWeChat(w http.ResponseWriter, r *http.Request, intent ledger.Intent) error {
	if c.OutsideWeChat != "handoff" {
		return redirect(w, r, c.OutsideWeChat)
	}
	if err := c.checkClaimable(r, intent, ""); err != nil {
		return c.unclaimable(w, r, intent, err)
	}
	order := ledger.NewID(c.Now())
	text, err := c.closeHandoff(r, order, intent)
	if err != nil {
		return c.problem(w, r, pages.Problem{Kind: pages.TooLarge})
	}
	c.noteIntent(r, order, intent)
	c.logStart("handoff", order, intent)
	return c.showHandoff(w, r, order, intent, text, false)
}

// closeHandoff seals an order for the phone, or for another browser on it.
func (c *Checkout) closeHandoff(r *http.Request, order string, intent ledger.Intent) (string, error) {
	return c.Seal.CloseHandoff(c.Origin(r), Handoff{
		Order: order, Link: strings.TrimPrefix(c.payLink(intent), c.Path), Amount: intent.Amount, Fields: intent.Fields, Phone: onPhone(r),
	})
}

// showHandoff shows the code of an order, or that a phone has taken it over.
func (c *Checkout) showHandoff(w http.ResponseWriter, r *http.Request, order string, intent ledger.Intent, text string, paying bool) error {
	page := c.handoffPage(r, c.shortHandoff(r, order, intent, text))
	page.Order, page.Refresh, page.Paying = c.shown(order, intent), watchRefresh, paying
	page.Until, page.ShopURL = intent.At.Add(c.OrderTTL).In(c.Zone), shopURL
	return c.page(w, r, page)
}

func (c *Checkout) handoffPage(r *http.Request, text string) pages.Handoff {
	here := c.handoffPath(text)
	return pages.Handoff{Link: string(c.Origin(r)) + here, Phone: onPhone(r), WatchURL: here}
}

func (c *Checkout) handoffPath(text string) string {
	return c.Path + "?" + url.Values{"handoff": {text}}.Encode()
}

// handoffGrace is how much longer than the order a handoff is kept, so that who scans
// it too late is told that it has expired.
const handoffGrace = time.Hour

// shortHandoff is a handoff as text for a code that phones read well from a screen.
// One that is longer is kept in the ledger, sealed as it is, and the code holds the
// number of its order alone. Where it cannot be kept, the code is as large as it is.
func (c *Checkout) shortHandoff(r *http.Request, order string, intent ledger.Intent, text string) string {
	_, sealed, isWhole := strings.Cut(text, ".")
	if !isWhole || onPhone(r) || len(string(c.Origin(r))+c.handoffPath(text)) <= pages.MaxCodeLink {
		return text
	}
	client := c.Server.ClientAddress(r)
	if c.Shared.handoffs.wait(client, c.Now()) > 0 || !c.Shared.kept.AllowN(c.Now(), 1) {
		return text
	}
	c.Shared.handoffs.count(client, c.Now())
	if err := c.Orders.KeepHandoff(r.Context(), order, sealed, intent.At.Add(c.OrderTTL+handoffGrace)); err != nil {
		c.Log.Error("a handoff could not be stored: its QR code may be too dense for phones", zap.String("order", order), zap.Error(err))
		return text
	}
	return order
}

// openHandoff returns what was handed over: the text holds it, or the number of the
// order under which the ledger has it. The error is [ErrForged] for what is not ours,
// and [ledger.ErrUnknown] for what is no longer kept.
func (c *Checkout) openHandoff(r *http.Request, text string) (Handoff, error) {
	order, _, isWhole := strings.Cut(text, ".")
	if !isWhole && ledger.ValidID(order) {
		sealed, err := c.Orders.Handoff(r.Context(), order)
		if err != nil {
			return Handoff{}, err
		}
		text = order + "." + sealed
	}
	return c.Seal.OpenHandoff(c.Origin(r), text)
}

// fromHandoff is where the code on the desktop leads: on the phone the order
// begins, on the desktop its page is shown again until the order has an end. The
// gateway is asked nothing here.
func (c *Checkout) fromHandoff(w http.ResponseWriter, r *http.Request, asked shop.Asked) error {
	text := asked.Values.Get("handoff")
	handoff, err := c.openHandoff(r, text)
	switch {
	case errors.Is(err, ErrForged):
		return c.problem(w, r, pages.Problem{Kind: pages.OtherBrowser})
	case errors.Is(err, ledger.ErrUnknown):
		return c.problem(w, r, pages.Problem{Kind: pages.Expired})
	case err != nil:
		return c.ledgerDown(w, r, "", err, c.handoffPath(text))
	}
	order, err := c.find(r, handoff.Order)
	known := err == nil
	switch {
	case err != nil && !errors.Is(err, ledger.ErrUnknown):
		return c.ledgerDown(w, r, handoff.Order, err, c.handoffPath(text))
	case known && order.Status != ledger.StatusPending:
		return c.watched(w, r, string(order.Status), c.returnPath(handoff.Order))
	}
	ticket, err := c.redeem(handoff)
	switch {
	case ticket.Expired(c.Now(), c.OrderTTL) || err != nil:
		if prefersJSON(r) {
			return c.watched(w, r, "expired", c.handoffPath(text))
		}
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: handoff.Order}, Kind: pages.Expired, StartURL: c.Path + handoff.Link})
	case c.isOutside(r) && prefersJSON(r):
		return c.watched(w, r, watchedStatus(known), "")
	case c.isOutside(r) && !c.offersWallets(r):
		return c.showHandoff(w, r, handoff.Order, ticket.Intent, text, known)
	}
	_, ours := c.ticket(r, handoff.Order)
	switch {
	case known && handoff.Phone && c.isByWallet(order) && !(ours && c.offersWallets(r)):
		// The payer tried a wallet there, and took the link to where it may open, or to
		// WeChat: here it is another order.
		return c.startOrder(w, r, Ticket{Intent: ticket.Intent}, handoff.Order)
	case known && !ours:
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: handoff.Order}, Kind: pages.TakenElsewhere, RetryURL: c.handoffPath(text)})
	default:
		return c.takeOver(w, r, asked, ticket, known)
	}
}

// takeOver starts an order here that began on another screen. One that the ledger
// knows was paid for under the name that was given first: with another name it is
// another order.
func (c *Checkout) takeOver(w http.ResponseWriter, r *http.Request, asked shop.Asked, ticket Ticket, known bool) error {
	realName, ok := c.realName(asked.Form)
	if !ok {
		return c.askRealName(w, r, asked, ticket.Intent)
	}
	ticket.RealName = realName
	if first, ours := c.ticket(r, ticket.Order); known && ours && !first.RealName.equal(realName) {
		ticket.Order = ""
	}
	return c.startOrder(w, r, ticket, "")
}

// watchedStatus is what a page is told of an order without an end, whether or not a
// phone has taken it over.
func watchedStatus(taken bool) string {
	if taken {
		return "paying"
	}
	return "waiting"
}

// watched tells the page on the desktop where to go: a script by JSON, a browser
// without one by a redirect.
func (c *Checkout) watched(w http.ResponseWriter, r *http.Request, status, location string) error {
	if !prefersJSON(r) {
		return redirect(w, r, location)
	}
	state := map[string]string{"status": status}
	if location != "" {
		state["location"] = location
	}
	return writeJSON(w, http.StatusOK, state)
}

var errPriceChanged = errors.New("the price has changed since")

// redeem makes the order of a handoff, if it still costs what the desktop showed.
func (c *Checkout) redeem(handoff Handoff) (Ticket, error) {
	link, err := url.Parse(handoff.Link)
	if err != nil {
		return Ticket{}, err
	}
	form := make(url.Values, len(handoff.Fields))
	for name, values := range handoff.Fields {
		form[name] = values
	}
	item := strings.TrimPrefix(link.Path, "/")
	intent, err := c.Shop.Intend(shop.Asked{Item: item, Values: link.Query(), Form: form}, ledger.StartedAt(handoff.Order))
	ticket := Ticket{Order: handoff.Order, Intent: intent}
	if err == nil && intent.Amount != handoff.Amount {
		err = errPriceChanged
	}
	return ticket, err
}

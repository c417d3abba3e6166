package checkout

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// offersWallets reports whether the payer may choose a wallet: on a phone, in a
// browser that is not WeChat's.
func (c *Checkout) offersWallets(r *http.Request) bool {
	return len(c.Wallets) > 0 && c.isOutside(r) && onPhone(r)
}

// methodIn is how payers pay in this browser; "" where they choose.
func (c *Checkout) methodIn(r *http.Request) qfpay.Method {
	if c.offersWallets(r) {
		return ""
	}
	return c.method()
}

// walletsIn are the wallets that this browser may open.
func (c *Checkout) walletsIn(r *http.Request) (wallets []qfpay.Method) {
	if !c.offersWallets(r) {
		return nil
	}
	for _, wallet := range c.Wallets {
		// WeCom and mini programs are of WeChat's kind, in which these two do not open.
		if strings.Contains(r.UserAgent(), weChatToken) && (wallet == qfpay.MethodWeChat || wallet == qfpay.MethodAlipayHK) {
			continue
		}
		wallets = append(wallets, wallet)
	}
	return wallets
}

// pressed is the method of the button that was pressed.
func (c *Checkout) pressed(r *http.Request) (method qfpay.Method, ok bool) {
	switch wallets := r.PostForm["wallet"]; len(wallets) {
	case 0:
		return qfpay.MethodHosted, c.Hosted
	case 1:
		method = qfpay.Method(wallets[0])
		return method, slices.Contains(c.walletsIn(r), method)
	default:
		return "", false
	}
}

func (c *Checkout) isByWallet(order ledger.Order) bool {
	return slices.Contains(c.Wallets, qfpay.Method(order.Method))
}

// isByAnother reports whether an order is paid by another method than this; "" is
// any.
func isByAnother(order ledger.Order, method qfpay.Method) bool {
	return method != "" && order.Method != string(method)
}

// errMayBePaid says that an order may be paid by another wallet: the gateway does not
// answer.
var errMayBePaid = errors.New("the gateway does not say whether the order was paid by another wallet")

// ticketFor is the ticket under which the payer pays by a method. While its order
// may still be paid by another one, it is that of another order for the same thing:
// the gateway takes no number twice. The gateway is asked first whether the other
// one was paid, so that nobody who comes back too early pays twice: while it does not
// say, the error is errMayBePaid.
func (c *Checkout) ticketFor(w http.ResponseWriter, r *http.Request, ticket Ticket, method qfpay.Method) (Ticket, error) {
	order, err := c.find(r, ticket.Order)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return ticket, nil
	case err != nil:
		return ticket, err
	case order.Status != ledger.StatusPending || !isByAnother(order, method):
		return ticket, nil
	}
	order, heard := c.Orders.Refresh(context.WithoutCancel(r.Context()), order)
	switch {
	case order.Status != ledger.StatusPending:
		return ticket, nil
	case order.IsPrepared() && !heard:
		return ticket, errMayBePaid
	}
	tickets, spoilt := c.tickets(r)
	found, err := c.resume(r, tickets, Ticket{Intent: ticket.Intent}, ticket.Order, method)
	if err != nil || found.ticket.Order != "" {
		return found.ticket, err
	}
	other := c.newTicket(Ticket{Intent: ticket.Intent}, tickets)
	c.clearOldTickets(w, c.Origin(r), tickets, spoilt)
	return other, c.giveTicket(w, c.Origin(r), other)
}

package qfpayjsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// maxCode bounds WeChat's code in bytes; real ones have 32.
const maxCode = 512

// callback is where WeChat sends the payer back with a code. It fetches the
// openid, makes the payment, and sends the payer on to the pay page. The same
// callback, however often it comes, leads to one payment and one address.
func (h *Handler) callback(w http.ResponseWriter, r *http.Request, order string) error {
	site := h.origin(r)
	ticket, ok := h.ticket(r, site, order)
	if !ok {
		return h.problem(w, r, pages.Problem{Kind: pages.OtherBrowser})
	}
	if h.Hosted {
		return h.confirm(w, r, site, ticket)
	}
	query := r.URL.Query()
	code := query.Get("code")
	switch {
	case code == "" || len(code) > maxCode:
		return h.sheet(w, r, site, ticket)
	case h.wechat != nil && !h.seal.IsState(order, query.Get("state")):
		return h.problem(w, r, pages.Problem{Kind: pages.OtherBrowser})
	}
	noteIntent(r, order, ticket.Intent)
	return h.follow(w, r, site, ticket, h.advanceOnce(r, site, ticket, code))
}

// advanceOnce advances an order for all requests that ask for it at once.
func (h *Handler) advanceOnce(r *http.Request, site origin, ticket checkout.Ticket, code string) turn {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.callbackTime())
	defer cancel()
	next, _, _ := h.account.callbacks.Do(ticket.Order, func() (any, error) {
		return h.advance(ctx, site, ticket, code, clientAddress(r)), nil
	})
	return next.(turn)
}

// turn is where a callback leads: exactly one of its members is set.
type turn struct {
	payURL   string           // the payer can pay there
	settled  bool             // nothing to pay any more: see the return page
	unknown  bool             // nobody knows whether the gateway took the order
	restart  *checkout.Ticket // the flow starts again with this new order
	problem  pages.Kind
	newOrder bool          // with problem: the old order is over, a new one may be started
	wait     time.Duration // with problem: when to try again
}

// follow answers one of the requests that share a turn.
func (h *Handler) follow(w http.ResponseWriter, r *http.Request, site origin, ticket checkout.Ticket, next turn) error {
	switch {
	case next.payURL != "":
		return redirect(w, r, next.payURL)
	case next.settled:
		return redirect(w, r, h.returnPath(ticket.Order))
	case next.unknown:
		return h.page(w, r, pages.Checking{
			Order:    h.shown(ticket.Order, ticket.Intent),
			CheckURL: h.returnPath(ticket.Order),
			Refresh:  firstRefresh,
			StartURL: h.startAgain(ticket.Order, ticket.Intent),
		})
	case next.restart != nil:
		if next.restart.Order != ticket.Order {
			h.dropTicket(w, site, ticket.Order)
		}
		return h.authorize(w, r, site, *next.restart)
	}
	problem := pages.Problem{Kind: next.problem, StartURL: h.payLink(ticket.Intent)}
	if next.newOrder {
		problem.StartURL = h.startAgain(ticket.Order, ticket.Intent)
	}
	if next.wait > 0 {
		retryAfter(w, next.wait)
	}
	return h.problem(w, r, problem)
}

// advance takes an order as far as it can go: to the pay page, if all is well.
func (h *Handler) advance(ctx context.Context, site origin, ticket checkout.Ticket, code, client string) turn {
	began := h.now()
	next, known := h.recall(ctx, ticket)
	if known && !next.unknown {
		return next
	}
	// An order without an outcome may be in another node's hands just now: the
	// lock waits for what that node comes to.
	if !known {
		if ticket.Expired(h.now(), time.Duration(h.OrderTTL)) {
			return turn{problem: pages.Expired}
		}
		if wait := h.quota().wait(client, h.now()); wait > 0 {
			return turn{problem: pages.TooMany, wait: wait}
		}
	}
	unlock, err := h.ledger.Lock(ctx, ticket.Order)
	if err != nil {
		return h.storageDown(ticket, err)
	}
	defer unlock()
	if next, known := h.recall(ctx, ticket); known {
		return next
	}
	if next, left := h.leftBehind(ctx, ticket); left {
		return next
	}
	if h.Hosted {
		h.quota().count(client, h.now())
	}
	ticket.Intent.Sent = h.now().UTC()
	ticket.Intent.Until = ticket.Intent.At.Add(time.Duration(h.OrderTTL))
	fields := orderFields(ticket.Order, ticket.Intent)
	entered := h.meanwhile(func() error { return h.ledger.Enter(ctx, ticket.Order, ticket.Intent) })
	openID, err := h.openID(ctx, code)
	if err := entered(); err != nil {
		return h.storageDown(ticket, err)
	}
	if err != nil {
		return h.withoutOpenID(ctx, ticket, client, err, append(fields, h.seconds(began)))
	}
	next = h.pay(ctx, site, ticket, openID)
	h.logger.Info("callback", append(fields,
		zap.String("payer", h.seal.Payer(openID)), zap.String("leads_to", next.whither()), h.seconds(began))...)
	return next
}

// quota is that of callbacks: of those that the gateway refuses, or where nobody
// vouches for payers, of all that lead to a payment.
func (h *Handler) quota() *quota {
	if h.Hosted {
		return h.account.unvouched
	}
	return h.account.refusals
}

// meanwhile does what need not wait, and returns how to wait for it.
func meanwhile(do func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				done <- fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
			}
		}()
		done <- do()
	}()
	return func() error { return <-done }
}

// recall decides what needs no gateway, from what the ledger knows.
func (h *Handler) recall(ctx context.Context, ticket checkout.Ticket) (next turn, known bool) {
	order, err := h.ledger.Find(ctx, ticket.Order)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return turn{}, false
	case err != nil:
		return h.storageDown(ticket, err), true
	case order.Status() != ledger.StatusPending:
		return turn{settled: true}, true
	case order.Prepared == nil:
		return turn{unknown: true}, true
	case ticket.Expired(h.now(), time.Duration(h.OrderTTL)):
		return turn{problem: pages.Expired}, true
	default:
		return turn{payURL: order.Prepared.PayURL}, true
	}
}

// leftBehind looks whether another node took this callback before and stopped
// in the middle of it. Then the gateway is asked whether it heard of the order:
// if it did not, the flow starts again by itself. The payment of one order is
// asked for once, whatever the gateway says of it.
func (h *Handler) leftBehind(ctx context.Context, ticket checkout.Ticket) (next turn, left bool) {
	intent, err := h.ledger.Entered(ctx, ticket.Order)
	switch {
	case err != nil:
		return h.storageDown(ticket, err), true
	case intent == nil:
		return turn{}, false
	case h.now().Before(intent.Sent.Add(h.timeout)): // the payment may be on its way yet
		return turn{unknown: true}, true
	}
	known, err := h.isKnown(ctx, ticket.Order, *intent)
	switch {
	case err != nil: // of which the log tells
		return turn{unknown: true}, true
	case !known && !ticket.HandedOver: // the entry stays, so that another copy of this callback does not go on with the old order
		return turn{restart: h.anew(ticket)}, true
	}
	if err := h.adopt(ctx, ticket.Order, *intent); err != nil {
		return h.storageDown(ticket, err), true
	}
	return turn{unknown: true}, true
}

// anew is the same purchase as another order, except where a screen waits for
// this one: it would wait on, for somebody to pay once more.
func (h *Handler) anew(ticket checkout.Ticket) *checkout.Ticket {
	ticket.Intent.At, ticket.Intent.Sent, ticket.Intent.Until = h.now().UTC(), time.Time{}, time.Time{}
	if !ticket.HandedOver {
		ticket.Order = checkout.NewOrder(h.now())
	}
	return &ticket
}

// withoutOpenID decides what follows a failed openid call. Nothing is known at
// the gateway yet, so starting again is safe; after a refusal it happens by
// itself, once.
func (h *Handler) withoutOpenID(ctx context.Context, ticket checkout.Ticket, client string, err error, fields []zap.Field) turn {
	if next, known := h.recall(ctx, ticket); known {
		return next // another node was faster with the same code
	}
	h.withdraw(ctx, ticket)
	fields = append(fields, failureFields(err)...)
	level := failureLevel(err)
	kind, wait, again := signInProblem(err)
	if !again {
		h.logger.Log(level, "there is no openid", fields...)
		return turn{problem: kind, wait: wait}
	}
	h.account.refusals.count(client, h.now())
	if ticket.Restarted {
		h.logger.Log(level, "the code was refused twice; the payer was asked to start again", fields...)
		return turn{problem: pages.CodeRefused, newOrder: true}
	}
	h.logger.Log(level, "the code was refused; starting again once", fields...)
	ticket.Restarted = true
	return turn{restart: h.anew(ticket)}
}

// withdraw takes an order back of which the gateway has not heard. What cannot be
// taken back, the app brings to its end.
func (h *Handler) withdraw(ctx context.Context, ticket checkout.Ticket) {
	if err := h.ledger.Withdraw(ctx, ticket.Order); err != nil {
		h.logger.Warn("an order that was not asked for stays on the index of open orders until the app ends it",
			append(orderFields(ticket.Order, ticket.Intent), zap.Error(err))...)
	}
}

func (h *Handler) storageDown(ticket checkout.Ticket, err error) turn {
	h.logger.Error("the ledger is not available; the payer was asked to try again",
		append(orderFields(ticket.Order, ticket.Intent), zap.Error(err))...)
	return turn{problem: pages.StorageDown, wait: storageWait}
}

func (h *Handler) returnPath(order string) string   { return h.Path + "/return/" + order }
func (h *Handler) callbackPath(order string) string { return h.Path + "/callback/" + order }

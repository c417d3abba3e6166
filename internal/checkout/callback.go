package checkout

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// maxCode bounds WeChat's code in bytes; real ones have 32.
const maxCode = 512

// callback is where WeChat sends the payer back with a code. It fetches the
// openid, claims the order, makes the payment, and sends the payer on to the pay
// page. The same callback, however often it comes, leads to one payment and one
// address.
func (c *Checkout) callback(w http.ResponseWriter, r *http.Request, order string) error {
	ticket, ok := c.ticket(r, order)
	if !ok {
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: order}, Kind: pages.OtherBrowser})
	}
	if r.Method == http.MethodPost || c.asksToConfirm(r) {
		return c.confirm(w, r, ticket)
	}
	query := r.URL.Query()
	code := query.Get("code")
	switch {
	case code == "" || len(code) > maxCode:
		return c.paySheet(w, r, ticket)
	case c.WeChat != nil && !c.Seal.IsState(order, query.Get("state")):
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: order}, Kind: pages.OtherBrowser})
	}
	c.noteIntent(r, order, ticket.Intent)
	return c.advanceOnce(r, ticket, attempt{method: qfpay.MethodJSAPI, code: code}).answer(c, w, r, ticket)
}

// attempt is one request that asks for the payment of an order.
type attempt struct {
	method qfpay.Method
	code   string // WeChat's, for JSAPI
	site   Origin
	client string // the payer's address
}

// advanceOnce advances an order for all requests that ask for it at once.
func (c *Checkout) advanceOnce(r *http.Request, ticket Ticket, a attempt) outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.callbackTime())
	defer cancel()
	a.site, a.client = c.Origin(r), c.Server.ClientAddress(r)
	next, _, _ := c.Shared.callbacks.Do(ticket.Order+" "+string(a.method), func() (any, error) {
		return c.advance(ctx, ticket, a), nil
	})
	return next.(outcome)
}

// callbackTime bounds the whole work of a callback: two calls to the gateway, and
// the ledger.
func (c *Checkout) callbackTime() time.Duration { return 2*c.Timeout + 2*storeLimit }

// advance takes an order as far as it can go: to the pay page, if all is well.
func (c *Checkout) advance(ctx context.Context, ticket Ticket, a attempt) outcome {
	began := c.Now()
	if next := c.recall(ctx, ticket, a.method); next != nil {
		return next
	}
	if ticket.Expired(c.Now(), c.OrderTTL) {
		return refused{kind: pages.Expired}
	}
	openID, wait, err := c.vouched(ctx, a)
	switch {
	case wait > 0:
		return refused{kind: pages.TooMany, wait: wait}
	case err != nil:
		return c.withoutOpenID(ctx, ticket, a, err, c.seconds(began))
	}
	payer := c.payer(ticket, openID)
	order, claimed, err := c.claim(ctx, ticket, a.method, payer)
	if err != nil {
		return c.unclaimed(ticket, err)
	}
	var next outcome
	if claimed {
		next = c.pay(ctx, ticket, a, openID)
	} else {
		next = c.outcomeOf(ctx, ticket, order, a.method)
	}
	c.Log.Info("callback", append(orders.IntentFields(ticket.Order, ticket.Intent),
		zap.String("payer", payer), zap.Stringer("leads_to", next), c.seconds(began))...)
	return next
}

// vouched is the payer for whom WeChat vouches. Where nobody does, it is "". A
// client over its quota has to wait, and nobody is asked.
func (c *Checkout) vouched(ctx context.Context, a attempt) (openID string, wait time.Duration, err error) {
	allowed, wait := c.quota(a.method).enter(a.client, c.Now())
	if wait > 0 {
		return "", wait, nil
	}
	defer allowed.leave()
	if a.method != qfpay.MethodJSAPI {
		allowed.count(c.Now())
		return "", 0, nil
	}
	openID, err = c.openID(ctx, a.code)
	if _, _, isRefused := signInProblem(err); isRefused {
		allowed.count(c.Now())
	}
	return openID, 0, err
}

// payer is what the ledger and the log call who pays: the one for whom WeChat
// vouched, or else whoever uses this browser.
func (c *Checkout) payer(ticket Ticket, openID string) string {
	if openID == "" {
		return c.Seal.Payer("browser " + ticket.Browser)
	}
	return c.Seal.Payer(openID)
}

// claim makes the order ours to ask for its payment, or says what is known of it.
//
// Callbacks that wait for the gateway hold a stack each, and stacks grow by
// doubling. What needs much of it is therefore over before they wait: orders are
// handed on by pointer here, and in [Checkout.remember].
func (c *Checkout) claim(ctx context.Context, ticket Ticket, method qfpay.Method, payer string) (known *ledger.Order, claimed bool, err error) {
	intent := ticket.Intent
	intent.Lines = c.Shop.Catalog.Catalogue(c.Now()).ByStock(intent.Lines)
	order, claimed, err := c.Orders.Claim(ctx, ledger.Order{
		ID: ticket.Order, Method: string(method), Payer: payer, Intent: intent, Expires: ticket.Intent.At.Add(c.OrderTTL),
	})
	return &order, claimed, err
}

// quota is that of callbacks: of those that the gateway refuses, or where nobody
// vouches for payers, of all that lead to a payment.
func (c *Checkout) quota(method qfpay.Method) *quota {
	if method == qfpay.MethodJSAPI {
		return c.Shared.refusals
	}
	return c.Shared.payments
}

// recall is where an order leads that the ledger knows, which needs no gateway, for
// a payer who pays by a method; "" is any. It is nil for an order that the ledger
// does not know.
func (c *Checkout) recall(ctx context.Context, ticket Ticket, by qfpay.Method) outcome {
	storeCtx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	order, err := c.Orders.Find(storeCtx, ticket.Order)
	return c.recalled(ctx, ticket, &order, err, by)
}

// recalled is where an order leads that was looked for; nil if the ledger does not
// know it.
func (c *Checkout) recalled(ctx context.Context, ticket Ticket, order *ledger.Order, err error, by qfpay.Method) outcome {
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return nil
	case err != nil:
		return c.withoutLedger(ticket, err)
	default:
		return c.outcomeOf(ctx, ticket, order, by)
	}
}

// outcomeOf is where an order leads that the ledger knows. Whoever claimed it may
// be asking for its payment just now: that is waited for. One that is paid by
// another method, as when a link was handed on after it was pressed, is left to it.
func (c *Checkout) outcomeOf(ctx context.Context, ticket Ticket, known *ledger.Order, by qfpay.Method) outcome {
	if known.Status == ledger.StatusPending && isByAnother(*known, by) {
		return refused{kind: pages.TakenElsewhere, isEnded: true}
	}
	order, err := c.Orders.AwaitPrepared(ctx, *known)
	switch {
	case err != nil:
		return c.withoutLedger(ticket, err)
	case order.Status != ledger.StatusPending:
		return seeReturn{}
	case !order.IsPrepared():
		return unknownYet{}
	case !c.Now().Before(order.Expires):
		return refused{kind: pages.Expired}
	default:
		return payAt(order.PayURL)
	}
}

// withoutOpenID decides what follows a failed openid call. Nothing is known at
// the gateway yet, so starting again is safe; after a refusal it happens by
// itself, once. It goes on with the same order: should another node have taken
// the same code after all, there is one payable order.
func (c *Checkout) withoutOpenID(ctx context.Context, ticket Ticket, a attempt, err error, took zap.Field) outcome {
	fields := append(append(orders.IntentFields(ticket.Order, ticket.Intent), took), orders.FailureFields(err)...)
	level := orders.FailureLevel(err)
	kind, wait, again := signInProblem(err)
	if !again {
		c.Log.Log(level, "there is no openid", fields...)
		return refused{kind: kind, wait: wait}
	}
	// The code is used up: by another node, it may be, that has not claimed the
	// order yet.
	order, err := c.Orders.AwaitClaim(ctx, ticket.Order)
	if next := c.recalled(ctx, ticket, &order, err, a.method); next != nil {
		return next
	}
	if ticket.Restarted {
		c.Log.Log(level, "the code was refused twice; the payer was asked to start again", fields...)
		return refused{kind: pages.CodeRefused}
	}
	c.Log.Log(level, "the code was refused; starting again once", fields...)
	return restart{}
}

// unclaimed is where an order leads that is not ours to pay for.
func (c *Checkout) unclaimed(ticket Ticket, err error) outcome {
	if kind := claimProblem(err); kind != "" {
		return refused{kind: kind}
	}
	return c.withoutLedger(ticket, err)
}

func (c *Checkout) withoutLedger(ticket Ticket, err error) outcome {
	c.Log.Error("the ledger is not available: the payer was asked to try again",
		append(orders.IntentFields(ticket.Order, ticket.Intent), zap.Error(err))...)
	return refused{kind: pages.LedgerDown, wait: ledgerWait}
}

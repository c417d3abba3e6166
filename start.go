package qfpayjsapi

import (
	"cmp"
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// start begins a payment. It calls nobody and stores nothing: the order goes
// into a sealed cookie, and the payer to the gateway's OAuth.
func (h *Handler) start(w http.ResponseWriter, r *http.Request, item string) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		return h.wrongMethod(w, r, "GET, HEAD, POST")
	}
	if causesNothing(w, r) {
		return nil
	}
	asked, kind := askedFor(w, r, item)
	if kind != "" {
		return h.problem(w, r, pages.Problem{Kind: kind})
	}
	if item == "" && asked.Values.Has("handoff") {
		return h.fromHandoff(w, r, asked)
	}
	intent, err := h.offer().Intend(asked, h.now())
	if err != nil {
		return h.unstarted(w, r, asked, intent, err)
	}
	if h.isOutside(r) {
		return h.outsideWeChat(w, r, intent)
	}
	realName, ok := h.realName(asked.Form)
	if !ok {
		return h.askRealName(w, r, asked, intent)
	}
	wanted := checkout.Ticket{Intent: intent, RealName: realName}
	return h.startOrder(w, r, wanted, asked.Values.Get("again"))
}

// isOutside reports whether the browser cannot pay.
func (h *Handler) isOutside(r *http.Request) bool { return !inWeChat(r) && h.OutsideWeChat != "allow" }

// realName reads who pays, and whether that will do.
func (h *Handler) realName(form url.Values) (name *checkout.RealName, ok bool) {
	name = &checkout.RealName{Name: strings.TrimSpace(form.Get("user_truename")), IDCard: strings.ToUpper(strings.TrimSpace(form.Get("user_creid")))}
	switch {
	case h.RealName == "" || h.RealName == "off":
		return nil, true
	case h.RealName == "optional" && *name == (checkout.RealName{}):
		return nil, true
	default:
		return name, (*qfpay.RealName)(name).Check() == nil
	}
}

// maxForm bounds the form of a start in bytes.
const maxForm = 16 << 10

// askedFor reads the query, and the form of a POST, whose values come first.
func askedFor(w http.ResponseWriter, r *http.Request, item string) (checkout.Asked, pages.Kind) {
	if r.Method != http.MethodPost {
		return checkout.Asked{Item: item, Values: r.URL.Query()}, ""
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		return checkout.Asked{}, pages.WrongType
	}
	limitBody(w, r, maxForm)
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return checkout.Asked{}, pages.TooLarge
		}
		return checkout.Asked{}, pages.WrongType
	}
	return checkout.Asked{Item: item, Values: r.Form, Form: r.PostForm}, ""
}

func startProblem(err error) pages.Kind {
	for _, problem := range []struct {
		err  error
		kind pages.Kind
	}{
		{checkout.ErrNothingChosen, pages.NothingChosen},
		{checkout.ErrUnknownItem, pages.UnknownItem},
		{checkout.ErrQuantity, pages.BadQuantity},
		{checkout.ErrCart, pages.BadCart},
		{checkout.ErrAmount, pages.BadAmount},
		{checkout.ErrRef, pages.BadRef},
		{checkout.ErrInvoice, pages.BadInvoice},
		{checkout.ErrInvoiceExpired, pages.InvoiceExpired},
	} {
		if errors.Is(err, problem.err) {
			return problem.kind
		}
	}
	var fields *checkout.FieldsError
	if errors.As(err, &fields) {
		return pages.BadField
	}
	return pages.Internal
}

// startOrder goes on with an order for the same thing that this browser has
// under way, or makes a new one.
func (h *Handler) startOrder(w http.ResponseWriter, r *http.Request, wanted checkout.Ticket, again string) error {
	site, intent := h.origin(r), wanted.Intent
	tickets, spoilt := h.tickets(r, site)
	step, err := h.resume(r.Context(), tickets, wanted, again)
	if err != nil {
		h.unreadable(r, wanted.Order, err)
		retryAfter(w, storageWait)
		return h.problem(w, r, pages.Problem{Kind: pages.StorageDown, RetryURL: h.payLink(intent)})
	}
	if step.payURL != "" {
		return redirect(w, r, step.payURL)
	}
	if kind, err := h.invoiceTaken(r.Context(), intent, step.ticket.Order); kind != "" {
		return h.invoiceProblem(w, r, intent, kind, err)
	}
	if step.ticket.Order == "" {
		step.ticket = wanted
		step.ticket.Order = cmp.Or(wanted.Order, checkout.NewOrder(h.now()))
		h.clearOldTickets(w, site, tickets, spoilt)
	}
	step.ticket.RealName = wanted.RealName
	return h.authorize(w, r, site, step.ticket)
}

// resumption is an order under way: to be paid at once, or to go on with.
type resumption struct {
	payURL string
	ticket checkout.Ticket
}

// resume looks for an order that asks for the same thing and is still payable,
// or about to be. The order called again is passed over: the payer was offered
// to start again because nobody knows what became of it. Of an order that was
// handed over, no other one takes the place.
func (h *Handler) resume(ctx context.Context, tickets []checkout.Ticket, wanted checkout.Ticket, again string) (resumption, error) {
	for _, ticket := range tickets {
		if ticket.Order == again || ticket.Expired(h.now(), time.Duration(h.OrderTTL)) || !checkout.SameThing(ticket.Intent, wanted.Intent) ||
			wanted.Order != "" && ticket.Order != wanted.Order {
			continue
		}
		order, err := h.ledger.Find(ctx, ticket.Order)
		switch {
		case errors.Is(err, ledger.ErrUnknown):
			return resumption{ticket: ticket}, nil
		case err != nil:
			return resumption{}, err
		case order.Status() != ledger.StatusPending:
			continue
		case order.Prepared != nil:
			return resumption{payURL: order.Prepared.PayURL}, nil
		case ticket.Order > again && h.underWay(order): // of older ones the payer has been told that nobody knows
			return resumption{ticket: ticket}, nil
		}
	}
	return resumption{}, nil
}

// authorize hands the payer the ticket and sends them to the gateway's OAuth.
func (h *Handler) authorize(w http.ResponseWriter, r *http.Request, site origin, ticket checkout.Ticket) error {
	location, err := h.signInURL(site, ticket.Order)
	if err == nil {
		err = h.giveTicket(w, site, ticket)
	}
	if errors.Is(err, checkout.ErrTooLarge) {
		return h.problem(w, r, pages.Problem{Kind: pages.TooLarge})
	}
	if err != nil {
		h.logger.Error("starting a payment failed", zap.Error(err))
		return h.problem(w, r, pages.Problem{Kind: pages.Internal})
	}
	noteIntent(r, ticket.Order, ticket.Intent)
	h.noteStart("start", ticket.Order, ticket.Intent)
	if h.Hosted {
		return h.askToConfirm(w, r, ticket)
	}
	return redirect(w, r, location)
}

// clearOldTickets makes room so that with a new ticket the browser carries at
// most [ticketsKept].
func (h *Handler) clearOldTickets(w http.ResponseWriter, site origin, tickets []checkout.Ticket, spoilt []string) {
	for _, order := range spoilt {
		h.dropTicket(w, site, order)
	}
	for i, ticket := range tickets {
		if i >= ticketsKept-1 {
			h.dropTicket(w, site, ticket.Order)
		}
	}
}

// payLink is the link that starts the same purchase.
func (h *Handler) payLink(intent ledger.Intent) string {
	link, query := url.URL{Path: h.Path}, url.Values{}
	switch {
	case intent.Invoice != nil:
		query.Set("invoice", intent.Invoice.Token)
	case len(intent.Lines) == 0:
		query.Set("amount", checkout.Decimal(intent.Amount, intent.Currency))
	case len(intent.Lines) == 1:
		link.Path += "/" + intent.Lines[0].Item
		if quantity := intent.Lines[0].Quantity; quantity > 1 {
			query.Set("quantity", strconv.Itoa(quantity))
		}
	default:
		for _, line := range intent.Lines {
			query.Add("item", line.Item+":"+strconv.Itoa(line.Quantity))
		}
	}
	if intent.Ref != "" && intent.Invoice == nil {
		query.Set("ref", intent.Ref)
	}
	link.RawQuery = query.Encode()
	return link.String()
}

// startAgain is the link that starts the same purchase with a new order.
func (h *Handler) startAgain(order string, intent ledger.Intent) string {
	link, _ := url.Parse(h.payLink(intent))
	query := link.Query()
	query.Set("again", order)
	link.RawQuery = query.Encode()
	return link.String()
}

// shown is what the payer's pages show of an order.
func (h *Handler) shown(order string, intent ledger.Intent) pages.Order {
	shown := pages.Order{
		ID:          order,
		Merchant:    h.MerchantName,
		Description: intent.Description,
		Quantity:    1,
		Amount:      shownAmount(intent.Amount, intent.Currency),
		Ref:         intent.Ref,
	}
	if len(intent.Lines) == 1 {
		shown.Description, shown.Quantity = intent.Lines[0].Name, intent.Lines[0].Quantity
		return shown
	}
	for _, line := range intent.Lines {
		shown.Lines = append(shown.Lines, pages.Line{
			Name: line.Name, Quantity: line.Quantity, Sum: shownAmount(line.Price*int64(line.Quantity), intent.Currency),
		})
	}
	return shown
}

func shownAmount(minor int64, currency string) pages.Amount {
	return pages.Amount{Decimal: checkout.Decimal(minor, currency), Currency: currency}
}

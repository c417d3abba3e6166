package qfpayjsapi

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

// watchRefresh is how often the page on the desk looks without script.
const watchRefresh = 5 * time.Second

// outsideWeChat answers pay links in browsers that cannot pay: a page hands
// exactly this order to the phone, and watches what becomes of it.
func (h *Handler) outsideWeChat(w http.ResponseWriter, r *http.Request, intent ledger.Intent) error {
	if h.OutsideWeChat != "handoff" {
		return redirect(w, r, h.OutsideWeChat)
	}
	order := checkout.NewOrder(h.now())
	text, err := h.seal.CloseHandoff(checkout.Handoff{
		Order: order, At: intent.At.Unix(), Link: h.payLink(intent), Amount: intent.Amount, Fields: intent.Fields,
	})
	if err != nil {
		return h.problem(w, r, pages.Problem{Kind: pages.TooLarge})
	}
	noteIntent(r, order, intent)
	h.noteStart("handoff", order, intent)
	return h.showHandoff(w, r, order, intent, text)
}

func (h *Handler) showHandoff(w http.ResponseWriter, r *http.Request, order string, intent ledger.Intent, text string) error {
	here := h.handoffPath(text)
	return h.page(w, r, pages.Handoff{
		Order:    h.shown(order, intent),
		Link:     string(h.origin(r)) + here,
		Phone:    onPhone(r),
		WatchURL: here,
		Refresh:  watchRefresh,
	})
}

func (h *Handler) handoffPath(text string) string {
	return h.Path + "?" + url.Values{"handoff": {text}}.Encode()
}

// fromHandoff is where the code on the desk leads: on the phone the order
// begins, on the desk its page is shown again until the order has an end. The
// gateway is asked nothing here.
func (h *Handler) fromHandoff(w http.ResponseWriter, r *http.Request, asked checkout.Asked) error {
	text := asked.Values.Get("handoff")
	handoff, err := h.seal.OpenHandoff(text)
	if err != nil {
		return h.problem(w, r, pages.Problem{Kind: pages.OtherBrowser})
	}
	order, err := h.ledger.Find(r.Context(), handoff.Order)
	known := err == nil
	switch {
	case err != nil && !errors.Is(err, ledger.ErrUnknown):
		h.unreadable(r, handoff.Order, err)
		retryAfter(w, storageWait)
		return h.problem(w, r, pages.Problem{Kind: pages.StorageDown, RetryURL: h.handoffPath(text)})
	case known && order.Status() != ledger.StatusPending:
		return h.watched(w, r, string(order.Status()), h.returnPath(handoff.Order))
	}
	ticket, err := h.redeem(handoff)
	switch {
	case ticket.Expired(h.now(), time.Duration(h.OrderTTL)) || err != nil:
		if prefersJSON(r) {
			return h.watched(w, r, "expired", h.handoffPath(text))
		}
		return h.problem(w, r, pages.Problem{Kind: pages.Expired, StartURL: handoff.Link})
	case h.isOutside(r) && prefersJSON(r):
		return h.watched(w, r, "waiting", "")
	case h.isOutside(r):
		return h.showHandoff(w, r, handoff.Order, ticket.Intent, text)
	}
	if _, ours := h.ticket(r, h.origin(r), handoff.Order); known && !ours {
		return h.problem(w, r, pages.Problem{Kind: pages.TakenElsewhere, RetryURL: h.handoffPath(text)})
	}
	realName, ok := h.realName(asked.Form)
	if !ok {
		return h.askRealName(w, r, asked, ticket.Intent)
	}
	ticket.RealName = realName
	return h.startOrder(w, r, ticket, "")
}

// watched tells the page on the desk where to go: a script by JSON, a browser
// without one by a redirect.
func (h *Handler) watched(w http.ResponseWriter, r *http.Request, status, location string) error {
	if !prefersJSON(r) {
		return redirect(w, r, location)
	}
	news := map[string]string{"status": status}
	if location != "" {
		news["location"] = location
	}
	return writeJSON(w, http.StatusOK, news)
}

var errPriceChanged = errors.New("the price has changed since")

// redeem makes the order of a handoff, if it still costs what the desk showed.
func (h *Handler) redeem(handoff checkout.Handoff) (checkout.Ticket, error) {
	link, err := url.Parse(handoff.Link)
	if err != nil {
		return checkout.Ticket{}, err
	}
	form := make(url.Values, len(handoff.Fields))
	for name, value := range handoff.Fields {
		form.Set(name, value)
	}
	item := strings.TrimPrefix(strings.TrimPrefix(link.Path, h.Path), "/")
	intent, err := h.offer().Intend(checkout.Asked{Item: item, Values: link.Query(), Form: form}, time.Unix(handoff.At, 0))
	ticket := checkout.Ticket{Order: handoff.Order, Intent: intent, HandedOver: true}
	if err == nil && intent.Amount != handoff.Amount {
		err = errPriceChanged
	}
	return ticket, err
}

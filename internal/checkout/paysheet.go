package checkout

import (
	"encoding/json"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// paySheet answers the callback of an order that has come without a code: for the
// shop's own official account it is the JSAPI bridge page, which opens WeChat's pay
// sheet. Its address lies in the one directory that is registered with WeChat.
func (c *Checkout) paySheet(w http.ResponseWriter, r *http.Request, ticket Ticket) error {
	next := c.recall(r.Context(), ticket, qfpay.MethodJSAPI)
	if next == nil {
		return c.problem(w, r, pages.Problem{Order: pages.Order{ID: ticket.Order}, Kind: pages.MissingCode, StartURL: c.payLink(ticket.Intent)})
	}
	c.noteIntent(r, ticket.Order, ticket.Intent)
	if to, payable := next.(payAt); !payable || string(to) != c.callbackPath(ticket.Order) {
		return next.answer(c, w, r, ticket)
	}
	order, err := c.find(r, ticket.Order)
	if err != nil {
		return c.withoutLedger(ticket, err).answer(c, w, r, ticket)
	}
	return c.page(w, r, pages.PaySheet{
		Order:       c.shown(ticket.Order, ticket.Intent),
		PayParams:   string(order.PayParams),
		ReturnURL:   c.returnPath(ticket.Order),
		ShopURL:     shopURL,
		FallbackURL: c.withoutPaySheet(c.Origin(r), ticket, order.PayParams),
	})
}

// withoutPaySheet is where browsers go that have no pay sheet: with
// `outside_wechat allow`, which is for tests with a simulator, to its pay page.
func (c *Checkout) withoutPaySheet(site Origin, ticket Ticket, payParams json.RawMessage) string {
	if c.OutsideWeChat != "allow" {
		return ""
	}
	var params qfpay.PayParams
	if err := json.Unmarshal(payParams, &params); err != nil {
		return ""
	}
	address, err := c.payURL(site, ticket, params)
	if err != nil {
		return ""
	}
	return address
}

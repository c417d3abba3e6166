package checkout

import (
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func (c *Checkout) noteStep(r *http.Request, step string) {
	c.Server.Note(r, "step", step)
}

func (c *Checkout) noteOrder(r *http.Request, order ledger.Order) {
	c.noteIntent(r, order.ID, order.Intent)
	c.Server.Note(r, "status", string(order.Status))
}

func (c *Checkout) noteIntent(r *http.Request, order string, intent ledger.Intent) {
	c.Server.Note(r, "order", order)
	c.Server.Note(r, "amount", qfpay.Decimal(intent.Amount, intent.Currency))
	c.Server.Note(r, "currency", intent.Currency)
}

package checkout

import (
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// The log has one line for each step that an order passes. ERROR means that
// a person is needed: money or an order would stay wrong, the shop's own
// configuration is refused, or the ledger failed while somebody waited for it.
// What is tried again by itself is a WARN.

// logStart is the line of a step that nobody has been vouched for at. It is
// for debugging, so that bots and link previews do not fill the log.
func (c *Checkout) logStart(step, order string, intent ledger.Intent) {
	if line := c.Log.Check(zap.DebugLevel, step); line != nil {
		line.Write(orders.IntentFields(order, intent)...)
	}
}

// returned is a status in which a payer found an order.
type returned struct {
	order  string
	status ledger.Status
}

// loggedReturns is how many of them are remembered.
const loggedReturns = 4096

// logReturn says how the payer found the order, once for each status: the page
// refreshes, and anybody who has its address can open it without end.
func (c *Checkout) logReturn(order ledger.Order, began time.Time) {
	if known, _ := c.Shared.returns.ContainsOrAdd(returned{order.ID, order.Status}, struct{}{}); known {
		return
	}
	c.Log.Info("return", append(orders.OrderFields(order), zap.String("status", string(order.Status)),
		zap.String("syssn", order.Syssn), c.seconds(began))...)
}

// logUnreadable says that the ledger could not be read for a request, unless it
// was the request that ended.
func (c *Checkout) logUnreadable(r *http.Request, order string, err error) {
	if r.Context().Err() == nil {
		c.Log.Error("the ledger cannot be read: whoever asked was told to try again", zap.String("order", order), zap.Error(err))
	}
}

// seconds is how long a step took.
func (c *Checkout) seconds(began time.Time) zap.Field {
	return zap.Float64("seconds", c.Now().Sub(began).Seconds())
}

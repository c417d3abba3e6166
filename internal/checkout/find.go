package checkout

import (
	"context"
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// storeLimit bounds how long a request waits for the ledger alone.
const storeLimit = 10 * time.Second

// ledgerWait is when whoever is told that the ledger is down may try again.
const ledgerWait = 5 * time.Second

// find reads an order of the shop for a request.
func (c *Checkout) find(r *http.Request, order string) (ledger.Order, error) {
	ctx, cancel := context.WithTimeout(r.Context(), storeLimit)
	defer cancel()
	return c.Orders.Find(ctx, order)
}

package checkout

import (
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// Shared is what the blocks of a shop have in common in this process, across
// reloads: requests in flight of the old configuration and those of the new one
// know of each other.
type Shared struct {
	callbacks singleflight.Group // by order
	refusals  *quota             // of callbacks by the gateway
	payments  *quota             // for whose payer nobody vouches
	handoffs  *quota             // that are kept in the ledger, by client
	kept      *rate.Limiter      // handoffs, of all clients
	stock     *stockReads        // what the shop's own pages were told last
	hostNoted sync.Once          // that a request named a host which is none of the site's

	forged      atomic.Int64                   // notifications with a wrong signature since the last line about them
	forgedLines *rate.Limiter                  // in the log
	returns     *lru.Cache[returned, struct{}] // that the log has
}

// NewShared returns what a shop begins with.
func NewShared() *Shared {
	returns, _ := lru.New[returned, struct{}](loggedReturns) // fails for sizes below 1 only
	return &Shared{
		refusals: newRefusals(), payments: newPayments(), handoffs: newHandoffs(), kept: rate.NewLimiter(keptRate, keptBurst),
		stock: newStockReads(), forgedLines: rate.NewLimiter(rate.Every(time.Minute), 1), returns: returns,
	}
}

// Destruct does nothing: there is nothing to stop. With it, configurations can
// share it by counting uses.
func (*Shared) Destruct() error { return nil }

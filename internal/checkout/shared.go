package checkout

import (
	"sync"

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
}

// NewShared returns what a shop begins with.
func NewShared() *Shared {
	return &Shared{refusals: newRefusals(), payments: newPayments(), handoffs: newHandoffs(), kept: rate.NewLimiter(keptRate, keptBurst), stock: newStockReads()}
}

// Destruct does nothing: there is nothing to stop. With it, configurations can
// share it by counting uses.
func (*Shared) Destruct() error { return nil }

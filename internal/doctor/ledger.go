package doctor

import (
	"context"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// seeLedger is the advice of checks that cannot read the ledger.
const seeLedger = "See the check of the ledger."

// slowLedger is how long a row may take before every payer notices.
const slowLedger = time.Second

// checkLedger writes, reads and deletes a row, as orders do.
func (s Shop) checkLedger(ctx context.Context) Finding {
	began := time.Now()
	if err := s.Ledger.Update(ctx, (*ledger.Tx).Try); err != nil {
		return bad("Orders cannot be stored, so nobody can pay: check the database's permissions, disk space and connection.", "%v: %v", s.Ledger, err)
	}
	took := time.Since(began).Round(time.Millisecond)
	if took > slowLedger {
		return warning("Every payer waits for the ledger: use a faster disk or database.", "%v: a row was written, read and deleted in %v", s.Ledger, took)
	}
	return good("%v: a row was written, read and deleted in %v", s.Ledger, took)
}

// overdue is how long after it was started an order should have come to its end.
const overdue = 26 * time.Hour

// checkOpenOrders looks for orders that should have come to their end.
func (s Shop) checkOpenOrders(ctx context.Context) Finding {
	type counts struct{ open, old map[string]int }
	orders, err := ledger.View(ctx, s.Ledger, func(tx *ledger.Tx) (c counts, err error) {
		c.open, c.old, err = tx.OpenOrders(s.Now().Add(-overdue))
		return c, err
	})
	switch open, old := orders.open[s.Name], orders.old[s.Name]; {
	case err != nil:
		return bad(seeLedger, "%v", err)
	case old > 0:
		return warning("Look at them and at the log to see what holds them up: a refund without an outcome, or a gateway that does not answer.",
			"%d open, %d of them for more than %v", open, old, overdue)
	default:
		return good("%d", open)
	}
}

// checkShops looks for orders that nobody here brings to their end, as after a
// block was removed or got another name.
func (s Shop) checkShops(ctx context.Context) Finding {
	lost, err := s.LostShops(ctx)
	switch {
	case err != nil:
		return bad(seeLedger, "%v", err)
	case len(lost) > 0:
		return warning("Put their blocks back until their orders have ended, or set name in the block that replaced them.",
			"the ledger has open orders of shops that have no block: %s", strings.Join(lost, ", "))
	default:
		return good("every shop with open orders has a block")
	}
}

// maxOrphans bounds how many are looked at.
const maxOrphans = 1000

func (s Shop) checkOrphans(ctx context.Context) Finding {
	orphans, err := ledger.View(ctx, s.Ledger, func(tx *ledger.Tx) ([]ledger.Orphan, error) {
		return tx.Orphans([]string{s.Name}, maxOrphans)
	})
	switch {
	case err != nil:
		return bad(seeLedger, "%v", err)
	case len(orphans) > 0:
		return warning("Find out where they come from: another system that uses this account, or a lost ledger.",
			"payments without an order: %d, the last of %s", len(orphans), orphans[0].At.Local().Format("2006-01-02 15:04:05"))
	default:
		return good("none")
	}
}

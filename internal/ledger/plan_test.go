package ledger_test

import (
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger/ledgertest"
)

// Steps of a plan that read of a table what grows for ever, and those that are
// bounded: by one shop, account, order or row, or by what is still to be done.
var (
	ofLongTable = regexp.MustCompile(`^(SCAN|SEARCH) (orders|events|refunds|deliveries|orphans|comparisons|sums)\b`)
	bounded     = regexp.MustCompile(`\(\w+=\?|\b(orders_check_at|deliveries_next_at|deliveries_due)\b`)
)

func TestNoStatementGoesThroughTheWholeLedger(t *testing.T) {
	var plans sync.Map // by statement
	ledgertest.Run(t, createSQLite(func(opened ledger.Ledger) ledger.Ledger {
		return ledger.Watched(opened, func(conn ledger.Execer, query string, args []any) {
			if _, known := plans.Load(query); known {
				return
			}
			if plan, err := ledger.PlanOf(conn, query, args); err == nil && len(plan) > 0 { // it reads, in a transaction that has not failed
				plans.Store(query, plan)
			}
		})
	}))
	statements := 0
	plans.Range(func(query, plan any) bool {
		statements++
		for _, step := range plan.([]string) {
			if ofLongTable.MatchString(step) {
				assert.Regexp(t, bounded, step, query)
			}
		}
		return true
	})
	assert.Greater(t, statements, 50)
}

package ledger_test

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	ledgertest.Run(t, func(t *testing.T) func() ledger.Ledger {
		file := filepath.Join(t.TempDir(), "ledger.db")
		return func() ledger.Ledger {
			opened, err := ledger.OpenSQLite(t.Context(), file, nil)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, opened.Close()) })
			return ledger.Watched(opened, func(conn ledger.Execer, query string, args []any) {
				if _, known := plans.Load(query); known {
					return
				}
				if plan := planOf(conn, query, args); plan != nil {
					plans.Store(query, plan)
				}
			})
		}
	})
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

// planOf returns the steps by which SQLite answers a statement; none if it cannot
// be planned, as one of a transaction that has failed.
func planOf(conn ledger.Execer, query string, args []any) (steps []string) {
	rows, err := conn.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if rows.Scan(&id, &parent, &unused, &step) == nil {
			steps = append(steps, strings.TrimSpace(step))
		}
	}
	return steps
}

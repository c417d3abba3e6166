package ledger_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger/ledgertest"
)

func TestSQLiteIsALedger(t *testing.T) {
	ledgertest.Run(t, createSQLite(func(opened ledger.Ledger) ledger.Ledger { return opened }))
}

// createSQLite makes ledgers in files, and tests what wrap makes of them.
func createSQLite(wrap func(ledger.Ledger) ledger.Ledger) ledgertest.Create {
	return func(t *testing.T) func() ledger.Ledger {
		file := filepath.Join(t.TempDir(), "ledger.db")
		return func() ledger.Ledger {
			opened, err := ledger.OpenSQLite(t.Context(), file, nil)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, opened.Close()) })
			return wrap(opened)
		}
	}
}

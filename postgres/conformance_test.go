//go:build postgres

package postgres

import (
	"testing"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger/ledgertest"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
)

func TestTheEngineIsALedger(t *testing.T) {
	server := postgrestest.Start(t)
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			ledgertest.Run(t, func(t *testing.T) func() ledger.Ledger {
				address := server.NewDatabase() + "&default_query_exec_mode=" + mode
				return func() ledger.Ledger { return openAt(t, address) }
			})
		})
	}
}

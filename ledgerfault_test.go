package qfpayjsapi_test

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// ledgerFault is what a test has happen before each operation of a ledger:
// "Update" or "View". An error takes the place of the operation.
type ledgerFault func(ctx context.Context, operation string) error

// ledgerFaults are those of the ledgers in use, by their files.
var ledgerFaults sync.Map

// failLedger has something happen before each operation of the shop's ledger; nil
// ends that.
func (s *shop) failLedger(fault ledgerFault) { ledgerFaults.Store(s.file, fault) }

func init() {
	sqlite, _ := ledger.EngineNamed("sqlite")
	ledger.RegisterEngine("sqlite", func(ctx context.Context, file string, log *zap.Logger) (ledger.Ledger, error) {
		opened, err := sqlite(ctx, file, log)
		if err != nil {
			return nil, err
		}
		countLedger(file, 0)
		return faultyLedger{opened, file}, nil
	})
}

var ledgerCounts struct {
	sync.Mutex
	byFile map[string][2]int
}

func countLedger(file string, which int) {
	ledgerCounts.Lock()
	defer ledgerCounts.Unlock()
	if ledgerCounts.byFile == nil {
		ledgerCounts.byFile = make(map[string][2]int)
	}
	counts := ledgerCounts.byFile[file]
	counts[which]++
	ledgerCounts.byFile[file] = counts
}

// openedAndClosed returns how often the running Caddy has opened and closed the
// ledger in a file.
func openedAndClosed(file string) [2]int {
	ledgerCounts.Lock()
	defer ledgerCounts.Unlock()
	return ledgerCounts.byFile[file]
}

// faultyLedger is a ledger that fails when a test says so.
type faultyLedger struct {
	ledger.Ledger
	file string
}

// Update implements ledger.Ledger.
func (f faultyLedger) Update(ctx context.Context, step func(*ledger.Tx) error) error {
	if err := f.before(ctx, "Update"); err != nil {
		return err
	}
	return f.Ledger.Update(ctx, step)
}

// View implements ledger.Ledger.
func (f faultyLedger) View(ctx context.Context, step func(*ledger.Tx) error) error {
	if err := f.before(ctx, "View"); err != nil {
		return err
	}
	return f.Ledger.View(ctx, step)
}

// Close implements ledger.Ledger.
func (f faultyLedger) Close() error {
	countLedger(f.file, 1)
	return f.Ledger.Close()
}

func (f faultyLedger) before(ctx context.Context, operation string) error {
	fault, _ := ledgerFaults.Load(f.file)
	if set, ok := fault.(ledgerFault); ok && set != nil {
		return set(ctx, operation)
	}
	return nil
}

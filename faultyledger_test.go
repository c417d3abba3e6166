package qfpayjsapi

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// faultyLedger is a ledger as one machine reaches it, with the troubles that a test
// chooses.
type faultyLedger struct {
	ledger.Ledger

	mu     sync.Mutex
	around around
}

// around is what happens around an operation, "Update" or "View": it does it, or
// does not, and says how it ended.
type around func(ctx context.Context, operation string, do func() error) error

// with sets what happens around each operation; nil ends all trouble.
func (l *faultyLedger) with(around around) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.around = around
}

func (l *faultyLedger) Update(ctx context.Context, step func(*ledger.Tx) error) error {
	return l.meet(ctx, "Update", func() error { return l.Ledger.Update(ctx, step) })
}

func (l *faultyLedger) View(ctx context.Context, step func(*ledger.Tx) error) error {
	return l.meet(ctx, "View", func() error { return l.Ledger.View(ctx, step) })
}

func (l *faultyLedger) meet(ctx context.Context, operation string, do func() error) error {
	l.mu.Lock()
	around := l.around
	l.mu.Unlock()
	if around == nil {
		return do()
	}
	return around(ctx, operation, do)
}

// quickFolder is a folder in memory where the system has one: for the tests that
// make thousands of payments.
func quickFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "ledgers")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
	return folder
}

// emptyLedger is the file of a ledger without orders.
var emptyLedger = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "ledger")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "ledger.db")
	opened, err := ledger.OpenSQLite(context.Background(), file, nil)
	if err != nil {
		return nil, err
	}
	if err := opened.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// newLedger puts a ledger without orders into a file, quicker than its migrations
// would.
func newLedger(t testing.TB, file string) {
	t.Helper()
	empty, err := emptyLedger()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, empty, 0o600))
}

// openLedger opens a ledger until the test ends.
func openLedger(t testing.TB, file string) *ledger.SQLite {
	t.Helper()
	opened, err := ledger.OpenSQLite(context.Background(), file, nil)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, opened.Close()) })
	return opened
}

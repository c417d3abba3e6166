package qfpayjsapi

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// countingEngine counts how often its ledger is opened and closed.
type countingEngine struct {
	at     string
	tries  atomic.Int32
	opened countingLedger
}

func (e *countingEngine) address() string { return e.at }
func (e *countingEngine) String() string  { return "counting ledger" }

func (e *countingEngine) open(context.Context, *zap.Logger) (ledger.Ledger, error) {
	e.tries.Add(1)
	return &e.opened, nil
}

type countingLedger struct {
	ledger.Ledger
	closed atomic.Int32
}

func (l *countingLedger) View(context.Context, func(*ledger.Tx) error) error {
	if l.closed.Load() > 0 {
		return errors.New("a step came after the end")
	}
	return nil
}

func (l *countingLedger) Close() error {
	l.closed.Add(1)
	return nil
}

// join has a block name the ledger of an engine.
func join(t *testing.T, engine ledgerEngine) *ledgerHandle {
	t.Helper()
	handle, err := joinLedger(engine, zap.NewNop())
	require.NoError(t, err)
	return handle
}

func look(h *ledgerHandle) error {
	return h.View(context.Background(), func(*ledger.Tx) error { return nil })
}

func TestALedgerIsOpenedByTheFirstUseAndClosedByTheLastBlock(t *testing.T) {
	engine := &countingEngine{at: t.Name()}
	first, second := join(t, engine), join(t, engine)
	assert.Same(t, first, second, "blocks that name the same ledger share it")
	assert.Zero(t, engine.tries.Load(), "to name a ledger does not open it")
	require.NoError(t, look(first))
	require.NoError(t, look(second))
	require.NoError(t, first.leave())
	require.NoError(t, look(second))
	assert.Zero(t, engine.opened.closed.Load())
	require.NoError(t, second.leave())
	assert.EqualValues(t, 1, engine.opened.closed.Load())
	assert.ErrorIs(t, look(first), ledger.ErrClosed)
	assert.EqualValues(t, 1, engine.tries.Load())
}

func TestALedgerThatNobodyUsedIsNeverOpened(t *testing.T) {
	engine := &countingEngine{at: t.Name()}
	require.NoError(t, join(t, engine).leave())
	assert.Zero(t, engine.tries.Load())
	assert.Zero(t, engine.opened.closed.Load())
}

func TestLedgersOfDifferentAddressesOrEnginesAreDifferent(t *testing.T) {
	a, b := join(t, &countingEngine{at: "a"}), join(t, &countingEngine{at: "b"})
	c := join(t, &SQLite{File: "a"})
	assert.NotSame(t, a, b)
	assert.NotEqual(t, a.key, c.key)
	for _, h := range []*ledgerHandle{a, b, c} {
		require.NoError(t, h.leave())
	}
}

func TestALedgerStaysUsableWhileConfigurationsAreReloaded(t *testing.T) {
	engine := &countingEngine{at: t.Name()}
	current := join(t, engine)
	require.NoError(t, look(current))
	stop, ended := make(chan struct{}), make(chan error, 4)
	for range cap(ended) {
		go func() {
			for {
				select {
				case <-stop:
					ended <- nil
					return
				default:
				}
				release := current.Acquire()
				err := look(current)
				release()
				if err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	for range 200 {
		join(t, engine)
		require.NoError(t, current.leave())
	}
	close(stop)
	for range cap(ended) {
		assert.NoError(t, <-ended)
	}
	require.NoError(t, current.leave())
	assert.EqualValues(t, 1, engine.opened.closed.Load())
}

func TestAHandleOfSQLiteWritesAndReads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	handle := join(t, &SQLite{File: file})
	assert.NoFileExists(t, file, "nothing is opened before it is used")
	require.NoError(t, handle.Open(t.Context()))
	assert.FileExists(t, file)
	assert.Equal(t, "SQLite "+file, handle.String())
	now := time.Now()
	order := ledger.NewID(now)
	require.NoError(t, handle.Update(t.Context(), func(tx *ledger.Tx) error {
		_, err := tx.Claim(ledger.Order{ID: order, Shop: "shop", Intent: ledger.Intent{At: now, Amount: 100, Currency: "HKD"}, Claimed: now, Expires: now})
		return err
	}))
	require.NoError(t, handle.View(t.Context(), func(tx *ledger.Tx) error {
		_, err := tx.Order(order)
		return err
	}))
	require.NoError(t, handle.Backup(t.Context(), file+".copy"))
	assert.FileExists(t, file+".copy")
	require.NoError(t, handle.leave())
	assert.NoFileExists(t, file+"-wal", "it was closed")
}

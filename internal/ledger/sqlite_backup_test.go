package ledger

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABackupIsConsistentWhileStepsRun(t *testing.T) {
	folder := t.TempDir()
	opened := openTest(t, filepath.Join(folder, "ledger.db"))
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				assert.NoError(t, opened.Update(t.Context(), wholeStep(nil)))
			}
		})
	}
	least := 0
	for _, name := range []string{"1.db", "2.db", "3 it's ü.db"} {
		before := count(t, opened)
		file := filepath.Join(folder, name)
		require.NoError(t, opened.Backup(t.Context(), file))
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		copied := openTest(t, file)
		assert.GreaterOrEqual(t, requireWhole(t, copied), max(before, least))
		require.NoError(t, copied.Update(t.Context(), wholeStep(nil)), "a backup is a ledger")
	}
	stop()
	all.Wait()
	left, err := filepath.Glob(filepath.Join(folder, "*.tmp"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestABackupReplacesNothing(t *testing.T) {
	folder := t.TempDir()
	opened := openTest(t, filepath.Join(folder, "ledger.db"))
	file := filepath.Join(folder, "mine")
	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	assert.ErrorContains(t, opened.Backup(t.Context(), file), "already exists")
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(kept))
	assert.ErrorContains(t, publish(filepath.Join(folder, "ledger.db"), file), "already exists", "one that came meanwhile")
}

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	opened := openTest(t, filepath.Join(folder, "ledger.db"))
	require.NoError(t, opened.Update(t.Context(), claimStep(testOrder())))
	assert.Error(t, opened.Backup(t.Context(), filepath.Join(folder, "missing", "copy.db")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, opened.Backup(ctx, filepath.Join(folder, "copy.db")), context.Canceled)
	left, err := filepath.Glob(filepath.Join(folder, "copy.db*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	require.NoError(t, opened.Close())
	assert.ErrorIs(t, opened.Backup(t.Context(), filepath.Join(folder, "copy.db")), ErrClosed)
}

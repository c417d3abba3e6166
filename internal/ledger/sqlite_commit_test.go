package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// blocker is a step that holds the writer until it is released.
func blocker() (step func(*Tx) error, runs, release chan struct{}) {
	runs, release = make(chan struct{}), make(chan struct{})
	return func(*Tx) error {
		close(runs)
		<-release
		return nil
	}, runs, release
}

func count(t testing.TB, l Ledger) (orders int) {
	t.Helper()
	require.NoError(t, l.View(t.Context(), func(tx *Tx) error {
		_, err := tx.scanInto([]any{&orders}, "SELECT COUNT(*) FROM orders")
		return err
	}))
	return orders
}

// soon is long enough for goroutines to come to where they wait.
const soon = 100 * time.Millisecond

// withBatch runs steps in one transaction, and returns their errors.
func withBatch(t *testing.T, opened *SQLite, steps ...func(*Tx) error) []error {
	t.Helper()
	block, runs, release := blocker()
	var all sync.WaitGroup
	all.Go(func() { assert.NoError(t, opened.Update(t.Context(), block)) })
	<-runs
	errs := make([]error, len(steps))
	for i, step := range steps {
		all.Go(func() { errs[i] = opened.Update(t.Context(), step) })
		time.Sleep(5 * time.Millisecond) // so that they queue in this order
	}
	time.Sleep(soon)
	close(release)
	all.Wait()
	return errs
}

func TestStepsThatWaitAreCommittedTogether(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	var commits, ran, answered atomic.Int32
	var ranBefore int32 // of the commits that have ended
	opened.committed = func() {
		commits.Add(1)
		time.Sleep(20 * time.Millisecond)
		assert.LessOrEqual(t, answered.Load(), ranBefore, "a caller heard of success before the commit had ended")
		ranBefore = ran.Load()
	}
	block, runs, release := blocker()
	var all sync.WaitGroup
	all.Go(func() {
		assert.NoError(t, opened.Update(t.Context(), block))
		answered.Add(1)
	})
	<-runs
	ran.Add(1)
	for range 200 {
		all.Go(func() {
			assert.NoError(t, opened.Update(t.Context(), func(tx *Tx) error {
				ran.Add(1)
				return claimStep(testOrder())(tx)
			}))
			answered.Add(1)
		})
	}
	time.Sleep(soon)
	close(release)
	all.Wait()
	assert.Equal(t, 200, count(t, opened))
	assert.LessOrEqual(t, commits.Load(), int32(5), "200 steps")
}

func TestAStepWhoseContextEndsInTheQueueNeverRuns(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	first, firstRuns, releaseFirst := blocker()
	second, secondRuns, releaseSecond := blocker()
	var all sync.WaitGroup
	all.Go(func() { assert.NoError(t, opened.Update(t.Context(), first)) })
	<-firstRuns
	all.Go(func() { assert.NoError(t, opened.Update(t.Context(), second)) })
	time.Sleep(soon)
	ran := false
	gaveUp := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		gaveUp <- opened.Update(ctx, func(*Tx) error {
			ran = true
			return nil
		})
	}()
	time.Sleep(soon)
	close(releaseFirst)
	<-secondRuns // the writer has taken both, and runs the second
	cancel()
	assert.ErrorIs(t, <-gaveUp, context.Canceled)
	close(releaseSecond)
	all.Wait()
	require.NoError(t, opened.Update(t.Context(), claimStep(testOrder())))
	assert.False(t, ran)
}

func TestACallerWaitsNoLongerThanItsContext(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	for name, do := range map[string]func(context.Context, func(*Tx) error) error{"update": opened.Update, "view": opened.View} {
		t.Run(name, func(t *testing.T) {
			block, _, release := blocker()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			began := time.Now()
			assert.ErrorIs(t, do(ctx, block), context.DeadlineExceeded)
			assert.Less(t, time.Since(began), 10*time.Second)
			close(release)
			assert.NoError(t, do(t.Context(), func(*Tx) error { return nil }))
		})
	}
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	block, runs, release := blocker()
	var all sync.WaitGroup
	all.Go(func() {
		assert.NoError(t, opened.Update(t.Context(), func(tx *Tx) error {
			return errors.Join(claimStep(testOrder())(tx), block(tx))
		}))
	})
	<-runs
	assert.Zero(t, count(t, opened))
	close(release)
	all.Wait()
	assert.Equal(t, 1, count(t, opened))
}

func TestAStepThatEndsItsGoroutineLeavesTheWriterAtWork(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	errs := withBatch(t, opened, claimStep(testOrder()), func(tx *Tx) error {
		_ = claimStep(testOrder())(tx)
		runtime.Goexit()
		return nil
	}, claimStep(testOrder()))
	assert.NoError(t, errs[0])
	assert.Error(t, errs[1])
	assert.NoError(t, errs[2])
	assert.Equal(t, 2, count(t, opened))
	assert.Error(t, opened.View(t.Context(), func(*Tx) error { runtime.Goexit(); return nil }))
	assert.Equal(t, 2, count(t, opened))
}

func TestStepsWhoseTransactionIsLostRunAgainAlone(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	errs := withBatch(t, opened, claimStep(testOrder()), func(tx *Tx) error {
		_, err := tx.exec("ROLLBACK") // as SQLite does by itself after some errors
		return err
	}, claimStep(testOrder()))
	assert.NoError(t, errs[0])
	assert.Error(t, errs[1])
	assert.NoError(t, errs[2])
	assert.Equal(t, 2, count(t, opened))
}

func TestCloseWaitsForTheStepThatRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	block, runs, release := blocker()
	o := testOrder()
	ended := make(chan error, 1)
	go func() {
		ended <- opened.Update(t.Context(), func(tx *Tx) error { return errors.Join(claimStep(o)(tx), block(tx)) })
	}()
	<-runs
	closed := make(chan error, 1)
	go func() { closed <- opened.Close() }()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		return errors.Is(opened.Update(ctx, func(*Tx) error { return nil }), ErrClosed)
	}, 5*time.Second, time.Millisecond)
	select {
	case <-closed:
		t.Fatal("closed while a step ran")
	case <-time.After(soon):
	}
	close(release)
	assert.NoError(t, <-ended)
	assert.NoError(t, <-closed)
	assert.Equal(t, 1, count(t, openTest(t, file)))
}

func TestAFileThatIsGoneTakesNoSteps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	require.NoError(t, opened.Update(t.Context(), claimStep(testOrder())))
	require.NoError(t, os.Rename(file, file+".away"))
	err := opened.Update(t.Context(), claimStep(testOrder()))
	assert.ErrorContains(t, err, "gone")
	_, err = os.Stat(file)
	assert.ErrorIs(t, err, os.ErrNotExist, "nothing puts an empty file in its place")

	require.NoError(t, os.WriteFile(file, nil, 0o600))
	assert.ErrorContains(t, opened.Update(t.Context(), claimStep(testOrder())), "replaced")

	require.NoError(t, os.Rename(file+".away", file))
	require.NoError(t, opened.Update(t.Context(), claimStep(testOrder())), "it was put back")
	assert.Equal(t, 2, count(t, opened))
}

func TestTwoHandlesWriteAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	handles := []*SQLite{openTest(t, file), openTest(t, file)}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 20 {
				assert.NoError(t, handles[i%2].Update(t.Context(), claimStep(testOrder())))
			}
		})
	}
	all.Wait()
	assert.Equal(t, 320, count(t, handles[0]))
}

func TestALockedFileFailsTheStepAndNotTheLedger(t *testing.T) {
	t.Parallel() // it waits for five seconds
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	raw := openRaw(t, file)
	conn, err := raw.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	assert.ErrorContains(t, opened.Update(t.Context(), claimStep(testOrder())), "locked by another program")
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	assert.NoError(t, opened.Update(t.Context(), claimStep(testOrder())))
}

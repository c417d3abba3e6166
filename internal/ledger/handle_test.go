package ledger

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// brittleEngine is an engine that can be opened only when it is told so.
type brittleEngine struct {
	wait   time.Duration // that opening takes
	broken atomic.Bool
	panics bool
	tries  atomic.Int32
	opened brittleLedger
}

func (e *brittleEngine) handle() *Handle { return NewHandle("brittle ledger", zap.NewNop(), e.open) }

func (e *brittleEngine) open(ctx context.Context) (Ledger, error) {
	e.tries.Add(1)
	select {
	case <-time.After(e.wait):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch {
	case e.panics:
		panic("the engine's own mistake")
	case e.broken.Load():
		return nil, errBroken
	}
	return &e.opened, nil
}

var errBroken = errors.New("the ledger cannot be opened")

// brittleLedger counts what is asked of it.
type brittleLedger struct {
	Ledger
	closed atomic.Int32
}

func (l *brittleLedger) View(context.Context, func(*Tx) error) error {
	if l.closed.Load() > 0 {
		return errors.New("a step came after the end")
	}
	return nil
}

func (l *brittleLedger) Close() error {
	l.closed.Add(1)
	return nil
}

func look(h *Handle) error {
	return h.View(context.Background(), func(*Tx) error { return nil })
}

func TestRequestsInFlightFinishOnTheLedgerThatTheyBeganWith(t *testing.T) {
	for _, test := range []struct {
		name string
		used bool // before its configuration ends
	}{{"that was open", true}, {"that was not yet open", false}} {
		t.Run(test.name, func(t *testing.T) {
			engine := &brittleEngine{}
			handle := engine.handle()
			release, releaseOther := handle.Acquire(), handle.Acquire()
			if test.used {
				require.NoError(t, look(handle))
			}
			require.NoError(t, handle.Retire())
			require.NoError(t, look(handle))
			release()
			require.NoError(t, look(handle), "another one is still in flight")
			releaseOther()
			assert.EqualValues(t, 1, engine.opened.closed.Load())
			assert.ErrorIs(t, look(handle), ErrClosed)
			assert.EqualValues(t, 1, engine.opened.closed.Load(), "once")
		})
	}
}

func TestALedgerThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &brittleEngine{}
		engine.broken.Store(true)
		handle := engine.handle()
		for range 10 {
			assert.ErrorIs(t, handle.Open(t.Context()), errBroken)
			assert.ErrorIs(t, look(handle), errBroken)
		}
		assert.EqualValues(t, 1, engine.tries.Load(), "not for every request")
		engine.broken.Store(false)
		time.Sleep(openAgain)
		require.NoError(t, look(handle))
		assert.EqualValues(t, 2, engine.tries.Load())
		require.NoError(t, handle.Retire())
	})
}

func TestAnEngineThatPanicsIsAnError(t *testing.T) {
	handle := (&brittleEngine{panics: true}).handle()
	assert.ErrorContains(t, look(handle), "panicked")
	require.NoError(t, handle.Retire())
}

func TestNobodyWaitsForALedgerLongerThanTheyWant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &brittleEngine{wait: time.Hour}
		handle := engine.handle()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		assert.ErrorIs(t, handle.Open(ctx), context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Error(t, look(handle))
		assert.Equal(t, openLimit, time.Since(began), "another one shares the attempt, which has its own end")
		assert.EqualValues(t, 1, engine.tries.Load())
		require.NoError(t, handle.Retire())
	})
}

func TestALedgerThatIsRetiredWhileItOpensIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &brittleEngine{wait: time.Second}
		handle := engine.handle()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, handle.Open(ctx), context.Canceled)
		require.NoError(t, handle.Retire())
		assert.Zero(t, engine.opened.closed.Load())
		time.Sleep(2 * time.Second)
		assert.EqualValues(t, 1, engine.opened.closed.Load())
	})
}

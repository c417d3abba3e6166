package ledger

import (
	"context"
	"fmt"
	"sync/atomic"
)

// The states of a job: its caller drops it or a worker takes it, whoever is first.
const (
	jobWaits = iota
	jobTaken
	jobDropped
)

// job is a step on its way to a worker and back.
type job struct {
	ctx   context.Context
	step  func(*Tx) error
	state atomic.Int32

	done     chan struct{} // closed when what follows is set
	answered bool          // the worker's own
	err      error
	panicked any
}

func newJob(ctx context.Context, step func(*Tx) error) *job {
	return &job{ctx: ctx, step: step, done: make(chan struct{})}
}

// wait returns the step's outcome, and panics if the step did. After the end of
// the context a step that has not begun never runs, and the outcome of one that
// has is not known.
func (j *job) wait() error {
	select {
	case <-j.done:
	case <-j.ctx.Done():
		if j.state.CompareAndSwap(jobWaits, jobDropped) {
			return j.ctx.Err()
		}
		select {
		case <-j.done:
		default:
			return fmt.Errorf("the ledger has not answered: %w", j.ctx.Err())
		}
	}
	if j.panicked != nil {
		panic(j.panicked)
	}
	return j.err
}

// take says whether the worker may run the step.
func (j *job) take() bool {
	return j.state.CompareAndSwap(jobWaits, jobTaken) || j.state.Load() == jobTaken
}

func (j *job) answer(err error) {
	if j.answered {
		return
	}
	j.err, j.answered = err, true
	close(j.done)
}

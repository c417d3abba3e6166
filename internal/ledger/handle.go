package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// openLimit bounds how long one attempt to open a ledger takes.
	openLimit = 20 * time.Second

	// openAgain is how long a failed attempt stands before another is made.
	openAgain = time.Second
)

// Handle is a ledger that several configurations of one process share. It is opened
// by the first use; where it cannot be opened, the next use tries again.
//
// It is closed when it is retired and nothing is in flight any more: whoever needs
// it for longer than a step holds it by [Handle.Acquire]. From then on, steps get
// [ErrClosed]. It is safe for concurrent use.
type Handle struct {
	name   string
	log    *zap.Logger
	openIt func(context.Context) (Ledger, error)

	mu      sync.Mutex
	last    *opening // the last attempt; nil before the first
	uses    int      // holders, steps and attempts to open in flight
	retired bool
	closed  bool
}

// NewHandle opens nothing. The name is shown to people.
func NewHandle(name string, log *zap.Logger, open func(context.Context) (Ledger, error)) *Handle {
	return &Handle{name: name, log: log, openIt: open}
}

// opening is an attempt to open a ledger. Its other fields are set when done
// is closed.
type opening struct {
	done   chan struct{}
	opened Ledger
	err    error
	at     time.Time
}

// hasFailed reports whether the attempt failed so long ago that another one may be
// made.
func (o *opening) hasFailed(now time.Time) bool {
	select {
	case <-o.done:
		return o.err != nil && !now.Before(o.at.Add(openAgain))
	default:
		return false
	}
}

// Retire says that no configuration names the ledger any more. It closes it, or
// leaves that to the last use in flight.
func (h *Handle) Retire() error {
	h.mu.Lock()
	h.retired = true
	h.mu.Unlock()
	return h.closeUnused()
}

// Acquire keeps the ledger open until release is called, which must happen once.
func (h *Handle) Acquire() (release func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.uses++
	return h.release
}

func (h *Handle) release() {
	h.mu.Lock()
	h.uses--
	h.mu.Unlock()
	if err := h.closeUnused(); err != nil {
		h.log.Error("closing the ledger", zap.String("ledger", h.name), zap.Error(err))
	}
}

// closeUnused closes the ledger if nobody can have a use for it any more.
func (h *Handle) closeUnused() error {
	h.mu.Lock()
	if !h.retired || h.uses > 0 || h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	last := h.last
	h.mu.Unlock()
	if last == nil || last.opened == nil { // an attempt under way would be a use
		return nil
	}
	return last.opened.Close()
}

// Open opens the ledger if it is not open yet. The error says why it cannot be.
func (h *Handle) Open(ctx context.Context) error {
	return h.use(ctx, func(Ledger) error { return nil })
}

// use lends out the open ledger.
func (h *Handle) use(ctx context.Context, do func(Ledger) error) error {
	defer h.Acquire()()
	attempt := h.attempt()
	if attempt == nil {
		return ErrClosed
	}
	select {
	case <-attempt.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if attempt.err != nil {
		return attempt.err
	}
	return do(attempt.opened)
}

// attempt returns the last attempt to open the ledger, or begins one; nil if the
// ledger is closed.
func (h *Handle) attempt() *opening {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	if h.last == nil || h.last.hasFailed(time.Now()) {
		h.last = &opening{done: make(chan struct{})}
		h.uses++
		go h.try(h.last)
	}
	return h.last
}

// try opens the ledger. It goes on if whoever caused it stops waiting, because
// others may wait as well.
func (h *Handle) try(attempt *opening) {
	defer close(attempt.done) // after its own use: those who wait have one each
	defer h.release()
	defer func() {
		if panicked := recover(); panicked != nil {
			attempt.err = fmt.Errorf("opening the ledger panicked: %v", panicked)
		}
		attempt.at = time.Now()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), openLimit)
	defer cancel()
	attempt.opened, attempt.err = h.openIt(ctx)
}

// Update implements Ledger.
func (h *Handle) Update(ctx context.Context, step func(*Tx) error) error {
	return h.use(ctx, func(opened Ledger) error { return opened.Update(ctx, step) })
}

// View implements Ledger.
func (h *Handle) View(ctx context.Context, step func(*Tx) error) error {
	return h.use(ctx, func(opened Ledger) error { return opened.View(ctx, step) })
}

// Backup implements Ledger.
func (h *Handle) Backup(ctx context.Context, file string) error {
	return h.use(ctx, func(opened Ledger) error { return opened.Backup(ctx, file) })
}

// String implements Ledger.
func (h *Handle) String() string { return h.name }

// Close implements Ledger. It does nothing: the ledger is shared, and
// closed after [Handle.Retire].
func (h *Handle) Close() error { return nil }

// Interface guard
var _ Ledger = (*Handle)(nil)

package ledger

import (
	"context"
	"time"
)

// tries is how often something is tried that may fail for a moment, as a listing
// on a file system while others write.
const tries = 3

// insist tries a few times.
func (l *Ledger) insist(ctx context.Context, do func() error) (err error) {
	for try := range tries {
		if err = do(); err == nil || pause(ctx, time.Duration(try+1)*20*time.Millisecond) != nil {
			return err
		}
	}
	return err
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

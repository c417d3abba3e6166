package ledger

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// tries is how often something is tried that may fail for a moment, as a listing
// on a file system while others write.
const tries = 3

// list returns the keys below a folder. A folder that does not exist is empty:
// storages differ in what they say about it.
func (l *Ledger) list(ctx context.Context, folder string) (keys []string, err error) {
	return l.listed(ctx, folder, false)
}

// tree returns the keys in a folder and all folders in it.
func (l *Ledger) tree(ctx context.Context, folder string) (keys []string, err error) {
	return l.listed(ctx, folder, true)
}

func (l *Ledger) listed(ctx context.Context, folder string, recursive bool) (keys []string, err error) {
	for try := range tries {
		if keys, err = l.listOnce(ctx, folder, recursive); err == nil {
			return keys, nil
		}
		if err := pause(ctx, time.Duration(try+1)*20*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, err
}

// vanishTries is how often a folder is listed at once from which files vanish.
const vanishTries = 8

// listOnce lists a folder. On a file system, a temporary file that vanishes
// meanwhile looks like a folder that is not there.
func (l *Ledger) listOnce(ctx context.Context, folder string, recursive bool) (keys []string, err error) {
	for range vanishTries {
		keys, err = l.storage.List(ctx, folder, recursive)
		switch {
		case !errors.Is(err, fs.ErrNotExist):
			return keys, err
		case !l.storage.Exists(ctx, folder):
			return nil, nil
		}
	}
	return nil, err
}

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

package ledger

import (
	"context"
	"errors"
	"io/fs"
)

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
	err = l.insist(ctx, func() (err error) {
		keys, err = l.listOnce(ctx, folder, recursive)
		return err
	})
	return keys, err
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

package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup implements Ledger. The copy is one file, readable by its owner only. It is
// complete when it appears under its name, and never replaces another file.
func (s *SQLite) Backup(ctx context.Context, file string) error {
	select {
	case <-s.closing:
		return ErrClosed
	default:
	}
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s already exists: name another file for the backup", file)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	copied, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(copied.Name())
	defer copied.Close()
	if err := s.vacuumInto(ctx, copied.Name()); err != nil {
		return fmt.Errorf("copying %s to %s: %w", s.file, file, err)
	}
	if err := copied.Sync(); err != nil {
		return err
	}
	return publish(copied.Name(), file)
}

// vacuumInto writes a copy into an empty file, on a connection of its own: those
// of the readers may not write.
func (s *SQLite) vacuumInto(ctx context.Context, file string) error {
	db := openDB(s.file)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, "VACUUM INTO ?", file)
	return err
}

// publish gives a finished file its name. A link replaces nothing; some file
// systems have none.
func publish(finished, file string) error {
	err := os.Link(finished, file)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s already exists: name another file for the backup", file)
	}
	if err != nil {
		err = os.Rename(finished, file)
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(file))
}

// syncFolder makes the names in a folder durable, where the system can.
func syncFolder(folder string) error {
	opened, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer opened.Close()
	_ = opened.Sync() // Windows has nothing of the kind
	return nil
}

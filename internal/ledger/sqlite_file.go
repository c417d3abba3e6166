package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
	lib "modernc.org/sqlite/lib"
)

// applicationID marks a SQLite file as one of ours: "QFpy".
const applicationID = 0x51467079

// prepareFile creates the file and its folder if they are not there. A file that
// is there is not opened: closing it would release the locks that SQLite holds on
// it elsewhere in this process.
func prepareFile(file string, log *zap.Logger) error {
	folder := filepath.Dir(file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the folder of the ledger cannot be created, name another file or give permission: %w", err)
	}
	if err := checkFileSystem(folder, log); err != nil {
		return err
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return create(file)
	case err != nil:
		return fmt.Errorf("the ledger cannot be read, name another file or give permission: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is a folder or another thing that is no file: name a file for the ledger", file)
	}
	return nil
}

func create(file string) error {
	created, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // by another process, just now
	}
	if err != nil {
		return fmt.Errorf("the ledger cannot be created, name another file or give permission: %w", err)
	}
	return created.Close()
}

// prepare returns a connection to the file after it has made a ledger of it.
func (s *SQLite) prepare(ctx context.Context) (*sqliteConn, error) {
	conn, err := connect(ctx, s.writeDB)
	if err != nil {
		return nil, err
	}
	if err := s.makeLedger(ctx, conn); err != nil {
		_ = conn.close()
		return nil, err
	}
	return conn, nil
}

// makeLedger makes the file ours, in WAL mode, with the schema of this program, and
// checks that it can be written.
func (s *SQLite) makeLedger(ctx context.Context, conn *sqliteConn) (err error) {
	if err := s.claim(ctx, conn); err != nil {
		return err
	}
	if err := s.writeAhead(ctx, conn); err != nil {
		return err
	}
	if err := Migrate(ctx, conn.conn, SQLiteDialect, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	// Without permission to write, SQLite opens a file for reading.
	if _, err := conn.conn.ExecContext(ctx, "DELETE FROM migrations WHERE version < 0"); err != nil {
		return err
	}
	s.same, err = os.Stat(s.file)
	return err
}

// claim refuses the database of another program and marks an empty one as ours. The
// tables are counted first: a process that makes a ledger of the same file just now
// marks it before it creates them.
func (s *SQLite) claim(ctx context.Context, conn *sqliteConn) error {
	var id, tables int
	if err := conn.conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	if err := conn.conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if id == applicationID {
		return nil
	}
	if id != 0 || tables > 0 {
		return fmt.Errorf("%s is a database of another program: name another file for the ledger", s.file)
	}
	_, err := conn.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID))
	return err
}

// writeAhead turns on the write-ahead log, which the file remembers. SQLite does
// not wait while another process does the same.
func (s *SQLite) writeAhead(ctx context.Context, conn *sqliteConn) error {
	for try := 0; ; try++ {
		var mode string
		err := conn.conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if err == nil && mode != "wal" {
			return fmt.Errorf("%s is on a file system that cannot hold a write-ahead log: name a file on a local disk", s.file)
		}
		if code(err) != lib.SQLITE_BUSY || try == 50 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// checkSame says whether the file is still the one that was opened. SQLite would
// go on writing to one that was removed, and everything would be gone with the
// process.
func (s *SQLite) checkSame() error {
	now, err := os.Stat(s.file)
	if err != nil {
		return fmt.Errorf("the file of the ledger is gone, put it back: %w", err)
	}
	if !os.SameFile(s.same, now) {
		return fmt.Errorf("%s was replaced by another file while it was open: restart Caddy", s.file)
	}
	return nil
}

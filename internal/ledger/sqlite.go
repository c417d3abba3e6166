package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// sqliteReaders is how many steps read at the same time.
	sqliteReaders = 4

	// sqliteBatch is how many steps are committed together at most.
	sqliteBatch = 256

	// sqliteCloseWait bounds how long Close waits for the steps that run.
	sqliteCloseWait = 10 * time.Second
)

// SQLite is a ledger in a file on this machine. Several processes may share the
// file.
//
// Committing means to wait for the disk. One writer therefore takes all the steps
// that wait and commits them together: each runs in a savepoint of its own, so
// that one that fails takes nothing else with it, and no caller hears of success
// before the disk has it. Readers have connections of their own and wait for no
// writer.
type SQLite struct {
	file string
	same os.FileInfo // the file that was opened
	log  *zap.Logger

	writeDB, readDB *sql.DB
	writes, reads   chan *job
	workers         []*sqliteWorker // the writer first

	closing  chan struct{}
	running  sync.WaitGroup
	closed   sync.Once
	closeErr error

	committed func() // for tests: after each commit, before anybody hears of it
}

// OpenSQLite opens the ledger in a file, and creates it, and its folder, where
// they do not exist. Nobody but the user that the program runs as may read what it
// creates, because it holds payers' data. The logger may be nil. Errors name the
// file and say what to do.
func OpenSQLite(ctx context.Context, file string, log *zap.Logger) (*SQLite, error) {
	if log == nil {
		log = zap.NewNop()
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	if err := prepareFile(file, log); err != nil {
		return nil, err
	}
	s := &SQLite{
		file:    file,
		log:     log,
		writeDB: openDB(file, "synchronous(FULL)", "cache_size(-8000)", "journal_size_limit(67108864)"),
		readDB:  openDB(file, "query_only(ON)"),
		writes:  make(chan *job),
		reads:   make(chan *job),
		closing: make(chan struct{}),
	}
	conn, err := s.prepare(ctx)
	if err != nil {
		_ = s.writeDB.Close()
		_ = s.readDB.Close()
		return nil, s.explain(err)
	}
	s.start(conn)
	return s, nil
}

func (s *SQLite) start(conn *sqliteConn) {
	s.workers = append(s.workers, &sqliteWorker{ledger: s, db: s.writeDB, conn: conn, jobs: s.writes, begin: "BEGIN IMMEDIATE", most: sqliteBatch, writes: true})
	for range sqliteReaders {
		s.workers = append(s.workers, &sqliteWorker{ledger: s, db: s.readDB, jobs: s.reads, begin: "BEGIN", most: 1})
	}
	for _, worker := range s.workers {
		s.running.Add(1)
		go worker.run()
	}
}

// Update implements Ledger.
func (s *SQLite) Update(ctx context.Context, step func(*Tx) error) error {
	return s.do(ctx, s.writes, step)
}

// View implements Ledger.
func (s *SQLite) View(ctx context.Context, step func(*Tx) error) error {
	return s.do(ctx, s.reads, step)
}

// do hands a step to a worker and waits for the end of the step or of the context.
func (s *SQLite) do(ctx context.Context, jobs chan<- *job, step func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-s.closing:
		return ErrClosed
	default:
	}
	j := newJob(ctx, step)
	select {
	case jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return ErrClosed
	}
	return j.wait()
}

// Close waits for the steps that run and refuses all others. Closing the last
// connection moves what the write-ahead log holds into the file.
func (s *SQLite) Close() error {
	s.closed.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *SQLite) close() error {
	close(s.closing)
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(sqliteCloseWait):
		return fmt.Errorf("%s was not closed: steps still run after %s", s.file, sqliteCloseWait)
	}
	var errs []error
	for i := len(s.workers) - 1; i >= 0; i-- { // the writer last, because readers may not write
		errs = append(errs, s.workers[i].disconnect())
	}
	errs = append(errs, s.readDB.Close(), s.writeDB.Close())
	return s.explain(errors.Join(errs...))
}

// String implements Ledger.
func (s *SQLite) String() string { return "SQLite " + s.file }

package ledger

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // registers the driver
)

// openDB returns a pool that keeps no connection: each has an owner. The pragmas
// are part of its name because they have to hold on every connection. What was
// erased is overwritten in the file.
func openDB(file string, pragmas ...string) *sql.DB {
	db, err := sql.Open("sqlite", dsn(file, pragmas...))
	if err != nil {
		panic(err) // the driver is always there
	}
	db.SetMaxIdleConns(-1)
	return db
}

func dsn(file string, pragmas ...string) string {
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive of Windows
	}
	query := url.Values{
		"mode":    {"rw"}, // a file that was removed does not come back empty
		"_dqs":    {"0"},  // a name in double quotes that is no column is an error
		"_pragma": append([]string{"busy_timeout(5000)", "foreign_keys(ON)", "secure_delete(ON)"}, pragmas...),
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// sqliteConn is a connection with the statements that were prepared on it.
type sqliteConn struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

// mostPrepared bounds the statements of a connection. The program has fewer.
const mostPrepared = 512

func connect(ctx context.Context, db *sql.DB) (*sqliteConn, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &sqliteConn{conn: conn, prepared: map[string]*sql.Stmt{}}, nil
}

// prepare returns a statement. Its context must not end: the driver would start a
// goroutine for each execution.
func (c *sqliteConn) prepare(query string) (*sql.Stmt, error) {
	if known, ok := c.prepared[query]; ok {
		return known, nil
	}
	if len(c.prepared) >= mostPrepared {
		c.forget()
	}
	prepared, err := c.conn.PrepareContext(context.Background(), query)
	if err == nil {
		c.prepared[query] = prepared
	}
	return prepared, err
}

func (c *sqliteConn) exec(query string) error {
	prepared, err := c.prepare(query)
	if err != nil {
		return err
	}
	_, err = prepared.ExecContext(context.Background())
	return err
}

func (c *sqliteConn) forget() {
	for query, prepared := range c.prepared {
		_ = prepared.Close()
		delete(c.prepared, query)
	}
}

func (c *sqliteConn) close() error {
	c.forget()
	return c.conn.Close()
}

// sqliteStep is what a step has of the connection.
type sqliteStep struct {
	ctx    context.Context // the caller's
	conn   *sqliteConn
	ended  bool
	failed error // the first error of a statement, after which the step cannot succeed
}

// ExecContext implements Execer.
func (s *sqliteStep) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	prepared, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	result, err := prepared.ExecContext(context.Background(), args...)
	return result, s.noted(err)
}

// QueryContext implements Execer.
func (s *sqliteStep) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	prepared, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	rows, err := prepared.QueryContext(context.Background(), args...)
	return rows, s.noted(err)
}

func (s *sqliteStep) prepare(query string) (*sql.Stmt, error) {
	switch {
	case s.ended:
		return nil, sql.ErrTxDone
	case s.failed != nil:
		return nil, s.failed
	case s.ctx.Err() != nil: // nobody waits for it any more
		return nil, s.ctx.Err()
	}
	prepared, err := s.conn.prepare(query)
	return prepared, s.noted(err)
}

// noted remembers that a statement failed. SQLite may have ended the whole
// transaction by itself then, and PostgreSQL would let the step do nothing more.
func (s *sqliteStep) noted(err error) error {
	if err != nil && s.failed == nil {
		s.failed = err
	}
	return err
}

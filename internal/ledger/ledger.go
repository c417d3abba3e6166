// Package ledger remembers orders, and all that belongs to them, in a database.
//
// What belongs together becomes true together: a step reads and writes
// everything that follows from one event in one transaction, so there is no
// moment in which half of it is true. The schema and the statements are the same
// for SQLite, which is here, and for PostgreSQL, which is the package postgres;
// what differs is a [Dialect].
//
// The package knows tables and rows. What an order may become, and what the shop
// is told of it, is decided by internal/orders.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// What can go wrong with a ledger, apart from the errors of its database.
var (
	// ErrUnknown says that the ledger holds no such order. Any other error of a
	// lookup is not absence.
	ErrUnknown = errors.New("unknown order")

	// ErrClosed says that the ledger has been closed.
	ErrClosed = errors.New("the ledger is closed")

	// ErrNewer says that a newer version of the program has written the database.
	ErrNewer = errors.New("the ledger was written by a newer version of this program: use that version, or restore a backup")
)

// Ledger is a database of orders. It is safe for concurrent use.
type Ledger interface {
	// Update runs a step in a transaction. When it returns nil, what the step
	// wrote is durable; after an error nothing of it is. Only if the context ended
	// while the database was writing, or after [ErrOutcomeUnknown], it is not
	// known: the step may be done again, and has to look at what is there first.
	//
	// A step may run more than once, and may still be running after an error:
	// it must set what it returns through captured variables from the start, and
	// the caller must not use these after an error. It must not wait for
	// anything but the database.
	Update(ctx context.Context, step func(*Tx) error) error

	// View runs a step that only reads, on one consistent state.
	View(ctx context.Context, step func(*Tx) error) error

	// Backup writes a consistent copy to a new file while steps go on. The
	// error is [errors.ErrUnsupported] for engines with tools of their own.
	Backup(ctx context.Context, file string) error

	// String names the database for people, without secrets.
	String() string

	Close() error
}

// View returns what a step reads. Unlike a variable that a step captures, what it
// returns may be used after an error.
func View[T any](ctx context.Context, l Ledger, read func(*Tx) (T, error)) (T, error) {
	var value, none T
	err := l.View(ctx, func(tx *Tx) (err error) {
		value, err = read(tx)
		return err
	})
	if err != nil {
		return none, err
	}
	return value, nil
}

// Update returns what a step reads and writes, likewise.
func Update[T any](ctx context.Context, l Ledger, do func(*Tx) (T, error)) (T, error) {
	var value, none T
	err := l.Update(ctx, func(tx *Tx) (err error) {
		value, err = do(tx)
		return err
	})
	if err != nil {
		return none, err
	}
	return value, nil
}

// Execer is a connection with an open transaction.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Tx is what a step reads and writes through. It ends with the step.
type Tx struct {
	ctx     context.Context
	conn    Execer
	dialect Dialect
	writes  bool
}

// NewTx returns the transaction that is open on a connection. It is for engines.
// Writes says that rows that are read may be written in the same step, and have
// to be locked.
func NewTx(ctx context.Context, conn Execer, dialect Dialect, writes bool) *Tx {
	return &Tx{ctx, conn, dialect, writes}
}

// exec runs a statement and returns how many rows it changed.
func (tx *Tx) exec(query string, args ...any) (rows int64, err error) {
	result, err := tx.conn.ExecContext(tx.ctx, tx.dialect.Rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query runs a statement and reads each of its rows.
func (tx *Tx) query(read func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.conn.QueryContext(tx.ctx, tx.dialect.Rebind(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scanInto reads the only row of a statement; found is false if there is none.
func (tx *Tx) scanInto(into []any, query string, args ...any) (found bool, err error) {
	err = tx.query(func(rows *sql.Rows) error {
		found = true
		return rows.Scan(into...)
	}, query, args...)
	return found, err
}

// lock is the end of a SELECT whose rows the step is going to change.
func (tx *Tx) lock() string {
	if !tx.writes {
		return ""
	}
	return tx.dialect.Lock
}

// skipLocked is the end of a SELECT that leaves rows to whoever has them.
func (tx *Tx) skipLocked() string { return tx.dialect.SkipLocked }

// Try writes a row of its own, reads it and deletes it, as a check of the database.
func (tx *Tx) Try() error {
	const nobody = " try"
	if err := tx.setBusy(nobody, time.Now()); err != nil {
		return err
	}
	var account string
	found, err := tx.scanInto([]any{&account}, `SELECT account FROM gateway_pace WHERE account = ?`, nobody)
	if err == nil && !found {
		err = errors.New("the database does not give back what was just written")
	}
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM gateway_pace WHERE account = ?`, nobody)
	return err
}

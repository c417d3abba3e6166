package ledger

import (
	"context"
	"database/sql"
)

// PlanOf returns the steps by which SQLite answers a statement.
func PlanOf(conn Execer, query string, args []any) (steps []string, err error) {
	rows, err := conn.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

// Watched is a ledger whose statements are shown to somebody before they run.
func Watched(l Ledger, show func(conn Execer, query string, args []any)) Ledger {
	return watchedLedger{l, show}
}

type watchedLedger struct {
	Ledger
	show func(conn Execer, query string, args []any)
}

func (w watchedLedger) View(ctx context.Context, step func(*Tx) error) error {
	return w.Ledger.View(ctx, w.watch(step))
}

func (w watchedLedger) Update(ctx context.Context, step func(*Tx) error) error {
	return w.Ledger.Update(ctx, w.watch(step))
}

func (w watchedLedger) watch(step func(*Tx) error) func(*Tx) error {
	return func(tx *Tx) error {
		tx.conn = watchedConn{tx.conn, w.show}
		return step(tx)
	}
}

type watchedConn struct {
	Execer
	show func(conn Execer, query string, args []any)
}

func (c watchedConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c.show(c.Execer, query, args)
	return c.Execer.ExecContext(ctx, query, args...)
}

func (c watchedConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.show(c.Execer, query, args)
	return c.Execer.QueryContext(ctx, query, args...)
}

package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// stepTime bounds a step with all its repetitions, where the caller's context
// does not.
const stepTime = 30 * time.Second

// The settings end with the transaction, so that poolers stay right. The server
// ends a transaction whose node has vanished, which would hold its rows locked
// until the network notices; a minute is more than stepTime.
const (
	settings    = `; SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL statement_timeout = '60s'`
	beginUpdate = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE` + settings
	beginView   = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY` + settings
)

// errAborted says that a step hid the failure of one of its statements.
var errAborted = errors.New("a statement of the step failed, so nothing of it was written")

// Update implements [ledger.Ledger]. A step whose connection dies before it is
// committed is done again as a whole. Whether the commit itself arrived cannot be
// known then: that is [ledger.ErrOutcomeUnknown].
func (e *engine) Update(ctx context.Context, step func(*ledger.Tx) error) error {
	return e.run(ctx, beginUpdate, step)
}

// View implements [ledger.Ledger].
func (e *engine) View(ctx context.Context, step func(*ledger.Tx) error) error {
	return e.run(ctx, beginView, step)
}

func (e *engine) run(ctx context.Context, begin string, step func(*ledger.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	return e.insist(ctx, func(ctx context.Context) (verdict, error) { return e.attempt(ctx, begin, step) })
}

// attempt does a step once, in a transaction of its own.
func (e *engine) attempt(ctx context.Context, begin string, step func(*ledger.Tx) error) (verdict, error) {
	conn, err := e.db.Conn(ctx)
	if err != nil && e.closed.Load() {
		return final, ledger.ErrClosed
	}
	if err != nil {
		return judge(err), err
	}
	defer conn.Close()
	tx, err := beginOn(ctx, conn, begin)
	if err != nil {
		return judge(err), err
	}
	defer tx.rollback() // nothing happens after a commit; a panic goes on

	writes := begin == beginUpdate
	if err := step(ledger.NewTx(ctx, session{conn}, ledger.PostgresDialect, writes)); err != nil {
		if tx.raw.IsClosed() {
			return lost, err
		}
		return judge(err), err
	}
	switch {
	case tx.raw.IsClosed():
		return lost, errAborted
	case tx.raw.PgConn().TxStatus() != 'T':
		return final, errAborted
	case !writes:
		return final, nil
	default:
		return tx.commit(ctx)
	}
}

// transaction is one that is open on a connection.
type transaction struct {
	conn *sql.Conn
	raw  *pgx.Conn // the same
	ctx  context.Context
}

// beginOn opens a transaction with one round trip. It does without [sql.Tx], which
// cannot send settings along, nor tell what a commit that fails has done.
func beginOn(ctx context.Context, conn *sql.Conn, begin string) (*transaction, error) {
	tx := &transaction{conn: conn, ctx: ctx}
	err := conn.Raw(func(driverConn any) error {
		raw, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("%T is no connection of pgx", driverConn)
		}
		tx.raw = raw.Conn()
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = tx.send(ctx, begin)
	return tx, err
}

// send sends statements without parameters.
func (tx *transaction) send(ctx context.Context, statements string) (tag pgconn.CommandTag, err error) {
	err = tx.conn.Raw(func(any) (err error) {
		tag, err = tx.raw.Exec(ctx, statements)
		return err
	})
	return tag, err
}

// commit ends the transaction for good. It does not ask pgx whether an error is
// safe to retry: with the simple protocol, pgx (5.11.0) says so of a connection
// that broke after the statement was sent.
func (tx *transaction) commit(ctx context.Context) (verdict, error) {
	if err := ctx.Err(); err != nil {
		return final, err
	}
	tag, err := tx.send(ctx, "COMMIT")
	var refusal *pgconn.PgError
	switch {
	case err == nil && tag.String() == "COMMIT":
		return final, nil
	case err == nil: // the server rolled it back
		return final, errAborted
	case errors.As(err, &refusal) && refusal.SeverityUnlocalized == "ERROR":
		return judge(err), err
	default:
		return final, fmt.Errorf("%w: %w", ledger.ErrOutcomeUnknown, err)
	}
}

// rollback ends a transaction that is still open. If that fails, its connection
// goes: the pool takes back none with an open transaction.
func (tx *transaction) rollback() {
	if tx.raw.IsClosed() || tx.raw.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), 2*time.Second)
	defer cancel()
	_, _ = tx.send(ctx, "ROLLBACK")
}

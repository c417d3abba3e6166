package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// migrationLock is the advisory lock under which schemas change: a number that is
// ours. It ends with its transaction.
const migrationLock = 0x716670617900 // "qfpay"

// prepareTime bounds how long opening may take, with the migrations and the wait
// for another node that does them.
const prepareTime = 5 * time.Minute

// prepare makes sure that the database can be a ledger, and brings its schema up
// to date.
func (e *engine) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, prepareTime)
	defer cancel()
	return e.insist(ctx, func(ctx context.Context) (verdict, error) {
		conn, err := e.db.Conn(ctx)
		if err != nil {
			return judge(err), err
		}
		defer conn.Close()
		if err = inspect(ctx, conn); err == nil {
			lock := fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock)
			err = ledger.Migrate(ctx, conn, ledger.PostgresDialect, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", lock)
		}
		// A migration that was committed although the answer got lost is not
		// applied again.
		return judge(err), err
	})
}

// inspect refuses a database that cannot keep what a ledger promises.
func inspect(ctx context.Context, conn *sql.Conn) error {
	var encoding, readOnly, synchronous string
	row := conn.QueryRowContext(ctx, `SELECT current_setting('server_encoding'), current_setting('transaction_read_only'), current_setting('synchronous_commit')`)
	if err := row.Scan(&encoding, &readOnly, &synchronous); err != nil {
		return err
	}
	switch {
	case encoding != "UTF8":
		return errEncoding
	case readOnly == "on":
		return errReadOnly
	case synchronous == "off":
		return errAsync
	}
	return nil
}

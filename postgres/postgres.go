// Package postgres keeps the ledger in PostgreSQL, for several machines that
// serve one shop. A build has it when it is added by name:
//
//	xcaddy build --with github.com/caddy-qfpay/qfpay-jsapi \
//		--with github.com/caddy-qfpay/qfpay-jsapi/postgres
//
// The address is a URL, postgres://user:password@host:5432/database, with the
// parameters that libpq and pgx know: sslmode, sslrootcert, connect_timeout,
// target_session_attrs, search_path and others.
//
// Nothing here needs a session that outlives a transaction. Behind a pooler in
// transaction mode, such as PgBouncer before 1.21, prepared statements do: add
// default_query_exec_mode=simple_protocol to the URL there.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/zap"
)

const (
	maxConnections = 20               // of one process; a server has 100 by default
	maxIdle        = time.Minute      // before a connection that nobody needs is closed
	maxLifetime    = 30 * time.Minute // so that a node follows when the server moves
)

func init() { ledger.RegisterEngine("postgres", Open) }

// engine is a ledger in PostgreSQL.
type engine struct {
	db     *sql.DB
	name   string // without secrets
	closed atomic.Bool
}

// Open connects to the database at a URL, and brings its schema up to date.
// Several programs may do so at once. The error is a sentence for whoever runs the
// program; it holds neither the password nor the URL, and nor does the log, which may
// be nil.
func Open(ctx context.Context, url string, log *zap.Logger) (ledger.Ledger, error) {
	config, err := parseAddress(url)
	if err != nil {
		return nil, err
	}
	if log != nil && mayBePlain(config) {
		log.Warn("the connection to the ledger may be unencrypted: orders, and what payers told the shop, can be read and altered on the way: add sslmode=verify-full to its URL",
			zap.String("field", "ledger.url"), zap.String("ledger", nameOf(config)))
	}
	return open(ctx, config)
}

func open(ctx context.Context, config *pgx.ConnConfig) (ledger.Ledger, error) {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxIdleTime(maxIdle)
	db.SetConnMaxLifetime(maxLifetime)
	e := &engine{db: db, name: nameOf(config)}
	if err := e.prepare(ctx); err != nil {
		_ = db.Close()
		return nil, explain(e.name, config.User, err)
	}
	return e, nil
}

// String implements [ledger.Ledger].
func (e *engine) String() string { return e.name }

// Close implements [ledger.Ledger]. Steps that run go on to their end, which
// stepTime bounds; each closes its connection.
func (e *engine) Close() error {
	e.closed.Store(true)
	return e.db.Close()
}

// Backup implements [ledger.Ledger]: PostgreSQL has its own tools.
func (e *engine) Backup(context.Context, string) error {
	return fmt.Errorf("a ledger in PostgreSQL is backed up with pg_dump, or with the server's own archiving: %w", errors.ErrUnsupported)
}

package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	_ "github.com/caddy-qfpay/qfpay-jsapi/internal/ledger" // SQLite's driver
)

// scaleLedger is the ledger of many shops, as a reader of its tables sees it.
type scaleLedger struct {
	engine  string // as of the directive
	driver  string
	address string
	file    string          // of SQLite
	server  *postgresServer // nil with SQLite
}

func (b *bench) newScaleSQLite() (*scaleLedger, error) {
	folder, err := b.folder(b.work)
	file := ledgerIn(folder)
	address := url.URL{Scheme: "file", Path: file, RawQuery: "mode=ro"}
	return &scaleLedger{engine: "sqlite " + file, driver: "sqlite", address: address.String(), file: file}, err
}

// newScalePostgres leaves the address, in which is a password, to the environment.
func newScalePostgres(server *postgresServer) (*scaleLedger, error) {
	address := server.NewDatabase()
	return &scaleLedger{engine: "postgres {env." + ledgerVariable + "}", driver: "pgx", address: address, server: server}, os.Setenv(ledgerVariable, address)
}

// books are what the ledger says in the end.
type books struct {
	orders    int
	paid      map[string]int // by shop
	paidAll   int
	enquired  int // of which an enquiry told
	delivered int // webhooks
	bytes     float64
}

func (l *scaleLedger) read() (found books, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	db, err := sql.Open(l.driver, l.address)
	if err != nil {
		return found, err
	}
	defer db.Close()
	for _, ask := range []struct {
		count     *int
		statement string
	}{
		{&found.orders, `SELECT COUNT(*) FROM orders`},
		{&found.paidAll, `SELECT COUNT(*) FROM orders WHERE status = 'paid'`},
		{&found.enquired, `SELECT COUNT(*) FROM events WHERE kind = 'paid' AND data LIKE '%"source":"enquiry"%'`},
		{&found.delivered, `SELECT COUNT(*) FROM deliveries WHERE status = 'delivered'`},
	} {
		if err := db.QueryRowContext(ctx, ask.statement).Scan(ask.count); err != nil {
			return found, fmt.Errorf("%s: %w", ask.statement, err)
		}
	}
	if found.paid, err = paidByShop(ctx, db); err != nil {
		return found, err
	}
	found.bytes, err = l.size(ctx, db)
	return found, err
}

func paidByShop(ctx context.Context, db *sql.DB) (map[string]int, error) {
	rows, err := db.QueryContext(ctx, `SELECT shop, COUNT(*) FROM orders WHERE status = 'paid' GROUP BY shop`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	paid := make(map[string]int)
	for rows.Next() {
		var shop string
		var count int
		if err := rows.Scan(&shop, &count); err != nil {
			return nil, err
		}
		paid[shop] = count
	}
	return paid, rows.Err()
}

// size is what the ledger takes on the disk, without a log that is used again.
func (l *scaleLedger) size(ctx context.Context, db *sql.DB) (bytes float64, err error) {
	if l.server != nil {
		err = db.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&bytes)
		return bytes, err
	}
	info, err := os.Stat(l.file)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), nil
}

// cpu is the processor time of PostgreSQL; 0 with SQLite, which works in the nodes.
func (l *scaleLedger) cpu() (time.Duration, error) {
	if l.server == nil {
		return 0, nil
	}
	used, err := l.server.usage()
	return used.cpu, err
}

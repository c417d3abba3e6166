package qfpayjsapi_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/stretchr/testify/require"
)

// database opens the file of the ledger beside the running Caddy, as any SQL tool
// would, for as long as use takes.
func (s *shop) database(use func(*sql.DB)) {
	s.t.Helper()
	pragmas := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(5000)"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: s.file}).EscapedPath()+"?"+pragmas.Encode())
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, db.Close()) }()
	use(db)
}

// rows returns what a query finds, a line each, with spaces between the columns.
func (s *shop) rows(query string, args ...any) (lines []string) {
	s.t.Helper()
	s.database(func(db *sql.DB) {
		rows, err := db.Query(query, args...)
		require.NoError(s.t, err)
		defer rows.Close()
		columns, err := rows.Columns()
		require.NoError(s.t, err)
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			require.NoError(s.t, rows.Scan(into...))
			line := make([]string, len(values))
			for i, value := range values {
				line[i] = value.String
			}
			lines = append(lines, strings.TrimSpace(strings.Join(line, " ")))
		}
		require.NoError(s.t, rows.Err())
	})
	return lines
}

// execute changes the ledger behind the back of the running Caddy.
func (s *shop) execute(statement string, args ...any) {
	s.t.Helper()
	s.database(func(db *sql.DB) {
		_, err := db.Exec(statement, args...)
		require.NoError(s.t, err, statement)
	})
}

// history returns what happened to an order, in its order, such as "claimed" or
// "disputed 20261123".
func (s *shop) history(order string) []string {
	s.t.Helper()
	return s.rows(`SELECT kind, about FROM events WHERE subject = ? ORDER BY id`, order)
}

// open returns the orders with which something is left to do, and those of which
// somebody is still to be told.
func (s *shop) open() []string {
	s.t.Helper()
	return s.rows(`SELECT id FROM orders WHERE check_at IS NOT NULL UNION SELECT subject FROM deliveries WHERE next_at IS NOT NULL`)
}

// orphans returns the payments that no order knows, by shop and number.
func (s *shop) orphans() []string {
	s.t.Helper()
	return s.rows(`SELECT shop, syssn FROM orphans ORDER BY at`)
}

// stored returns every row of the ledger that is about an order or a payment.
func (s *shop) stored() (all []string) {
	s.t.Helper()
	for _, table := range []string{"orders", "events", "refunds", "invoices", "orphans", "handoffs", "deliveries", "sums"} {
		for _, row := range s.rows(fmt.Sprintf(`SELECT * FROM %s`, table)) {
			all = append(all, table+": "+row)
		}
	}
	return all
}

// ledgerFiles returns what stands in the files of the ledger.
func (s *shop) ledgerFiles() string {
	s.t.Helper()
	var all strings.Builder
	for _, file := range []string{s.file, s.file + "-wal"} {
		text, err := os.ReadFile(file)
		require.NoError(s.t, err)
		all.Write(text)
	}
	return all.String()
}

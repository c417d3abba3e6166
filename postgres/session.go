package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"
)

// session is the connection that a step sees.
type session struct{ conn *sql.Conn }

// ExecContext implements [ledger.Execer].
func (s session) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	args, err := fit(args)
	if err != nil {
		return nil, err
	}
	return s.conn.ExecContext(ctx, query, args...)
}

// QueryContext implements [ledger.Execer].
func (s session) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	args, err := fit(args)
	if err != nil {
		return nil, err
	}
	return s.conn.QueryContext(ctx, query, args...)
}

// fit makes arguments what PostgreSQL takes: values of plain types, and texts that
// are UTF-8 without a NUL, which it refuses. Texts come from payers and from the
// gateway; one odd character in them must not keep a payment from being known.
func fit(args []any) ([]any, error) {
	fitting := make([]any, len(args))
	for i, arg := range args {
		if valuer, ok := arg.(driver.Valuer); ok {
			value, err := valuer.Value()
			if err != nil {
				return nil, err
			}
			arg = value
		}
		if text, ok := arg.(string); ok {
			arg = readable(text)
		}
		fitting[i] = arg
	}
	return fitting, nil
}

func readable(text string) string {
	const replacement = "\uFFFD"
	return strings.ReplaceAll(strings.ToValidUTF8(text, replacement), "\x00", replacement)
}

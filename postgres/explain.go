package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/jackc/pgx/v5/pgconn"
)

// What keeps a database from being a ledger.
var (
	errEncoding = errors.New("its encoding is not UTF8, so that it cannot hold every text: create it with createdb --encoding=UTF8 --template=template0")
	errReadOnly = errors.New("it takes no writes: it is a standby, or read-only by its configuration")
	errAsync    = errors.New("synchronous_commit is off, so that a payment that was acknowledged can be lost: set it to on for this database")
)

// explain says in a sentence why a database could not be opened.
func explain(name, user string, err error) error {
	var refusal *pgconn.PgError
	var unreachable *pgconn.ConnectError
	switch {
	case errors.Is(err, ledger.ErrNewer), errors.Is(err, errEncoding), errors.Is(err, errReadOnly), errors.Is(err, errAsync):
		return fmt.Errorf("%s: %w", name, err)
	case errors.As(err, &refusal):
		return fmt.Errorf("%s: %s (%s, SQLSTATE %s)", name, refusalText(refusal, user), refusal.Message, refusal.Code)
	case errors.As(err, &unreachable):
		return fmt.Errorf("%s cannot be reached: %s", name, oneLine(unreachable.Unwrap().Error()))
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s does not answer: %w", name, context.DeadlineExceeded)
	default:
		return fmt.Errorf("opening %s: %w", name, err)
	}
}

func refusalText(refusal *pgconn.PgError, user string) string {
	switch refusal.Code {
	case "28P01": // invalid_password
		return fmt.Sprintf("the password of %s is wrong, or there is no such user", user)
	case "28000": // invalid_authorization_specification
		return fmt.Sprintf("the server does not let %s in: see its pg_hba.conf", user)
	case "3D000": // invalid_catalog_name
		return "there is no such database: create it with createdb"
	case "42501": // insufficient_privilege
		return fmt.Sprintf("%s may not do what a ledger needs: make it the database's owner, or GRANT CREATE, USAGE ON SCHEMA public TO it", user)
	case "3F000": // invalid_schema_name
		return "there is no schema to create tables in: see search_path"
	default:
		return "the server refuses"
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

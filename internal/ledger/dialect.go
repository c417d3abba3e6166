package ledger

import (
	"strconv"
	"strings"
	"sync"
)

// Dialect is what differs between the engines' SQL.
type Dialect struct {
	// Numbered says that parameters are written $1, $2 … instead of ?.
	Numbered bool

	// Lock ends a SELECT whose rows are locked until the transaction ends.
	// SQLite has one writer at a time and needs none.
	Lock string

	// SkipLocked ends a SELECT that leaves out rows that others have locked, and
	// locks the others.
	SkipLocked string

	// Types are the column types that the migrations write in braces: time, a
	// point in time, and serial, a key that counts by itself.
	Types map[string]string
}

// SQLiteDialect and PostgresDialect are the two that there are.
var (
	SQLiteDialect = Dialect{
		Types: map[string]string{"time": "TEXT", "serial": "INTEGER PRIMARY KEY AUTOINCREMENT"},
	}
	PostgresDialect = Dialect{
		Numbered:   true,
		Lock:       " FOR UPDATE",
		SkipLocked: " FOR UPDATE SKIP LOCKED",
		Types:      map[string]string{"time": "TIMESTAMPTZ", "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
	}
)

var rebound sync.Map // of statements with numbered parameters, by those without

// Rebind writes the parameters of a statement in the engine's way. The statements
// of this package hold no ? but those.
func (d Dialect) Rebind(query string) string {
	if !d.Numbered {
		return query
	}
	if known, ok := rebound.Load(query); ok {
		return known.(string)
	}
	var numbered strings.Builder
	number := 0
	for _, r := range query {
		if r != '?' {
			numbered.WriteRune(r)
			continue
		}
		number++
		numbered.WriteString("$" + strconv.Itoa(number))
	}
	rebound.Store(query, numbered.String())
	return numbered.String()
}

// Schema fills in the types of a migration.
func (d Dialect) Schema(migration string) string {
	for name, is := range d.Types {
		migration = strings.ReplaceAll(migration, "{"+name+"}", is)
	}
	return migration
}

package ledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations
var migrationFiles embed.FS

// migration is a numbered change of the schema.
type migration struct {
	version int
	name    string
	sql     string
}

// Migrate brings the schema of a database up to date. The statements in begin
// open a transaction that no other process can open at the same time; each
// migration has one of its own. A database of a newer program is [ErrNewer] and
// stays as it is.
func Migrate(ctx context.Context, conn *sql.Conn, dialect Dialect, begin ...string) error {
	all, err := readMigrations(migrationFiles)
	if err != nil {
		return err
	}
	return migrate(ctx, conn, dialect, all, begin)
}

func migrate(ctx context.Context, conn *sql.Conn, dialect Dialect, all []migration, begin []string) error {
	if version, err := schemaVersion(ctx, conn); err == nil { // the usual start takes no lock
		if missing, err := missingFrom(all, version); err != nil || len(missing) == 0 {
			return err
		}
	}
	for {
		more, err := migrateOnce(ctx, conn, dialect, all, begin)
		if err != nil || !more {
			return err
		}
	}
}

// migrateOnce applies the next migration, and says whether there are more.
func migrateOnce(ctx context.Context, conn *sql.Conn, dialect Dialect, all []migration, begin []string) (more bool, err error) {
	defer func() {
		if err != nil {
			// The context may have ended, and the transaction must end too.
			ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_, _ = conn.ExecContext(ended, "ROLLBACK")
		}
	}()
	for _, statement := range begin {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return false, err
		}
	}
	table := dialect.Schema("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at {time} NOT NULL)")
	if _, err = conn.ExecContext(ctx, table); err != nil {
		return false, err
	}
	version, err := schemaVersion(ctx, conn)
	if err != nil {
		return false, err
	}
	missing, err := missingFrom(all, version)
	if err != nil {
		return false, err
	}
	if len(missing) > 0 {
		if err = apply(ctx, conn, dialect, missing[0]); err != nil {
			return false, fmt.Errorf("migration %d (%s): %w", missing[0].version, missing[0].name, err)
		}
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return len(missing) > 1, err
}

func apply(ctx context.Context, conn *sql.Conn, dialect Dialect, m migration) error {
	for _, statement := range statements(dialect.Schema(m.sql)) {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	_, err := conn.ExecContext(ctx, dialect.Rebind("INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, ?)"),
		m.version, m.name, stamp{time.Now()})
	return err
}

// schemaVersion returns the last migration that was applied; 0 if none was. It
// fails where there is no table of migrations.
func schemaVersion(ctx context.Context, conn *sql.Conn) (version int, err error) {
	err = conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM migrations").Scan(&version)
	return version, err
}

// missingFrom returns the migrations that a database of a version lacks.
func missingFrom(all []migration, version int) ([]migration, error) {
	if newest := len(all); version > newest {
		return nil, fmt.Errorf("%w (schema %d; this program knows %d)", ErrNewer, version, newest)
	}
	return all[version:], nil
}

// readMigrations reads the files, NNNN_name.sql, in their order. Their numbers
// leave none out.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, file := range names {
		number, name, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("%s is not migration %d", file, i+1)
		}
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version, name, string(text)})
	}
	return all, nil
}

// statements splits a migration, whose statements end with a semicolon at the end
// of a line.
func statements(text string) []string {
	var all []string
	for part := range strings.SplitSeq(text, ";\n") {
		if holdsSQL(part) {
			all = append(all, part)
		}
	}
	return all
}

func holdsSQL(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return true
		}
	}
	return false
}

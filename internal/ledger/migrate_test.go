package ledger

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testMigrations(t *testing.T, texts ...string) []migration {
	t.Helper()
	files := fstest.MapFS{}
	for i, text := range texts {
		files["migrations/000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := readMigrations(files)
	require.NoError(t, err)
	return all
}

func migrateFile(t *testing.T, file string, all []migration) error {
	t.Helper()
	require.NoError(t, create(file))
	db := openDB(file)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	return migrate(t.Context(), conn, SQLiteDialect, all, []string{"BEGIN IMMEDIATE"})
}

func tables(t *testing.T, db *sql.DB) (names string) {
	t.Helper()
	require.NoError(t, db.QueryRow("SELECT GROUP_CONCAT(name, ' ') FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)").Scan(&names))
	return names
}

func TestMigrationsAreAppliedOnceAndInOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	first := "-- a comment;\nCREATE TABLE a (at {time});\n\n-- another\nCREATE TABLE b (n INTEGER);\n"
	require.NoError(t, migrateFile(t, file, testMigrations(t, first)))
	require.NoError(t, migrateFile(t, file, testMigrations(t, first)), "again")
	require.NoError(t, migrateFile(t, file, testMigrations(t, first, "ALTER TABLE b ADD m INTEGER;\n", "INSERT INTO b VALUES (1, 2);\n")))
	raw := openRaw(t, file)
	assert.Equal(t, "a b migrations", tables(t, raw))
	var rows, applied int
	require.NoError(t, raw.QueryRow("SELECT (SELECT COUNT(*) FROM b), COUNT(*) FROM migrations WHERE applied_at LIKE '20__-__-__ __:__:__.______Z' AND name = 'step'").Scan(&rows, &applied))
	assert.Equal(t, []int{1, 3}, []int{rows, applied})
}

func TestAMigrationThatFailsLeavesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	err := migrateFile(t, file, testMigrations(t, "CREATE TABLE a (n INTEGER);\n", "CREATE TABLE b (n INTEGER);\nCREATE NONSENSE;\n"))
	assert.ErrorContains(t, err, "migration 2 (step)")
	assert.Equal(t, "a migrations", tables(t, openRaw(t, file)))
	require.NoError(t, migrateFile(t, file, testMigrations(t, "CREATE TABLE a (n INTEGER);\n", "CREATE TABLE b (n INTEGER);\n")))
}

func TestMigrationsOfOthersAreNotRepeated(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			opened, err := OpenSQLite(context.Background(), file, nil)
			if assert.NoError(t, err) {
				assert.NoError(t, opened.Close())
			}
		})
	}
	all.Wait()
}

func TestMigrationsMustBeNumbered(t *testing.T) {
	for _, name := range []string{"0002_second.sql", "first.sql"} {
		_, err := readMigrations(fstest.MapFS{"migrations/" + name: &fstest.MapFile{}})
		assert.ErrorContains(t, err, "is not migration 1")
	}
}

func TestEveryStatementOfTheMigrationsIsOne(t *testing.T) {
	all, err := readMigrations(migrationFiles)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	for _, dialect := range []Dialect{SQLiteDialect, PostgresDialect} {
		for _, m := range all {
			for _, statement := range statements(dialect.Schema(m.sql)) {
				var code []string
				for line := range strings.SplitSeq(statement, "\n") {
					line, _, _ = strings.Cut(line, "--")
					code = append(code, line)
				}
				text := strings.TrimSpace(strings.Join(code, "\n"))
				assert.Regexp(t, `^(CREATE|ALTER|DROP|INSERT|UPDATE|DELETE) `, text)
				assert.NotContains(t, strings.TrimSuffix(text, ";"), ";")
				assert.NotContains(t, text, "{", "a type that the dialect lacks")
			}
		}
	}
}

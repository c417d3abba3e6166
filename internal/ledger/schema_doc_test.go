package ledger

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// schemaDocument is the schema as people read it.
func schemaDocument(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/schema.md")
	require.NoError(t, err)
	return string(text)
}

func openForReading(t *testing.T) *sql.DB {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened, err := OpenSQLite(context.Background(), file, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, opened.Close()) })
	db := openDB(file, "query_only(ON)")
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func namesOf(t *testing.T, db *sql.DB, query string, args ...any) (names []string) {
	t.Helper()
	rows, err := db.Query(query, args...)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func TestTheDocumentOfTheSchemaNamesEveryTableAndColumn(t *testing.T) {
	document, db := schemaDocument(t), openForReading(t)
	tables := namesOf(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	require.Contains(t, tables, "orders")
	for _, table := range tables {
		section := document
		if _, own, found := strings.Cut(document, "\n### "+table+"\n"); found {
			section, _, _ = strings.Cut(own, "\n#")
		} else if section = regexp.MustCompile("(?m)^\\| `" + table + "` .*$").FindString(document); section == "" {
			t.Errorf("%s is not there", table)
		}
		for _, column := range namesOf(t, db, `SELECT name FROM pragma_table_info(?)`, table) {
			assert.Contains(t, section, "`"+column+"`", "%s of %s", column, table)
		}
	}
}

func TestTheQueriesOfTheDocumentRun(t *testing.T) {
	document, db := schemaDocument(t), openForReading(t)
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(document, -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		for query := range strings.SplitSeq(strings.TrimSpace(block[1]), ";") {
			if query = strings.TrimSpace(query); query == "" {
				continue
			}
			rows, err := db.Query(query)
			if assert.NoError(t, err, query) {
				assert.NoError(t, rows.Close())
			}
		}
	}
}

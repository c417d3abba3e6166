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
	"go.uber.org/goleak"
)

// openRaw opens a file as any SQL tool does.
func openRaw(t testing.TB, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestOpenCreatesAFileForItsOwnerOnly(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	file := filepath.Join(folder, "what? 100%#1 ü.db")
	opened := openTest(t, file)
	require.NoError(t, opened.Update(t.Context(), claimStep(testOrder())))
	info, err := os.Stat(folder)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(file + suffix)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), suffix)
	}
	assert.Equal(t, "SQLite "+file, opened.String())
}

func TestCommitsAreDurableOnEveryConnection(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	pragma := func(name string, is string) func(*Tx) error {
		return func(tx *Tx) error {
			var value string
			_, err := tx.scanInto([]any{&value}, "PRAGMA "+name)
			assert.Equal(t, is, value, name)
			return err
		}
	}
	for range 2 {
		for name, is := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "application_id": "1363570809"} {
			require.NoError(t, opened.Update(t.Context(), pragma(name, is)))
		}
		_ = opened.Update(t.Context(), func(tx *Tx) error { _, err := tx.exec("ROLLBACK"); return err }) // which makes it connect again
	}
	require.NoError(t, opened.View(t.Context(), pragma("query_only", "1")))
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		file  func(t *testing.T, folder string) string
		wants []string
	}{
		{"a folder", func(_ *testing.T, folder string) string { return folder }, []string{"no file", "name a file"}},
		{"below a file", func(t *testing.T, folder string) string {
			require.NoError(t, os.WriteFile(filepath.Join(folder, "file"), nil, 0o600))
			return filepath.Join(folder, "file", "ledger.db")
		}, []string{"cannot be created", "name another file"}},
		{"no database", func(t *testing.T, folder string) string {
			file := filepath.Join(folder, "notes.txt")
			require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("these are notes. ", 500)), 0o600))
			return file
		}, []string{"notes.txt", "is no SQLite database", "name another file"}},
		{"somebody else's database", func(t *testing.T, folder string) string {
			file := filepath.Join(folder, "photos.db")
			_, err := openRaw(t, file).Exec("CREATE TABLE photos (name TEXT)")
			require.NoError(t, err)
			return file
		}, []string{"photos.db", "another program", "name another file"}},
		{"a newer schema", func(t *testing.T, folder string) string {
			file := filepath.Join(folder, "ledger.db")
			require.NoError(t, openTest(t, file).Close())
			_, err := openRaw(t, file).Exec("INSERT INTO migrations VALUES (999, 'future', '')")
			require.NoError(t, err)
			return file
		}, []string{"ledger.db", "newer version", "schema 999"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := c.file(t, t.TempDir())
			before, _ := os.ReadFile(file)
			opened, err := OpenSQLite(t.Context(), file, nil)
			require.Error(t, err)
			require.Nil(t, opened)
			for _, want := range c.wants {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "\n")
			after, _ := os.ReadFile(file)
			assert.Equal(t, before, after, "the file was changed")
		})
	}
}

func TestOpenOfANewerSchemaIsErrNewer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, openTest(t, file).Close())
	_, err := openRaw(t, file).Exec("INSERT INTO migrations VALUES (999, 'future', '')")
	require.NoError(t, err)
	_, err = OpenSQLite(t.Context(), file, nil)
	assert.ErrorIs(t, err, ErrNewer)
}

func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := OpenSQLite(ctx, filepath.Join(t.TempDir(), "ledger.db"), nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestCloseLeavesOneFileAndNoGoroutine(t *testing.T) {
	before := goleak.IgnoreCurrent()
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	require.NoError(t, opened.Update(t.Context(), claimStep(testOrder())))
	require.NoError(t, opened.View(t.Context(), func(*Tx) error { return nil }))
	require.NoError(t, opened.Close())
	names, err := filepath.Glob(file + "*")
	require.NoError(t, err)
	assert.Equal(t, []string{file}, names)
	goleak.VerifyNone(t, before)
}

func TestADamagedRowIsShownAsDamaged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	opened := openTest(t, file)
	good, bad := testOrder(), testOrder()
	require.NoError(t, opened.Update(t.Context(), claimStep(good)))
	require.NoError(t, opened.Update(t.Context(), claimStep(bad)))
	_, err := openRaw(t, file).Exec("UPDATE orders SET started_at = 'noon', amount = 'much' WHERE id = ?", bad.ID)
	require.NoError(t, err)
	day := DayOf(noon)
	require.NoError(t, opened.View(t.Context(), func(tx *Tx) error {
		rows, err := tx.Rows(Search{Period: Period{day, day}, Shops: []string{"shop"}}, Page{Limit: 10})
		require.Len(t, rows, 2)
		for _, row := range rows {
			assert.Equal(t, row.Order == bad.ID, row.Damaged)
		}
		return err
	}))
}

// The statements that run often must not read a whole table.
func TestStatementsUseIndexes(t *testing.T) {
	opened := openTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	o := testOrder()
	day := DayOf(noon)
	search := Search{Period: Period{day, day}, Shops: []string{"shop"}}
	for name, step := range map[string]func(*Tx) error{
		"Order":           func(tx *Tx) error { _, err := tx.Order(o.ID); return err },
		"OrderOfSyssn":    func(tx *Tx) error { _, err := tx.OrderOfSyssn("a", "1"); return err },
		"LeaseDue":        func(tx *Tx) error { _, err := tx.LeaseDue(noon, noon, []string{"x"}, 10); return err },
		"NextDue":         func(tx *Tx) error { _, err := tx.NextDue(noon, nil); return err },
		"OpenShops":       func(tx *Tx) error { _, err := tx.OpenShops(); return err },
		"OpenOrders":      func(tx *Tx) error { _, _, err := tx.OpenOrders(noon); return err },
		"MayAsk":          func(tx *Tx) error { _, err := tx.MayAsk(o.ID, noon, 1); return err },
		"Events":          func(tx *Tx) error { _, err := tx.Events(o.ID); return err },
		"Refunds":         func(tx *Tx) error { _, err := tx.Refunds(o.ID); return err },
		"InvoiceUses":     func(tx *Tx) error { _, _, err := tx.InvoiceUses("s", "1", "", noon); return err },
		"Rows":            func(tx *Tx) error { _, err := tx.Rows(search, Page{Limit: 10}); return err },
		"Sums":            func(tx *Tx) error { _, err := tx.Sums(search); return err },
		"ContentsOf":      func(tx *Tx) error { _, err := tx.ContentsOf([]string{o.ID, "b"}); return err },
		"RefundsNamed":    func(tx *Tx) error { _, err := tx.RefundsNamed("a", "n", "9"); return err },
		"Handoff":         func(tx *Tx) error { _, err := tx.Handoff("s", "a"); return err },
		"HasOldHandoffs":  func(tx *Tx) error { _, err := tx.HasOldHandoffs(noon); return err },
		"EraseHandoffs":   func(tx *Tx) error { _, err := tx.EraseHandoffs(noon, 10); return err },
		"HoldingStock":    func(tx *Tx) error { _, err := tx.HoldingStock("s", "p"); return err },
		"EraseTold":       func(tx *Tx) error { _, err := tx.EraseTold("s", noon, 10); return err },
		"EraseFields":     func(tx *Tx) error { _, err := tx.EraseFields("s", noon, 10); return err },
		"Deliveries":      func(tx *Tx) error { _, err := tx.Deliveries(o.ID); return err },
		"DueDestinations": func(tx *Tx) error { _, _, err := tx.DueDestinations(noon); return err },
		"LeaseDeliveries": func(tx *Tx) error {
			_, err := tx.LeaseDeliveries(Destination{"s", "e"}, noon, noon, 10)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, opened.Update(t.Context(), func(tx *Tx) error {
				var plans []string
				_ = step(NewTx(tx.ctx, watchedConn{tx.conn, func(conn Execer, query string, args []any) {
					steps, err := PlanOf(conn, query, args)
					require.NoError(t, err)
					plans = append(plans, steps...)
				}}, SQLiteDialect, true))
				require.NotEmpty(t, plans)
				for _, plan := range plans {
					if dueOnly := regexp.MustCompile(`INDEX (orders_check_at|deliveries_next_at|deliveries_due)$`); !dueOnly.MatchString(plan) {
						assert.NotRegexp(t, `^SCAN (orders|events|refunds|deliveries|handoffs)`, plan)
					}
					if name == "Rows" || name == "EraseFields" {
						assert.NotContains(t, plan, "TEMP B-TREE")
					}
				}
				if index, ok := map[string]string{
					"EraseFields": "orders_fields", "InvoiceUses": "orders_invoice", "HoldingStock": "orders_holding", "EraseTold": "deliveries_",
				}[name]; ok {
					assert.Contains(t, plans[0], index)
				}
				return nil
			}))
		})
	}
}

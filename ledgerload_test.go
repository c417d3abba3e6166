package qfpayjsapi_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

func TestTheErrorAtLoadSaysWhyALedgerCannotBeOpened(t *testing.T) {
	shop := openShop(t)
	good := shop.file
	for name, test := range map[string]struct {
		make func(t *testing.T, file string)
		want []string
	}{
		"of a newer version": {
			func(t *testing.T, file string) {
				opened, err := ledger.OpenSQLite(t.Context(), file, nil)
				require.NoError(t, err)
				require.NoError(t, opened.Close())
				db, err := sql.Open("sqlite", file)
				require.NoError(t, err)
				defer db.Close()
				_, err = db.Exec(`INSERT INTO migrations VALUES (999, 'future', '')`)
				require.NoError(t, err)
			},
			[]string{"written by a newer version of this program: use that version, or restore a backup", "schema 999"},
		},
		"no database": {
			func(t *testing.T, file string) {
				require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("notes ", 1000)), 0o600))
			},
			[]string{"is no SQLite database", "name another file"},
		},
		"another program's database": {
			func(t *testing.T, file string) {
				db, err := sql.Open("sqlite", file)
				require.NoError(t, err)
				defer db.Close()
				_, err = db.Exec(`CREATE TABLE photos (name TEXT)`)
				require.NoError(t, err)
			},
			[]string{"is a database of another program", "name another file"},
		},
		"a folder": {
			func(t *testing.T, file string) { require.NoError(t, os.Mkdir(file, 0o700)) },
			[]string{"is a folder or another thing that is no file"},
		},
		"where nothing can be created": {
			func(t *testing.T, file string) {
				require.NoError(t, os.WriteFile(filepath.Dir(file), nil, 0o600)) // a file where a folder should be
			},
			[]string{"cannot be created, name another file or give permission"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			shop.file = filepath.Join(folder, "ledger.db")
			if name == "where nothing can be created" {
				shop.file = filepath.Join(folder, "in-the-way", "ledger.db")
			}
			test.make(t, shop.file)
			err := shop.tryToLoad()
			for _, want := range append(test.want, "ledger: ", folder) {
				assert.ErrorContains(t, err, want)
			}
			_, ours, found := strings.Cut(err.Error(), "\n\n") // set off from the names of modules
			assert.True(t, found)
			assert.NotContains(t, ours, "\n")
		})
	}
	shop.file = good
	shop.sold("")
	assert.Len(t, shop.rows(`SELECT id FROM orders`), 1, "the configuration before goes on, on its own ledger")
}

func TestTheErrorForStorageNamesTheLedgerSetting(t *testing.T) {
	_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte("http://shop.example {\nqfpay_jsapi {\nstorage file_system orders\n}\n}"), map[string]any{"filename": "Caddyfile"})
	assert.ErrorContains(t, err, "storage was removed: orders are kept in a database; use ledger sqlite <file> or ledger postgres <URL>")
	assert.ErrorContains(t, err, "Caddyfile:3")
}

func TestValidatingAConfigurationCreatesNothing(t *testing.T) {
	shop := openShop(t)
	folder := t.TempDir()
	shop.file = filepath.Join(folder, "orders", "ledger.db")
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(shop.caddyfile()), map[string]any{"filename": "Caddyfile"})
	require.NoError(t, err)
	var config caddy.Config
	require.NoError(t, json.Unmarshal(adapted, &config))
	require.NoError(t, caddy.Validate(&config))
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, files)

	require.NoError(t, os.WriteFile(filepath.Join(folder, "orders"), nil, 0o600))
	require.NoError(t, json.Unmarshal(adapted, &config))
	assert.NoError(t, caddy.Validate(&config), "nor does it look at what is there")
}

func TestAReloadKeepsTheLedgerOpen(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	for range 3 {
		shop.block += "item collar" + fmt.Sprint(len(shop.block)) + " 88.00\n"
		shop.load()
		assert.Equal(t, "paid", shop.statusOf(order)["status"])
	}
	assert.Equal(t, [2]int{1, 0}, openedAndClosed(shop.file))
	shop.without = true
	shop.load()
	assert.Equal(t, [2]int{1, 1}, openedAndClosed(shop.file), "nobody has a use for it any more")
	assert.NoFileExists(t, shop.file+"-wal", "all of it stands in the one file")
	shop.without = false
	shop.load()
	assert.Equal(t, "paid", shop.statusOf(order)["status"])
}

func TestALedgerThatDoesNotAnswerHindersNoReload(t *testing.T) {
	shop := openShop(t)
	shop.failLedger(func(context.Context, string) error { return errors.New("too busy") })
	require.NoError(t, shop.tryToLoad())
	shop.failLedger(nil)
	assert.Contains(t, shop.log(), "the ledger could not be asked whether orders or events wait")
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	assert.Equal(t, []string{"claimed", "prepared"}, shop.history(order))
}

func TestTwoBlocksOnOneFileShareOneLedger(t *testing.T) {
	shop, _, _ := twoOfOneAccount(t)
	assert.Equal(t, [2]int{1, 0}, openedAndClosed(shop.file))
}

// A copy is of one moment: it holds what was acknowledged before it was asked for,
// and nothing half.
func TestBackupsThatAreMadeWhilePaymentsRunAreWhole(t *testing.T) {
	shop := openShop(t, withNotifications)
	const copies = 5
	folder := t.TempDir()
	paid := []string{shop.sold("")}
	var selling sync.WaitGroup
	ended := make(chan struct{})
	var mu sync.Mutex
	selling.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
			}
			order := shop.sold("")
			mu.Lock()
			paid = append(paid, order)
			mu.Unlock()
		}
	})
	before := make([][]string, copies)
	for i := range copies {
		mu.Lock()
		before[i] = append([]string(nil), paid...)
		mu.Unlock()
		status, answer := shop.office("POST", "/qfpay_jsapi/backup", fmt.Sprintf(`{"file":%q}`, filepath.Join(folder, fmt.Sprint(i))))
		assert.Equal(t, http.StatusOK, status, answer)
	}
	close(ended)
	selling.Wait()
	original := shop.file
	for i := range copies {
		shop.file = filepath.Join(folder, fmt.Sprint(i))
		assert.Equal(t, []string{"ok"}, shop.rows(`PRAGMA integrity_check`))
		assert.Subset(t, shop.rows(`SELECT id FROM orders WHERE status = 'paid'`), before[i])
		assert.Empty(t, shop.rows(`SELECT id FROM orders o WHERE (status = 'paid') <> EXISTS (SELECT 1 FROM events WHERE subject = o.id AND kind = 'paid')`))
		assert.Equal(t, shop.rows(`SELECT count(*), count(CASE WHEN status = 'paid' THEN 1 END), sum(CASE WHEN status = 'paid' THEN amount ELSE 0 END) FROM orders`),
			shop.rows(`SELECT sum(orders), sum(paid), sum(gross) FROM sums`), "the sums are those of the rows")
	}
	assert.NotEqual(t, before[0], before[copies-1], "payments ran")

	shop.file = original + ".restored"
	require.NoError(t, os.Rename(filepath.Join(folder, fmt.Sprint(copies-1)), shop.file))
	shop.load()
	assert.Equal(t, "paid", shop.statusOf(before[copies-1][0])["status"], "a copy is put back by naming it")
	shop.sold("")
}

//go:build postgres

package postgres

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryWayToTalkToTheServerKeepsAnOrderAsItIs(t *testing.T) {
	server := postgrestest.Start(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			l := openAt(t, server.NewDatabase()+"&default_query_exec_mode="+mode)
			order := newOrder()
			order.Intent.Ref = "O'Reilly \\ $1 \"x\" \x00 ?"
			require.NoError(t, l.Update(t.Context(), pay(order)))
			require.True(t, isPaid(t, l, order.ID))
			requireSums(t, l, 1)
			require.NoError(t, l.View(t.Context(), func(tx *ledger.Tx) error {
				read, err := tx.Order(order.ID)
				assert.Equal(t, strings.ReplaceAll(order.Intent.Ref, "\x00", "\uFFFD"), read.Intent.Ref)
				assert.Equal(t, order.Intent.Description, read.Intent.Description)
				assert.Equal(t, order.Intent.Fields, read.Intent.Fields)
				assert.Equal(t, order.Expires, read.Expires, "whatever zone the session is in")
				assert.True(t, read.AskedAt.IsZero())
				return err
			}))
			search := ledger.Search{Period: ledger.Period{First: ledger.DayOf(noon), Last: ledger.DayOf(noon)}, Shops: []string{"tea"}, Text: "奶茶",
				Status: []ledger.Status{ledger.StatusPaid}}
			require.NoError(t, l.View(t.Context(), func(tx *ledger.Tx) error {
				rows, err := tx.Rows(search, ledger.Page{Limit: 10})
				assert.Len(t, rows, 1)
				if err != nil {
					return err
				}
				sums, err := tx.Sums(search)
				assert.Len(t, sums, 1)
				return err
			}))
			require.NoError(t, l.Update(t.Context(), func(tx *ledger.Tx) error {
				leased, err := tx.LeaseDue(noon.Add(time.Minute), noon.Add(2*time.Minute), []string{"coffee"}, 10)
				assert.Len(t, leased, 1)
				if err != nil {
					return err
				}
				deliveries, err := tx.LeaseDeliveries(ledger.Destination{Shop: "tea", Endpoint: "shop"}, noon.Add(time.Minute), noon.Add(2*time.Minute), 10)
				assert.Len(t, deliveries, 1)
				return err
			}))
		})
	}
}

func TestManyOpenersOfAnEmptyDatabaseAllSucceed(t *testing.T) {
	server := postgrestest.Start(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			l, err := Open(t.Context(), server.URL(), nil)
			if assert.NoError(t, err) {
				assert.NoError(t, l.Close())
			}
		})
	}
	all.Wait()
	l := openAt(t, server.URL())
	require.NoError(t, l.Update(t.Context(), pay(newOrder())))
}

func TestStepsOfTwoNodesOnOneOrderComeOneAfterTheOther(t *testing.T) {
	server := postgrestest.Start(t)
	nodes := []ledger.Ledger{openAt(t, server.URL()), openAt(t, server.URL())}
	order := newOrder()
	require.NoError(t, nodes[0].Update(t.Context(), pay(order)))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 25 {
				assert.NoError(t, nodes[i%2].Update(context.Background(), func(tx *ledger.Tx) error {
					o, err := tx.Order(order.ID)
					if err != nil {
						return err
					}
					o.Refunded++
					return tx.Save(o)
				}))
			}
		})
	}
	all.Wait()
	require.NoError(t, nodes[1].View(t.Context(), func(tx *ledger.Tx) error {
		o, err := tx.Order(order.ID)
		assert.Equal(t, int64(200), o.Refunded)
		return err
	}))
}

func TestOnlyOneOfTwoOrdersTakesANumberOfTheGateway(t *testing.T) {
	server := postgrestest.Start(t)
	nodes := []ledger.Ledger{openAt(t, server.URL()), openAt(t, server.URL())}
	for round := range 20 {
		syssn, orders := fmt.Sprint("syssn", round), []ledger.Order{newOrder(), newOrder()}
		var both sync.WaitGroup
		for i, order := range orders {
			require.NoError(t, nodes[i].Update(t.Context(), func(tx *ledger.Tx) error { _, err := tx.Claim(order); return err }))
		}
		for i, order := range orders {
			both.Go(func() {
				assert.NoError(t, nodes[i].Update(context.Background(), func(tx *ledger.Tx) error {
					o, err := tx.Order(order.ID)
					if err != nil {
						return err
					}
					other, err := tx.OrderOfSyssn("account", syssn)
					if err != nil {
						return err
					}
					if o.Disputed = other != ""; !o.Disputed {
						o.Syssn = syssn
					}
					return tx.Save(o)
				}))
			})
		}
		both.Wait()
		disputed := 0
		for _, order := range orders {
			require.NoError(t, nodes[0].View(t.Context(), func(tx *ledger.Tx) error {
				o, err := tx.Order(order.ID)
				if assert.Equal(t, o.Disputed, o.Syssn == ""); o.Disputed {
					disputed++
				}
				return err
			}))
		}
		require.Equal(t, 1, disputed)
	}
}

func TestAStepThatFailsOrPanicsLeavesNothingAndTakesNoConnection(t *testing.T) {
	server := postgrestest.Start(t)
	l := openAt(t, server.URL())
	soldOut := errors.New("sold out")
	for range maxConnections + 1 {
		order := newOrder()
		err := l.Update(t.Context(), func(tx *ledger.Tx) error { return errors.Join(pay(order)(tx), soldOut) })
		require.ErrorIs(t, err, soldOut)
		require.PanicsWithValue(t, "oh", func() {
			_ = l.Update(t.Context(), func(tx *ledger.Tx) error {
				assert.NoError(t, pay(order)(tx))
				panic("oh")
			})
		})
		require.False(t, isPaid(t, l, order.ID))
	}
	requireSums(t, l, 0)
}

func TestAStepThatHidesAFailedStatementIsNotTakenForWritten(t *testing.T) {
	l := openAt(t, postgrestest.Start(t).URL())
	first, second := newOrder(), newOrder()
	require.NoError(t, l.Update(t.Context(), pay(first)))
	err := l.Update(t.Context(), func(tx *ledger.Tx) error {
		second.Syssn = "syssn-" + first.ID
		_, err := tx.Claim(second)
		assert.NoError(t, err)
		_ = tx.Save(second) // the number is the first order's
		return nil
	})
	require.ErrorIs(t, err, errAborted)
	require.False(t, isPaid(t, l, second.ID))
}

func TestAViewCannotWrite(t *testing.T) {
	l := openAt(t, postgrestest.Start(t).URL())
	order := newOrder()
	require.Error(t, l.View(t.Context(), pay(order)))
	require.False(t, isPaid(t, l, order.ID))
}

func TestAStepWaitsForARowNoLongerThanItsContext(t *testing.T) {
	server := postgrestest.Start(t)
	l := openAt(t, server.URL())
	order := newOrder()
	require.NoError(t, l.Update(t.Context(), pay(order)))
	require.NoError(t, l.Update(t.Context(), func(tx *ledger.Tx) error {
		if _, err := tx.Order(order.ID); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		err := l.Update(ctx, pay(order))
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Less(t, time.Since(start), 10*time.Second)
		return nil
	}))
}

func TestANewerSchemaIsRefusedAndStaysAsItIs(t *testing.T) {
	server := postgrestest.Start(t)
	require.NoError(t, openAt(t, server.URL()).Update(t.Context(), pay(newOrder())))
	server.Exec(server.URL(), `INSERT INTO migrations (version, name, applied_at) VALUES (9999, 'tomorrow', now())`)
	_, err := Open(t.Context(), server.URL(), nil)
	require.ErrorIs(t, err, ledger.ErrNewer)
	assert.Contains(t, err.Error(), "PostgreSQL 127.0.0.1:")
}

func TestADatabaseThatCannotBeALedgerIsRefusedInASentence(t *testing.T) {
	server := postgrestest.Start(t)
	change := func(setting string) string {
		address := server.NewDatabase()
		server.Exec(address, "ALTER DATABASE "+databaseOf(address)+" SET "+setting)
		return address
	}
	server.Exec(server.URL(), `CREATE ROLE guest LOGIN PASSWORD '`+postgrestest.Password+`';
		REVOKE CREATE ON SCHEMA public FROM PUBLIC`)
	server.Exec(server.URL(), `CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`)
	for _, c := range []struct{ address, says string }{
		{strings.Replace(server.URL(), postgrestest.Password, "wrong", 1), "the password of ledger is wrong"},
		{strings.Replace(server.URL(), "ledger:", "guest:", 1), "guest may not do what a ledger needs"},
		{strings.Replace(server.URL(), "/ledger1?", "/nowhere?", 1), "there is no such database"},
		{strings.Replace(server.URL(), "/ledger1?", "/latin?", 1), "its encoding is not UTF8"},
		{server.URL() + "&search_path=nowhere", "there is no schema to create tables in"},
		{change("default_transaction_read_only = on"), "it takes no writes"},
		{change("synchronous_commit = off"), "a payment that was acknowledged can be lost"},
	} {
		_, err := Open(t.Context(), c.address, nil)
		requireSentence(t, err, c.says)
	}
	server.Stop(postgrestest.Fast)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	start := time.Now()
	_, err := Open(ctx, server.URL(), nil)
	requireSentence(t, err, "cannot be reached")
	assert.Less(t, time.Since(start), 10*time.Second)
}

func databaseOf(address string) string {
	_, path, _ := strings.Cut(address, "@")
	_, path, _ = strings.Cut(path, "/")
	name, _, _ := strings.Cut(path, "?")
	return name
}

func requireSentence(t *testing.T, err error, says string) {
	t.Helper()
	require.ErrorContains(t, err, says)
	assert.NotContains(t, err.Error(), postgrestest.Password)
	assert.NotContains(t, err.Error(), "\n")
	t.Log(err)
}

func TestTheErrorsOfStepsHoldNoPassword(t *testing.T) {
	server := postgrestest.Start(t)
	l := openAt(t, server.URL())
	assert.NotContains(t, l.String(), postgrestest.Password)
	server.Stop(postgrestest.Immediate)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := l.Update(ctx, pay(newOrder()))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotContains(t, err.Error(), postgrestest.Password)
	var unreachable *pgconn.ConnectError
	assert.ErrorAs(t, err, &unreachable, "the error says why")
}

func TestABackupIsLeftToPostgreSQL(t *testing.T) {
	l := openAt(t, postgrestest.Start(t).URL())
	file := filepath.Join(t.TempDir(), "backup")
	err := l.Backup(t.Context(), file)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	assert.ErrorContains(t, err, "pg_dump")
	assert.NoFileExists(t, file)
}

func TestTheEngineIsKnownByItsName(t *testing.T) {
	open, found := ledger.EngineNamed("postgres")
	require.True(t, found)
	l, err := open(t.Context(), postgrestest.Start(t).URL(), nil)
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

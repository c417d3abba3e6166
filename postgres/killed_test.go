//go:build postgres

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every way to talk to the server that a URL can ask for.
var modes = []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

func TestAStepWhoseConnectionIsKilledIsDoneOnceOrNotAtAll(t *testing.T) {
	server := postgrestest.Start(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			address := server.NewDatabase() + "&default_query_exec_mode=" + mode
			reader := openAt(t, address)
			statements := statementsOf(t, address)
			require.Greater(t, len(statements), 7)
			paid := 1 // by statementsOf
			for n := range statements {
				for _, moment := range []string{"before", "after"} {
					name := fmt.Sprintf("%s statement %d, %.40s", moment, n, statements[n])
					order := newOrder()
					err := payKilled(t, server, address, n, moment, order)
					done := isPaid(t, reader, order.ID)
					// A connection that is dead before COMMIT cannot be told
					// from one that died of it.
					if n == len(statements)-1 && moment == "before" || n == len(statements)-2 && moment == "after" {
						assert.ErrorIs(t, err, ledger.ErrOutcomeUnknown, name)
						assert.False(t, done, name)
					} else {
						assert.NoError(t, err, name)
						assert.True(t, done, name)
					}
					if done {
						paid++
					}
				}
			}
			requireSums(t, reader, paid)
			assert.Equal(t, 2*len(statements)-1, paid)
		})
	}
}

// statementsOf are the statements of a payment, from BEGIN to COMMIT.
func statementsOf(t *testing.T, address string) (statements []string) {
	w := &watched{before: func(_ *pgx.Conn, statement string) { statements = append(statements, statement) }}
	l := openWatched(t, address, w)
	w.armed.Store(true)
	require.NoError(t, l.Update(t.Context(), pay(newOrder())))
	w.armed.Store(false)
	require.True(t, strings.HasPrefix(statements[0], "BEGIN"))
	require.Equal(t, "COMMIT", statements[len(statements)-1])
	return statements
}

// payKilled pays, while the connection is killed once, at the nth statement.
func payKilled(t *testing.T, server *postgrestest.Server, address string, n int, moment string, order ledger.Order) error {
	seen, killed := -1, false
	kill := func(conn *pgx.Conn) {
		if seen == n && !killed {
			killed = true
			server.KillConnection(conn.PgConn().PID())
		}
	}
	w := &watched{before: func(conn *pgx.Conn, _ string) {
		seen++
		if moment == "before" {
			kill(conn)
		}
	}}
	if moment == "after" {
		w.after = func(conn *pgx.Conn, _ string) { kill(conn) }
	}
	l := openWatched(t, address, w)
	w.armed.Store(true)
	err := l.Update(t.Context(), pay(order))
	w.armed.Store(false)
	require.True(t, killed)
	return err
}

func TestACommitWhoseAnswerIsLostIsNotDoneAgain(t *testing.T) {
	server := postgrestest.Start(t)
	direct := openAt(t, server.URL())
	order := newOrder()
	require.NoError(t, direct.Update(t.Context(), pay(order)))
	address, err := url.Parse(server.URL())
	require.NoError(t, err)
	address.Host = deafAfterCommit(t, address.Host)
	l := openAt(t, address.String())
	steps := 0
	err = l.Update(t.Context(), func(tx *ledger.Tx) error {
		steps++
		o, err := tx.Order(order.ID)
		if err != nil {
			return err
		}
		o.Refunded++
		return tx.Save(o)
	})
	require.ErrorIs(t, err, ledger.ErrOutcomeUnknown)
	assert.Equal(t, 1, steps)
	var refunded int64
	require.Eventually(t, func() bool { // once the server has come to it
		assert.NoError(t, direct.View(t.Context(), func(tx *ledger.Tx) error {
			o, err := tx.Order(order.ID)
			refunded = o.Refunded
			return err
		}))
		return refunded > 0
	}, 5*time.Second, 10*time.Millisecond)
	assert.Equal(t, int64(1), refunded)
}

// deafAfterCommit is a server in front of another one that cuts each connection
// when a COMMIT has passed, so that its answer is lost.
func deafAfterCommit(t *testing.T, server string) (address string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, server)
		}
	}()
	return listener.Addr().String()
}

func relay(client net.Conn, server string) {
	defer client.Close()
	upstream, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer upstream.Close()
	var deaf atomic.Bool
	go func() {
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := upstream.Read(buffer)
			if err != nil || deaf.Load() {
				return
			}
			_, _ = client.Write(buffer[:n])
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], []byte("COMMIT\x00")) {
			deaf.Store(true)
		}
		_, _ = upstream.Write(buffer[:n])
	}
}

func TestAStepThatIsKilledWhileItWaitsForARowIsDoneOnce(t *testing.T) {
	server := postgrestest.Start(t)
	w := &watched{}
	holder, waiter := openAt(t, server.URL()), openWatched(t, server.URL(), w)
	order := newOrder()
	require.NoError(t, holder.Update(t.Context(), pay(order)))

	var pids sync.Map
	waiting := make(chan uint32, 100)
	w.before = func(conn *pgx.Conn, statement string) {
		if pid := conn.PgConn().PID(); strings.Contains(statement, "FOR UPDATE") {
			if _, again := pids.LoadOrStore(pid, true); !again {
				waiting <- pid
			}
		}
	}
	w.armed.Store(true)
	held, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	add := func(l ledger.Ledger, meanwhile func()) {
		all.Go(func() {
			assert.NoError(t, l.Update(context.Background(), func(tx *ledger.Tx) error {
				o, err := tx.Order(order.ID)
				if err != nil {
					return err
				}
				meanwhile()
				o.Refunded++
				return tx.Save(o)
			}))
		})
	}
	add(holder, func() { close(held); <-release })
	<-held
	add(waiter, func() {})
	for range 3 { // each kill meets the next repetition
		pid := <-waiting
		time.Sleep(50 * time.Millisecond) // until the server waits for the row
		server.KillConnection(pid)
	}
	close(release)
	all.Wait()
	require.NoError(t, holder.View(t.Context(), func(tx *ledger.Tx) error {
		o, err := tx.Order(order.ID)
		assert.Equal(t, int64(2), o.Refunded)
		return err
	}))
}

func TestAStreamOfPaymentsGoesThroughRestartsOfTheServer(t *testing.T) {
	server := postgrestest.Start(t)
	nodes := []ledger.Ledger{openAt(t, server.URL()), openAt(t, server.URL())}
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	acknowledged, unknown := map[string]bool{}, map[string]bool{}
	var payers sync.WaitGroup
	for i := range 8 {
		payers.Go(func() {
			for ctx.Err() == nil {
				order := newOrder()
				err := nodes[i%2].Update(context.Background(), pay(order))
				mu.Lock()
				switch {
				case err == nil:
					acknowledged[order.ID] = true
				case errors.Is(err, ledger.ErrOutcomeUnknown):
					unknown[order.ID] = true
				default:
					assert.NoError(t, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, mode := range []postgrestest.Mode{postgrestest.Fast, postgrestest.Immediate, postgrestest.Fast} {
		time.Sleep(700 * time.Millisecond)
		server.Restart(mode)
	}
	time.Sleep(300 * time.Millisecond)
	server.KillConnections()
	time.Sleep(300 * time.Millisecond)
	stop()
	payers.Wait()
	t.Logf("%d payments, %d of unknown outcome", len(acknowledged), len(unknown))
	require.NotEmpty(t, acknowledged)
	for id := range acknowledged {
		require.True(t, isPaid(t, nodes[0], id), "%s was acknowledged and is lost", id)
	}
	paid := len(acknowledged)
	for id := range unknown {
		if isPaid(t, nodes[0], id) {
			paid++
		}
	}
	requireSums(t, nodes[1], paid)
}

func TestARestartFindsAllConnectionsOfThePoolDead(t *testing.T) {
	server := postgrestest.Start(t)
	l := openAt(t, server.URL())
	var all sync.WaitGroup
	together := make(chan struct{})
	for range maxConnections { // so that the pool is full
		all.Go(func() {
			assert.NoError(t, l.View(context.Background(), func(tx *ledger.Tx) error { <-together; return nil }))
		})
	}
	time.Sleep(500 * time.Millisecond)
	close(together)
	all.Wait()
	server.Restart(postgrestest.Fast)
	start := time.Now()
	for range 2 * maxConnections {
		require.NoError(t, l.Update(t.Context(), pay(newOrder())))
	}
	assert.Less(t, time.Since(start), 20*time.Second)
}

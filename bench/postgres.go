package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
)

// postgres measures whole payments on PostgreSQL.
func (b *bench) postgres() (s section, err error) {
	atOnce := pick(b, 128, 16)
	s = section{title: "Whole payments on PostgreSQL", about: fmt.Sprintf(`
The same whole payments, %d at once, with the ledger in a PostgreSQL on the same machine and disk, which has its usual settings but for 64 MB of shared
buffers: one node of the plugin that payers go to themselves, one behind a Caddy, and two behind a Caddy that takes them in turn. Processor time
is that of the nodes and the Caddy in front; PostgreSQL's is beside it.
`, atOnce)}
	server, err := startPostgres()
	if err != nil {
		return s, err
	}
	defer server.stop()
	if b.clustered, err = b.build("shop-postgres"); err != nil {
		return s, err
	}
	load := flowOf{b, atOnce, true}
	var contenders []*contender
	for _, open := range []func(*postgresServer) (*shop, error){b.openOnSQLite, b.openNode, b.openOneBehind, b.openTwoBehind} {
		shop, err := open(server)
		if err != nil {
			return s, err
		}
		defer shop.stop()
		if err := b.prove(shop); err != nil {
			return s, err
		}
		c := load.contender(shop)
		c.turn = server.watched(c.turn)
		contenders = append(contenders, c)
	}
	if err := alternate(pick(b, 5, 1), b.warmUps(), contenders); err != nil {
		return s, err
	}
	t := table{{"", "payments per second", "median time", "p99", "processor time for each", "PostgreSQL's", "transactions for each"}}
	for _, c := range contenders {
		t = append(t, []string{c.name, decimal(of(c.turns, rate)), milli(of(c.turns, p50)), milli(of(c.turns, p99)), milli(of(c.turns, cpu)),
			milli(of(c.turns, databaseCPU)), decimal(of(c.turns, transactions))})
	}
	s.tables = []table{t}
	s.charts = []chart{{name: "postgres", title: "Whole payments per second, by ledger", note: "longer is better", bars: barsOf(contenders, rate, decimal)}}
	return s, nil
}

// openOnSQLite runs a node with a ledger of its own, to compare with.
func (b *bench) openOnSQLite(*postgresServer) (*shop, error) {
	folder, err := b.folder(b.work)
	if err != nil {
		return nil, err
	}
	return b.openCaddy("SQLite", b.clustered, folder, b.directive(folder))
}

// onOneNode is the name of a node without another.
const onOneNode = "PostgreSQL, one node"

// openNode runs a node with a database of its own.
func (b *bench) openNode(server *postgresServer) (*shop, error) {
	return b.openCaddy(onOneNode, b.clustered, b.work, b.directiveOf(shopName, appCode, "postgres "+server.NewDatabase()))
}

func (b *bench) openOneBehind(server *postgresServer) (*shop, error) {
	return b.openBehind("PostgreSQL, one node behind Caddy", server, 1)
}

func (b *bench) openTwoBehind(server *postgresServer) (*shop, error) {
	return b.openBehind("PostgreSQL, two nodes behind Caddy", server, 2)
}

// openBehind runs nodes with one database behind a Caddy that takes them in turn.
func (b *bench) openBehind(name string, server *postgresServer, count int) (*shop, error) {
	database := "postgres " + server.NewDatabase()
	var nodes []*shop
	var addresses []string
	for range count {
		node, err := b.openCaddy("node", b.clustered, b.work, b.directiveOf(shopName, appCode, database))
		if err != nil {
			return nil, err
		}
		nodes, addresses = append(nodes, node), append(addresses, node.address)
	}
	front, err := b.openCaddy(name, b.stock, b.work, "reverse_proxy /pay/* "+strings.Join(addresses, " ")+" {\n\t\tlb_policy round_robin\n\t}")
	if err != nil {
		return nil, err
	}
	for _, node := range nodes {
		front.processes = append(front.processes, node.processes...)
	}
	return front, nil
}

// postgresServer is a PostgreSQL in a process of its own.
type postgresServer struct {
	*postgrestest.Server
	pid  int
	stop func()
}

// startPostgres starts PostgreSQL as the tests do.
func startPostgres() (server *postgresServer, err error) {
	host := &testHost{}
	defer func() {
		if failed, ok := recover().(hostFailure); ok {
			host.end()
			server, err = nil, failed
		}
	}()
	server = &postgresServer{Server: postgrestest.Start(host), stop: host.end}
	server.pid, err = childNamed("postgres")
	return server, err
}

// watched adds to each turn what PostgreSQL did meanwhile.
func (p *postgresServer) watched(turn func() (figures, error)) func() (figures, error) {
	return func() (figures, error) {
		before, err := p.usage()
		if err != nil {
			return figures{}, err
		}
		f, err := turn()
		if err != nil {
			return f, err
		}
		after, err := p.usage()
		f.databaseCPU = (after.cpu - before.cpu).Seconds() / f.count
		f.transactions = float64(after.commits-before.commits) / f.count
		return f, err
	}
}

type usage struct {
	cpu     time.Duration
	commits int64
}

func (p *postgresServer) usage() (u usage, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return u, err
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, `SELECT SUM(xact_commit)::bigint FROM pg_stat_database`).Scan(&u.commits); err != nil {
		return u, err
	}
	u.cpu, err = familyCPU(p.pid)
	return u, err
}

// childNamed finds a process that this one has started.
func childNamed(name string) (pid int, err error) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		text, _ := os.ReadFile(stat)
		before, after, _ := strings.Cut(string(text), " (")
		program, rest, _ := strings.Cut(after, ") ")
		if fields := strings.Fields(rest); program == name && len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			return strconv.Atoi(before)
		}
	}
	return 0, fmt.Errorf("no process %s was started", name)
}

// testHost lets a helper of tests work in a program.
type testHost struct {
	testing.TB
	cleanups []func()
}

// hostFailure is why a helper gave up.
type hostFailure struct{ error }

func (h *testHost) Helper()           {}
func (h *testHost) Cleanup(do func()) { h.cleanups = append(h.cleanups, do) }
func (h *testHost) Fatal(args ...any) { panic(hostFailure{fmt.Errorf("%s", fmt.Sprint(args...))}) }
func (h *testHost) Fatalf(format string, args ...any) {
	panic(hostFailure{fmt.Errorf(format, args...)})
}

func (h *testHost) end() {
	for i := len(h.cleanups) - 1; i >= 0; i-- {
		h.cleanups[i]()
	}
	h.cleanups = nil
}

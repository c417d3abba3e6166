//go:build unix

// Package postgrestest starts a real PostgreSQL for tests, from the programs of
// Debian's package, in a folder of its own and as a user without privileges.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is that of the user in every URL, for tests that look for it where it
// must not be.
const Password = "sentinel-p4ss"

const (
	role = "ledger"

	// startTime bounds how long the server may take to take connections, and
	// stopTime to end.
	startTime = 60 * time.Second
	stopTime  = 30 * time.Second
)

// Mode is how a server stops.
type Mode syscall.Signal

// The ways to stop: Fast ends what runs and writes all to disk; Immediate ends as
// in a crash, and the next start recovers.
const (
	Fast      = Mode(syscall.SIGINT)
	Immediate = Mode(syscall.SIGQUIT)
)

// Server is a PostgreSQL on a port of 127.0.0.1. It keeps its port and its data
// from start to start, and ends with its test.
type Server struct {
	t       testing.TB
	bin     string // the folder of the server's programs
	dir     string
	port    int
	account *syscall.SysProcAttr
	first   string // the URL of the first database

	databases atomic.Int64
	process   *exec.Cmd     // nil while it is stopped
	ended     chan struct{} // closed when process has ended
}

// Start starts a server, or fails the test.
func Start(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, bin: programs(t), dir: dir, port: freePort(t), account: unprivileged(t, dir)}
	t.Cleanup(func() {
		s.stop(Immediate)
		_ = os.RemoveAll(dir)
	})
	s.initialize()
	s.Start()
	s.first = s.NewDatabase()
	return s
}

// URL is the address of a database that was empty at the start.
func (s *Server) URL() string { return s.first }

// NewDatabase creates an empty database and returns its address. Its texts sort
// as people sort them, as in most installations, and its sessions are in a time
// zone of no shop.
func (s *Server) NewDatabase() string {
	s.t.Helper()
	name := fmt.Sprintf("ledger%d", s.databases.Add(1))
	s.Exec(s.address("postgres"), "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8' "+s.collation())
	return s.address(name)
}

// collation is that of people's languages, where the server can: from 15 on.
func (s *Server) collation() string {
	if version(s.Program("initdb")) < 15 {
		return ""
	}
	return "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'"
}

func (s *Server) address(database string) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, Password),
		Host: fmt.Sprintf("127.0.0.1:%d", s.port), Path: database, RawQuery: "sslmode=disable",
	}
	return address.String()
}

// Program is the path of one of the server's programs, such as pg_dump.
func (s *Server) Program(name string) string { return filepath.Join(s.bin, name) }

// Exec runs statements in a database, or fails the test.
func (s *Server) Exec(address, statements string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		s.t.Fatalf("connecting to PostgreSQL: %v", err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx, statements); err != nil {
		s.t.Fatalf("%s: %v", statements, err)
	}
}

// KillConnections ends every connection of clients, in the middle of whatever
// they do.
func (s *Server) KillConnections() {
	s.t.Helper()
	s.Exec(s.address("postgres"), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
}

// KillConnection ends one connection, by the number of its process at the server,
// and waits until it has ended.
func (s *Server) KillConnection(pid uint32) {
	s.t.Helper()
	s.Exec(s.address("postgres"), fmt.Sprintf(`SELECT pg_terminate_backend(%d, 10000)`, pid))
}

// Start starts a server that was stopped, and waits until it takes connections.
func (s *Server) Start() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	process := s.command("postgres", "-D", s.data(), "-p", fmt.Sprint(s.port))
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		s.t.Fatalf("starting PostgreSQL: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = process.Wait()
		close(ended)
	}()
	s.process, s.ended = process, ended
	s.awaitConnections()
}

func (s *Server) awaitConnections() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.address("postgres"))
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-s.ended:
			s.t.Fatalf("PostgreSQL ended instead of starting:\n%s", s.Log())
		case <-ctx.Done():
			s.t.Fatalf("PostgreSQL takes no connections: %v\n%s", err, s.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Stop stops the server and waits for its end.
func (s *Server) Stop(mode Mode) {
	s.t.Helper()
	if err := s.stop(mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) stop(mode Mode) error {
	if s.process == nil {
		return nil
	}
	process := s.process
	s.process = nil
	_ = process.Process.Signal(syscall.Signal(mode))
	select {
	case <-s.ended:
		return nil
	case <-time.After(stopTime):
		_ = process.Process.Kill()
		<-s.ended
		return errors.New("PostgreSQL had to be killed")
	}
}

// Restart stops and starts the server.
func (s *Server) Restart(mode Mode) {
	s.t.Helper()
	s.Stop(mode)
	s.Start()
}

// Log is what the server has written about itself.
func (s *Server) Log() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(text)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) initialize() {
	s.t.Helper()
	password := filepath.Join(s.dir, "password")
	if err := os.WriteFile(password, []byte(Password), 0o644); err != nil {
		s.t.Fatal(err)
	}
	out, err := s.command("initdb", "-D", s.data(), "--username="+role, "--pwfile="+password, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		s.t.Fatalf("initdb: %v\n%s", err, out)
	}
	settings := strings.Join([]string{
		"listen_addresses = '127.0.0.1'",
		"unix_socket_directories = ''",
		"max_connections = 200",
		"shared_buffers = '64MB'",
		"timezone = 'Asia/Kathmandu'",
		"log_timezone = 'UTC'",
	}, "\n")
	file, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(settings + "\n"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	command := exec.Command(s.Program(program), args...)
	command.Dir = s.dir
	command.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	command.SysProcAttr = s.account
	return command
}

// freePort finds a port that is free, outside the range from which connections
// take theirs, so that it is still free after a restart.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = listener.Close()
			return port
		}
	}
	t.Fatal("no port is free between 20000 and 32000")
	return 0
}

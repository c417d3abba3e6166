//go:build unix

package crash

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/certmagic"
)

func init() {
	caddy.RegisterModule(new(mortal))
}

// When, in relation to a write, the process is killed.
const (
	before = "before"
	during = "during" // as a file system leaves it: half of the value in a temporary file
	after  = "after"
)

// mortal is Caddy's file storage in a process that is killed at the n-th write.
// Its locks end with the process that holds them, so that the next one need not
// wait until they are stale.
type mortal struct {
	certmagic.FileStorage

	Writes string // file to which each write is added as a line
	DiesAt int    // 0: never
	When   string

	count atomic.Int32
	held  sync.Map // files by name of the lock
}

func (*mortal) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.storage.mortal", New: func() caddy.Module { return new(mortal) }}
}

// UnmarshalCaddyfile reads `mortal <folder> <file for writes> <n> <when>`.
func (m *mortal) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	var at string
	if !d.Next() || !d.Args(&m.Path, &m.Writes, &at, &m.When) {
		return d.ArgErr()
	}
	var err error
	m.DiesAt, err = strconv.Atoi(at)
	return err
}

func (m *mortal) CertMagicStorage() (certmagic.Storage, error) { return m, nil }

func (m *mortal) Store(ctx context.Context, key string, value []byte) error {
	return m.write("Store", key, func() error { return m.FileStorage.Store(ctx, key, value) }, func() {
		folder := filepath.Dir(m.Filename(key))
		_ = os.MkdirAll(folder, 0o700)
		_ = os.WriteFile(filepath.Join(folder, "1234567890"), value[:len(value)/2], 0o600)
	})
}

func (m *mortal) Delete(ctx context.Context, key string) error {
	return m.write("Delete", key, func() error { return m.FileStorage.Delete(ctx, key) }, func() {})
}

func (m *mortal) write(operation, key string, whole func() error, half func()) error {
	if !strings.HasPrefix(key, "qfpay_jsapi/") {
		return whole()
	}
	fatal := int(m.count.Add(1)) == m.DiesAt
	m.note(operation + " " + key)
	if fatal && m.When == before {
		die()
	}
	if fatal && m.When == during {
		half()
		die()
	}
	err := whole()
	if fatal {
		die()
	}
	return err
}

func (m *mortal) note(line string) {
	file, err := os.OpenFile(m.Writes, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(file, line)
	}
	if err != nil {
		panic(err)
	}
	_ = file.Close()
}

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func (m *mortal) Lock(ctx context.Context, name string) error {
	folder := filepath.Join(m.Path, "locks")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(folder, url.QueryEscape(name)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	for syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			_ = file.Close()
			return ctx.Err()
		}
	}
	m.held.Store(name, file)
	return nil
}

func (m *mortal) Unlock(_ context.Context, name string) error {
	file, held := m.held.LoadAndDelete(name)
	if !held {
		return fmt.Errorf("%s is not locked", name)
	}
	return file.(*os.File).Close()
}

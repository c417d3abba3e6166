package qfpayjsapi

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/certmagic"
)

func init() {
	caddy.RegisterModule(new(troubledStorage))
}

// troubledStorage is Caddy's file storage as a module that closes with its
// configuration, as Redis does, and that has the troubles that a test chooses.
type troubledStorage struct {
	Root string `json:"root,omitempty"`

	*certmagic.FileStorage
	closed  atomic.Bool
	trouble *trouble
}

func (*troubledStorage) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.storage.troubled", New: func() caddy.Module { return new(troubledStorage) }}
}

func (s *troubledStorage) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	if !d.Next() || !d.Args(&s.Root) {
		return d.ArgErr()
	}
	return nil
}

func (s *troubledStorage) Provision(caddy.Context) error {
	s.FileStorage = &certmagic.FileStorage{Path: s.Root}
	s.trouble = troubleAt(s.Root)
	return nil
}

func (s *troubledStorage) Cleanup() error {
	s.closed.Store(true)
	return nil
}

func (s *troubledStorage) CertMagicStorage() (certmagic.Storage, error) { return s, nil }

var errClosed = errors.New("the storage is closed")

// trouble is what happens to the operations on one folder.
type trouble struct {
	mu     sync.Mutex
	before func(ctx context.Context, operation, key string) error
	listed func(keys []string, err error) ([]string, error)
}

var troubles sync.Map // by root

func troubleAt(root string) *trouble {
	at, _ := troubles.LoadOrStore(root, new(trouble))
	return at.(*trouble)
}

// with sets what happens before each operation; an error is its outcome.
func (t *trouble) with(before func(ctx context.Context, operation, key string) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before = before
}

// withLists sets what becomes of the outcome of a listing.
func (t *trouble) withLists(listed func([]string, error) ([]string, error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.listed = listed
}

// over ends all trouble.
func (t *trouble) over() {
	t.with(nil)
	t.withLists(nil)
}

func (s *troubledStorage) meet(ctx context.Context, operation, key string) error {
	if s.closed.Load() {
		return errClosed
	}
	s.trouble.mu.Lock()
	before := s.trouble.before
	s.trouble.mu.Unlock()
	if before == nil || !strings.Contains(key, "qfpay_jsapi") {
		return nil
	}
	return before(ctx, operation, key)
}

func (s *troubledStorage) Store(ctx context.Context, key string, value []byte) error {
	if err := s.meet(ctx, "Store", key); err != nil {
		return err
	}
	return s.FileStorage.Store(ctx, key, value)
}

func (s *troubledStorage) Load(ctx context.Context, key string) ([]byte, error) {
	if err := s.meet(ctx, "Load", key); err != nil {
		return nil, err
	}
	return s.FileStorage.Load(ctx, key)
}

func (s *troubledStorage) Delete(ctx context.Context, key string) error {
	if err := s.meet(ctx, "Delete", key); err != nil {
		return err
	}
	return s.FileStorage.Delete(ctx, key)
}

func (s *troubledStorage) List(ctx context.Context, prefix string, recursive bool) ([]string, error) {
	if err := s.meet(ctx, "List", prefix); err != nil {
		return nil, err
	}
	keys, err := s.FileStorage.List(ctx, prefix, recursive)
	s.trouble.mu.Lock()
	defer s.trouble.mu.Unlock()
	if s.trouble.listed != nil {
		return s.trouble.listed(keys, err)
	}
	return keys, err
}

func (s *troubledStorage) Lock(ctx context.Context, name string) error {
	if err := s.meet(ctx, "Lock", name); err != nil {
		return err
	}
	return s.FileStorage.Lock(ctx, name)
}

func (s *troubledStorage) Unlock(ctx context.Context, name string) error {
	if s.closed.Load() {
		return errClosed
	}
	return s.FileStorage.Unlock(ctx, name)
}

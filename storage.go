package qfpayjsapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// lastingStorage outlives the configuration that loaded it. Some storages,
// Redis among them, close when their configuration ends, while a payment that
// came in with it is still under way: what that has to remember then goes to
// the storage of the configuration that follows.
type lastingStorage struct {
	certmagic.Storage
	config  context.Context // of the configuration that loaded it
	account *account
	shared  bool     // it is the one that Caddy itself uses
	held    sync.Map // locks by name, and the storage that gave them
}

// openStorage loads the handler's storage and makes it known to those that may
// have to take over from it, or it from them.
func (h *Handler) openStorage(ctx caddy.Context) (*lastingStorage, error) {
	lasting := &lastingStorage{config: ctx, account: h.account, shared: h.StorageRaw == nil}
	var err error
	if lasting.Storage, err = h.loadStorage(ctx); err != nil {
		return nil, err
	}
	h.account.storages.add(lasting)
	return lasting, nil
}

func (h *Handler) loadStorage(ctx caddy.Context) (certmagic.Storage, error) {
	if h.StorageRaw == nil {
		return ctx.Storage(), nil
	}
	module, err := ctx.LoadModule(h, "StorageRaw")
	if err != nil {
		return nil, err
	}
	return module.(caddy.StorageConverter).CertMagicStorage()
}

// String says which storage it is, for people.
func (s *lastingStorage) String() string {
	if named, ok := s.Storage.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("%T", s.Storage)
}

// current is the storage to use now.
func (s *lastingStorage) current() certmagic.Storage {
	if s.config.Err() == nil {
		return s.Storage
	}
	if heir := s.account.storages.newest(); heir != nil {
		return heir
	}
	if active := caddy.ActiveContext(); s.shared && active.Context != nil {
		return active.Storage()
	}
	return s.Storage
}

// do uses the current storage, and once more the next one if the configuration
// ended meanwhile.
func (s *lastingStorage) do(use func(certmagic.Storage) error) error {
	storage := s.current()
	err := use(storage)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if next := s.current(); next != storage {
		return use(next)
	}
	return err
}

// Store implements certmagic.Storage.
func (s *lastingStorage) Store(ctx context.Context, key string, value []byte) error {
	return s.do(func(storage certmagic.Storage) error { return storage.Store(ctx, key, value) })
}

// Load implements certmagic.Storage.
func (s *lastingStorage) Load(ctx context.Context, key string) (value []byte, err error) {
	err = s.do(func(storage certmagic.Storage) (err error) {
		value, err = storage.Load(ctx, key)
		return err
	})
	return value, err
}

// Exists implements certmagic.Storage.
func (s *lastingStorage) Exists(ctx context.Context, key string) bool {
	return s.current().Exists(ctx, key)
}

// Delete implements certmagic.Storage.
func (s *lastingStorage) Delete(ctx context.Context, key string) error {
	return s.do(func(storage certmagic.Storage) error { return storage.Delete(ctx, key) })
}

// List implements certmagic.Storage.
func (s *lastingStorage) List(ctx context.Context, folder string, recursive bool) (keys []string, err error) {
	err = s.do(func(storage certmagic.Storage) (err error) {
		keys, err = storage.List(ctx, folder, recursive)
		return err
	})
	return keys, err
}

// Lock implements certmagic.Storage.
func (s *lastingStorage) Lock(ctx context.Context, name string) error {
	return s.do(func(storage certmagic.Storage) error {
		err := storage.Lock(ctx, name)
		if err == nil {
			s.held.Store(name, storage)
		}
		return err
	})
}

// Unlock implements certmagic.Storage.
func (s *lastingStorage) Unlock(ctx context.Context, name string) error {
	storage, held := s.held.LoadAndDelete(name)
	if !held {
		return s.Storage.Unlock(ctx, name)
	}
	return storage.(certmagic.Storage).Unlock(ctx, name)
}

// storeLimit bounds how long a request waits for storage alone.
const storeLimit = 10 * time.Second

// storageWait is when whoever is told that storage is down may try again.
const storageWait = 5 * time.Second

// find reads an order for a request.
func (h *Handler) find(r *http.Request, order string) (ledger.Order, error) {
	ctx, cancel := context.WithTimeout(r.Context(), storeLimit)
	defer cancel()
	return h.ledger.FindOrEntered(ctx, order)
}

// storages are those of all handlers of one account.
type storages struct {
	mu  sync.Mutex
	all []*lastingStorage
}

func (s *storages) add(storage *lastingStorage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, storage)
}

func (s *storages) remove(storage *lastingStorage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(other *lastingStorage) bool { return other == storage })
}

// newest is the one whose configuration was loaded last and has not ended; nil
// if there is none.
func (s *storages) newest() certmagic.Storage {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, storage := range slices.Backward(s.all) {
		if storage.config.Err() == nil {
			return storage.Storage
		}
	}
	return nil
}

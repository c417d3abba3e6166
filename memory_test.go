package qfpayjsapi

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

// memory is a storage that several nodes share, without a disk or a network
// that would cost time.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	locks  map[string]chan struct{} // closed when the lock is released

	// impatient is when nobody waits for a lock: whoever holds it stands still.
	impatient bool
}

func newMemory() *memory {
	return &memory{values: map[string][]byte{}, locks: map[string]chan struct{}{}}
}

func (m *memory) Lock(ctx context.Context, name string) error {
	for {
		m.mu.Lock()
		released, held := m.locks[name]
		if !held {
			m.locks[name] = make(chan struct{})
			m.mu.Unlock()
			return nil
		}
		impatient := m.impatient
		m.mu.Unlock()
		if impatient {
			return context.DeadlineExceeded
		}
		select {
		case <-released:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// standStill says whether somebody stands still who may hold locks.
func (m *memory) standStill(impatient bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.impatient = impatient
}

func (m *memory) Unlock(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	released, held := m.locks[name]
	if !held {
		return fs.ErrNotExist
	}
	delete(m.locks, name)
	close(released)
	return nil
}

func (m *memory) Store(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = slices.Clone(value)
	return nil
}

func (m *memory) Load(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[key]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(value), nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

func (m *memory) Exists(_ context.Context, key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.values[key]
	return ok
}

// List returns what lies right below a folder, or with recursive all below it.
// As on some storages, nothing lies in a folder that does not exist.
func (m *memory) List(_ context.Context, folder string, recursive bool) ([]string, error) {
	below := map[string]struct{}{}
	for _, key := range m.keys() {
		rest, inside := strings.CutPrefix(key, folder+"/")
		if !inside {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); deeper && !recursive {
			rest = name
		}
		below[folder+"/"+rest] = struct{}{}
	}
	return slices.Sorted(maps.Keys(below)), nil
}

func (m *memory) Stat(_ context.Context, key string) (certmagic.KeyInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.values[key]
	if !ok {
		return certmagic.KeyInfo{}, fs.ErrNotExist
	}
	return certmagic.KeyInfo{Key: key, Modified: time.Now(), Size: int64(len(value)), IsTerminal: true}, nil
}

// keys are all that hold a value.
func (m *memory) keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.values))
}

// disk is the memory as one node reaches it: a write may fail, and the node
// may die over it.
type disk struct {
	*memory
	moment func() // something else may happen before and after every write

	mu     sync.Mutex
	held   map[string]struct{} // locks
	mishap *mishap
	dead   bool
}

// mishap is what befalls one of the next writes.
type mishap struct {
	writes int  // that still go well before it
	late   bool // the write has taken effect
	deadly bool // the node dies; otherwise the write reports an error
}

var (
	errWrite = errors.New("the disk is out of order")
	errDied  = errors.New("the node died")
)

func newDisk(shared *memory, moment func()) *disk {
	return &disk{memory: shared, moment: moment, held: map[string]struct{}{}}
}

// arrange plans a mishap; nil calls it off.
func (d *disk) arrange(planned *mishap) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mishap = planned
}

func (d *disk) Store(ctx context.Context, key string, value []byte) error {
	return d.write(func() error { return d.memory.Store(ctx, key, value) })
}

func (d *disk) Delete(ctx context.Context, key string) error {
	return d.write(func() error { return d.memory.Delete(ctx, key) })
}

func (d *disk) Load(ctx context.Context, key string) ([]byte, error) {
	d.live()
	return d.memory.Load(ctx, key)
}

func (d *disk) List(ctx context.Context, folder string, recursive bool) ([]string, error) {
	d.live()
	return d.memory.List(ctx, folder, recursive)
}

func (d *disk) Lock(ctx context.Context, name string) error {
	d.live()
	if err := d.memory.Lock(ctx, name); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[name] = struct{}{}
	return nil
}

// Unlock does nothing for a dead node: its locks became stale when it died.
func (d *disk) Unlock(ctx context.Context, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, held := d.held[name]; !held {
		return nil
	}
	delete(d.held, name)
	return d.memory.Unlock(ctx, name)
}

func (d *disk) write(effect func() error) error {
	d.live()
	d.moment()
	planned := d.due()
	if planned != nil && !planned.late {
		return d.suffer(*planned)
	}
	err := effect()
	if planned != nil {
		return d.suffer(*planned)
	}
	d.moment()
	return err
}

// due counts a write and returns the mishap that befalls it, if any.
func (d *disk) due() *mishap {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mishap == nil {
		return nil
	}
	if d.mishap.writes > 0 {
		d.mishap.writes--
		return nil
	}
	planned := d.mishap
	d.mishap = nil
	return planned
}

func (d *disk) suffer(m mishap) error {
	if !m.deadly {
		return errWrite
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	for name := range d.held {
		_ = d.memory.Unlock(context.Background(), name)
	}
	clear(d.held)
	panic(errDied)
}

// live stops whoever still works on a node that has died meanwhile.
func (d *disk) live() {
	if d.isDead() {
		panic(errDied)
	}
}

func (d *disk) isDead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dead
}

// Package ledger remembers orders on Caddy's storage. An order is a folder of
// facts that are written once and never changed; what state the order is in
// follows from which facts are present. There is no value that is read,
// changed and written back, because storage offers no compare-and-swap.
package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/oklog/ulid/v2"
)

// ErrUnknown says that the ledger holds no intent for an order.
var ErrUnknown = errors.New("unknown order")

// Ledger is the memory of one merchant account.
type Ledger struct {
	storage certmagic.Storage
	root    string
}

// New returns the ledger called name on storage. The name is one segment of
// the storage keys; see [ValidName].
func New(storage certmagic.Storage, name string) *Ledger {
	return &Ledger{storage: storage, root: path.Join("qfpay_jsapi", name)}
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$`)

// ValidName reports whether name can be a segment of a storage key on every
// backend: 1 to 64 of A-Z a-z 0-9 _ . - and no dot in front.
func ValidName(name string) bool { return validName.MatchString(name) }

// Begin remembers that an order is about to be payable. The order is put on
// the index of open orders first, so that no intent exists that the index
// does not lead to.
func (l *Ledger) Begin(ctx context.Context, order string, intent Intent) error {
	if err := l.storage.Store(ctx, l.openKey(order), []byte("{}")); err != nil {
		return fmt.Errorf("opening order %s: %w", order, err)
	}
	return l.Record(ctx, order, intent)
}

// Record adds a fact to an order. Adding it again is harmless.
func (l *Ledger) Record(ctx context.Context, order string, fact Fact) error {
	value, err := json.Marshal(fact)
	if err != nil {
		return fmt.Errorf("writing %s of order %s: %w", fact.name(), order, err)
	}
	key, err := l.factKey(order, fact.name())
	if err != nil {
		return err
	}
	if err := l.storage.Store(ctx, key, value); err != nil {
		return fmt.Errorf("writing %s of order %s: %w", fact.name(), order, err)
	}
	return nil
}

// Finish takes an order off the index of open orders: nothing is left to do.
func (l *Ledger) Finish(ctx context.Context, order string) error {
	err := l.storage.Delete(ctx, l.openKey(order))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("finishing order %s: %w", order, err)
	}
	return nil
}

// Find returns what is known of an order. The error is [ErrUnknown] when the
// order has no intent. Facts are loaded by their names, never listed: the cost
// does not depend on how many orders there are.
func (l *Ledger) Find(ctx context.Context, order string) (Order, error) {
	found := Order{ID: order}
	present, err := l.load(ctx, order, &found.Intent)
	if err != nil {
		return Order{}, err
	}
	if !present {
		return Order{}, ErrUnknown
	}
	if found.Prepared, err = loadOptional[Prepared](ctx, l, order); err != nil {
		return Order{}, err
	}
	if found.Paid, err = loadOptional[Paid](ctx, l, order); err != nil {
		return Order{}, err
	}
	if found.Failed, err = loadOptional[Failed](ctx, l, order); err != nil {
		return Order{}, err
	}
	return found, nil
}

// Lock keeps other nodes from doing the same work on an order until unlock is
// called. Correctness must not depend on it: locks of storages may slip.
func (l *Ledger) Lock(ctx context.Context, order string) (unlock func(), err error) {
	name := path.Join(l.root, "lock", order)
	if err := l.storage.Lock(ctx, name); err != nil {
		return nil, fmt.Errorf("locking order %s: %w", order, err)
	}
	return func() {
		_ = l.storage.Unlock(context.WithoutCancel(ctx), name)
	}, nil
}

func loadOptional[F Fact](ctx context.Context, l *Ledger, order string) (*F, error) {
	fact := new(F)
	present, err := l.load(ctx, order, fact)
	if err != nil || !present {
		return nil, err
	}
	return fact, nil
}

func (l *Ledger) load(ctx context.Context, order string, fact any) (present bool, err error) {
	name := fact.(Fact).name()
	key, err := l.factKey(order, name)
	if err != nil {
		return false, err
	}
	value, err := l.storage.Load(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading %s of order %s: %w", name, order, err)
	}
	if err := json.Unmarshal(value, fact); err != nil {
		return false, fmt.Errorf("%s of order %s is damaged in storage: %w", name, order, err)
	}
	return true, nil
}

func (l *Ledger) openKey(order string) string {
	return path.Join(l.root, "open", order)
}

// factKey places an order in a folder of its day, which follows from its id,
// so that an order is found by id alone and a day's orders lie together.
func (l *Ledger) factKey(order, fact string) (string, error) {
	id, err := ulid.ParseStrict(order)
	if err != nil || id.String() != order {
		return "", fmt.Errorf("%q is no order id: %w", order, ErrUnknown)
	}
	day := ulid.Time(id.Time()).In(shopDays).Format("2006/01/02")
	return path.Join(l.root, "orders", day, order, fact+".json"), nil
}

// shopDays is the zone by which orders are filed and in which the gateway
// keeps its books: UTC+8.
var shopDays = time.FixedZone("UTC+8", 8*60*60)

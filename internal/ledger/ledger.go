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
	"slices"
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

// Begin makes the intent of an order one of its facts. The order must have been
// put on the index of open orders before, by [Ledger.Enter], so that no intent
// exists that the index does not lead to. If another node has taken it off
// meanwhile, by [Ledger.Withdraw], it returns there.
func (l *Ledger) Begin(ctx context.Context, order string, intent Intent) error {
	return l.begin(ctx, order, intent)
}

// Prepare is [Ledger.Begin] for an order that the gateway has taken: the intent
// and that become facts in one write, for which a payer waits.
func (l *Ledger) Prepare(ctx context.Context, order string, intent Intent, prepared Prepared) error {
	prepared.Intent = &intent
	return l.begin(ctx, order, prepared)
}

func (l *Ledger) begin(ctx context.Context, order string, first Fact) error {
	if err := l.Record(ctx, order, first); err != nil || l.storage.Exists(ctx, l.openKey(order)) {
		return err
	}
	return l.Reopen(ctx, order)
}

// Record adds a fact to an order. Adding it again is harmless.
func (l *Ledger) Record(ctx context.Context, order string, fact Fact) error {
	folder, err := l.orderFolder(order)
	if err != nil {
		return err
	}
	return l.store(ctx, path.Join(folder, fact.name()+".json"), fact)
}

// Find returns what is known of an order. The error is [ErrUnknown] when the
// order has no intent. Only the order's own folder is listed: the cost does not
// depend on how many orders there are.
func (l *Ledger) Find(ctx context.Context, order string) (Order, error) {
	folder, err := l.orderFolder(order)
	if err != nil {
		return Order{}, err
	}
	history, err := l.gather(ctx, folder, countsInStatus)
	if err != nil {
		return Order{}, err
	}
	found, err := history.Order(order)
	if err != nil && !errors.Is(err, ErrUnknown) {
		err = fmt.Errorf("the facts of %s: %w", order, err)
	}
	return found, err
}

// Try does to a key of its own what is done to orders: it writes, reads, lists
// and deletes it, and takes and gives back a lock.
func (l *Ledger) Try(ctx context.Context) error {
	unlock, err := l.Lock(ctx, "try")
	if err != nil {
		return err
	}
	defer unlock()
	name := ulid.Make().String()
	key := path.Join(l.root, "try", name)
	if err := l.store(ctx, key, name); err != nil {
		return err
	}
	var read string
	present, err := load(ctx, l.storage, key, &read)
	if err != nil {
		return err
	}
	keys, err := l.list(ctx, path.Join(l.root, "try"))
	if err != nil {
		return err
	}
	listed := slices.ContainsFunc(keys, func(k string) bool { return path.Base(k) == name })
	if !present || read != name || !listed {
		return errors.New("the storage does not give back what was just written")
	}
	return l.remove(ctx, key)
}

// Lock keeps other nodes from doing the same work on a subject until unlock is
// called. Correctness must not depend on it: locks of storages may slip.
func (l *Ledger) Lock(ctx context.Context, subject string) (unlock func(), err error) {
	name := path.Join(l.root, "lock", subject)
	if err := l.storage.Lock(ctx, name); err != nil {
		return nil, fmt.Errorf("locking %s: %w", subject, err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockLimit)
		defer cancel()
		_ = l.storage.Unlock(ctx, name)
	}, nil
}

// unlockLimit bounds an unlocking that goes on after the work was given up.
const unlockLimit = 5 * time.Second

func (l *Ledger) store(ctx context.Context, key string, fact any) error {
	value, err := json.Marshal(fact)
	if err == nil {
		err = l.storage.Store(ctx, key, value)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	return nil
}

func load(ctx context.Context, storage certmagic.Storage, key string, fact any) (present bool, err error) {
	value, err := loadText(ctx, storage, key)
	if value == nil || err != nil {
		return false, err
	}
	if err := json.Unmarshal(value, fact); err != nil {
		return false, fmt.Errorf("%s is damaged: %w", key, err)
	}
	return true, nil
}

// loadText returns neither text nor an error for a key that does not exist.
func loadText(ctx context.Context, storage certmagic.Storage, key string) (text []byte, err error) {
	text, err = storage.Load(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", key, err)
	case text == nil:
		return []byte{}, nil
	}
	return text, nil
}

// orderFolder places an order in a folder of its day, which follows from its
// id, so that an order is found by id alone and a day's orders lie together.
func (l *Ledger) orderFolder(order string) (string, error) {
	if !validOrder(order) {
		return "", fmt.Errorf("%q is no order id: %w", order, ErrUnknown)
	}
	day := ulid.Time(ulid.MustParse(order).Time()).In(shopDays).Format("2006/01/02")
	return path.Join(l.root, "orders", day, order), nil
}

// shopDays is the zone by which orders are filed and in which the gateway
// keeps its books: UTC+8.
var shopDays = time.FixedZone("UTC+8", 8*60*60)

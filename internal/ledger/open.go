package ledger

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// orphanMark stands before an orphan's number on the index of open orders, on
// which it stays until the shop has been told.
const orphanMark = "orphan."

// openEntry is what the index holds of an order.
type openEntry struct {
	// Asked is when a node last asked the gateway about the order. It is a hint
	// that keeps nodes from asking twice, and may be lost.
	Asked time.Time `json:"asked,omitzero"`

	// Intent is that of an order whose payment is just being asked for. It is
	// here until it stands among the order's facts.
	Intent *Intent `json:"intent,omitempty"`
}

// Enter puts an order on the index that is about to be made payable. It keeps
// the intent there, so that the order can be followed to its end by whoever
// finds the entry, should this node stop before the intent is a fact.
func (l *Ledger) Enter(ctx context.Context, order string, intent Intent) error {
	return l.store(ctx, l.openKey(order), openEntry{Intent: &intent})
}

// Entered returns the intent with which an order was put on the index; nil if
// it is not there, or is there for another reason.
func (l *Ledger) Entered(ctx context.Context, order string) (*Intent, error) {
	if !validOrder(order) {
		return nil, nil
	}
	var entry openEntry
	_, err := load(ctx, l.storage, l.openKey(order), &entry)
	return entry.Intent, err
}

// Reopen puts an order on the index of open orders: something is left to do.
func (l *Ledger) Reopen(ctx context.Context, subject string) error {
	return l.store(ctx, l.openKey(subject), openEntry{})
}

// FindOrEntered is [Ledger.Find] that also knows orders without facts that were
// entered.
func (l *Ledger) FindOrEntered(ctx context.Context, order string) (Order, error) {
	found, err := l.Find(ctx, order)
	if !errors.Is(err, ErrUnknown) {
		return found, err
	}
	intent, err := l.Entered(ctx, order)
	if err == nil && intent == nil {
		err = ErrUnknown
	}
	if err != nil {
		return Order{}, err
	}
	return Order{ID: order, Intent: *intent, Entered: true}, nil
}

// Withdraw takes an order off the index that was entered and not begun. If
// another node has begun it, it stays: that node looks at the index after
// writing the intent, this one for the intent after writing the index.
func (l *Ledger) Withdraw(ctx context.Context, order string) error {
	if err := l.remove(ctx, l.openKey(order)); err != nil {
		return err
	}
	if _, err := l.Find(ctx, order); errors.Is(err, ErrUnknown) {
		return nil
	}
	return l.Reopen(ctx, order)
}

// TakeTurn claims the right to ask the gateway about an open order now. Over
// all nodes one asks at a time, and none within interval of the last. Whoever
// has the turn calls done after asking.
func (l *Ledger) TakeTurn(ctx context.Context, order string, now time.Time, interval time.Duration) (done func(), ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	unlock, err := l.Lock(ctx, "ask-"+order)
	if err != nil {
		return nil, false, err
	}
	var entry openEntry
	if _, err = load(ctx, l.storage, l.openKey(order), &entry); err == nil && now.Sub(entry.Asked).Abs() >= interval {
		err = l.store(ctx, l.openKey(order), openEntry{Asked: now.UTC()})
		ok = err == nil
	}
	if !ok {
		unlock()
		return nil, false, err
	}
	return unlock, true, nil
}

// turnLimit bounds how long a node waits while another one asks.
const turnLimit = 3 * time.Second

// Finish takes an order or orphan off the index of which this much is known: then
// nothing is left to do. News that are not among it keep it there.
func (l *Ledger) Finish(ctx context.Context, subject string, known History) error {
	if err := l.undigest(ctx, subject); err != nil {
		return err
	}
	for _, fact := range slices.Sorted(maps.Keys(known)) {
		if isMark(fact) || fact == "intent" || fact == "prepared" { // which are never news
			continue
		}
		if err := l.remove(ctx, l.newsKey(News{subject, fact})); err != nil {
			return err
		}
	}
	return l.remove(ctx, l.openKey(subject))
}

func (l *Ledger) remove(ctx context.Context, key string) error {
	if err := l.storage.Delete(ctx, key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing %s: %w", key, err)
	}
	return nil
}

// Open returns the index: the orders and orphans with which something is left
// to do. Its cost follows from their number alone.
func (l *Ledger) Open(ctx context.Context) (subjects []string, err error) {
	subjects, _, err = l.Index(ctx)
	return subjects, err
}

// Index returns what [Ledger.Open] does, and the news of them.
func (l *Ledger) Index(ctx context.Context) (subjects []string, news []News, err error) {
	for n := range uint32(indexFolders) {
		keys, err := l.list(ctx, l.openFolder(n))
		if err != nil {
			return nil, nil, fmt.Errorf("listing the open orders: %w", err)
		}
		for _, key := range keys {
			name := path.Base(key)
			if order, fact, ok := strings.Cut(name, "."); ok && validOrder(order) {
				news = append(news, News{order, fact})
				name = order
			}
			if isSubject(name) {
				subjects = append(subjects, name)
			}
		}
	}
	slices.Sort(subjects)
	return slices.Compact(subjects), news, nil
}

// isSubject tells entries of the index from temporary files of the storage.
func isSubject(name string) bool {
	if number, orphan := strings.CutPrefix(name, orphanMark); orphan {
		return plainSegment.MatchString(number) && !strings.Contains(number, ".")
	}
	return validOrder(name)
}

// indexFolders is in how many folders the index lies, so that those who write
// into it at once seldom wait for one another: a file system makes and removes
// the files of one folder one after the other. Their number is fixed and each is
// listed by its name, because a storage that forgets empty folders, as Redis
// does, may forget one that somebody is just writing into.
const indexFolders = 16

func (l *Ledger) openKey(subject string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(subject))
	return path.Join(l.openFolder(hash.Sum32()%indexFolders), subject)
}

func (l *Ledger) openFolder(n uint32) string {
	return path.Join(l.root, "open", strconv.FormatUint(uint64(n), 16))
}

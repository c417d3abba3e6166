package ledger

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"
)

// Day is a day of the shop, in UTC+8.
type Day struct{ start time.Time }

// DayOf returns the day on which t lies.
func DayOf(t time.Time) Day {
	year, month, day := t.In(shopDays).Date()
	return Day{time.Date(year, month, day, 0, 0, 0, 0, shopDays)}
}

// ParseDay reads a day written as 2026-11-23.
func ParseDay(text string) (Day, error) {
	start, err := time.ParseInLocation(time.DateOnly, text, shopDays)
	if err != nil {
		return Day{}, fmt.Errorf("%q is not a day such as 2026-11-23", text)
	}
	return Day{start}, nil
}

// String writes the day as 2026-11-23.
func (d Day) String() string { return d.start.Format(time.DateOnly) }

// Next and Previous are the days beside d.
func (d Day) Next() Day     { return Day{d.start.AddDate(0, 0, 1)} }
func (d Day) Previous() Day { return Day{d.start.AddDate(0, 0, -1)} }

// Before reports whether d is before another day.
func (d Day) Before(other Day) bool { return d.start.Before(other.start) }

// Start is when the day begins.
func (d Day) Start() time.Time { return d.start }

func (d Day) path() string { return d.start.Format("2006/01/02") }

// Period is the days from First to Last, both included.
type Period struct {
	First, Last Day
	Descending  bool // the last day first
}

// Days yields the days of a period in its order.
func (p Period) Days() iter.Seq[Day] {
	return func(yield func(Day) bool) {
		from, next := p.First, Day.Next
		if p.Descending {
			from, next = p.Last, Day.Previous
		}
		for day := from; !day.Before(p.First) && !p.Last.Before(day) && yield(day); day = next(day) {
		}
	}
}

// Calendar tells what happened on a day.
type Calendar struct {
	ledger *Ledger
	open   map[string]bool
	now    time.Time
}

// Calendar returns that of the ledger. The time now tells which days are over.
func (l *Ledger) Calendar(ctx context.Context, now time.Time) (Calendar, error) {
	open, err := l.openDays(ctx)
	return Calendar{l, open, now}, err
}

// isFinal reports whether nothing more is going to happen on a day, unless the
// index says so first.
func (c Calendar) isFinal(day Day) bool {
	return !c.open[day.path()] && c.now.After(day.Next().start.Add(digestAge))
}

// Rows returns the orders of a day, in the order in which they were started.
func (c Calendar) Rows(ctx context.Context, day Day) ([]Row, error) {
	return c.ledger.day(ctx, day, c.isFinal(day))
}

// Sums returns what the orders of a day come to, by currency.
func (c Calendar) Sums(ctx context.Context, day Day) ([]Sum, error) {
	if c.isFinal(day) {
		if sums, ok := digested[Sum](ctx, c.ledger, c.ledger.sumsKey(day)); ok {
			return sums, nil
		}
	}
	rows, err := c.Rows(ctx, day)
	return SumsOf(rows), err
}

// openDays are the days with orders on the index: they may change any moment.
func (l *Ledger) openDays(ctx context.Context) (map[string]bool, error) {
	subjects, err := l.Open(ctx)
	if err != nil {
		return nil, err
	}
	days := make(map[string]bool)
	for _, subject := range subjects {
		if id, err := ulid.ParseStrict(subject); err == nil {
			days[DayOf(ulid.Time(id.Time())).path()] = true
		}
	}
	return days, nil
}

// day returns the rows of a day: from its digest if the day is over, nothing of
// it is open and there is one, else from the facts.
func (l *Ledger) day(ctx context.Context, day Day, final bool) ([]Row, error) {
	if final {
		if rows, ok := digested[Row](ctx, l, l.digestKey(day)); ok {
			return rows, nil
		}
	}
	keys, err := l.tree(ctx, l.dayFolder(day))
	if err != nil {
		return nil, fmt.Errorf("listing the orders of %s: %w", day, err)
	}
	rows, whole, err := l.rows(ctx, day, keys)
	if err != nil {
		return nil, err
	}
	if final && whole {
		l.digest(ctx, day, keys, rows)
	}
	return rows, nil
}

// rowReaders bounds how many orders are read at once.
const rowReaders = 16

// rows reads the orders of a day. They are whole unless a fact was listed and
// could not be read.
func (l *Ledger) rows(ctx context.Context, day Day, keys []string) (rows []Row, whole bool, err error) {
	all := sheaves(keys)
	slices.SortFunc(all, func(a, b sheaf) int { return strings.Compare(a.order, b.order) })
	rows = make([]Row, len(all))
	partial := make([]bool, len(all))
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(rowReaders)
	for i, sheaf := range all {
		readers.Go(func() (err error) {
			rows[i], partial[i], err = l.row(ctx, path.Join(l.dayFolder(day), sheaf.order), sheaf)
			return err
		})
	}
	if err := readers.Wait(); err != nil {
		return nil, false, err
	}
	rows = slices.DeleteFunc(rows, func(r Row) bool { return r.Order == "" }) // those without an intent
	return rows, !slices.Contains(partial, true), nil
}

// row reads what a list says of an order. Most of it follows from the names of
// its facts.
func (l *Ledger) row(ctx context.Context, folder string, facts sheaf) (row Row, partial bool, err error) {
	history := make(History)
	for _, name := range facts.names {
		if !isReadForRows(name) {
			history[name] = nil
			continue
		}
		fact, err := l.loadListed(ctx, path.Join(folder, name+".json"))
		if err != nil {
			return Row{}, false, err
		}
		if fact == nil {
			partial = true
			continue
		}
		history[name] = fact
	}
	order, err := history.Order(facts.order)
	if errors.Is(err, ErrUnknown) {
		return Row{}, partial, nil
	}
	if err != nil {
		return Row{}, partial, err
	}
	row, err = order.Row(history)
	return row, partial, err
}

// isReadForRows reports whether lists need more of a fact than its name.
func isReadForRows(name string) bool {
	return name == "intent" || name == "prepared" || name == "paid" || strings.HasPrefix(name, "refund-") ||
		strings.HasPrefix(name, "refunding-") || strings.HasPrefix(name, "refused-")
}

// digest is the rows of a day that is over, or their sums. It is no fact but a
// copy, made for speed: an order that comes off the index takes the digests of
// its day along, and the next list makes them anew.
type digest[T any] struct {
	Version int `json:"version"`
	Rows    []T `json:"rows"`
}

const (
	digestVersion = 2
	digestMost    = 50_000    // rows; days with more are read from the facts
	digestAge     = time.Hour // after the end of a day
	digestLimit   = 30 * time.Second
)

func digested[T any](ctx context.Context, l *Ledger, key string) (rows []T, ok bool) {
	var kept digest[T]
	present, err := load(ctx, l.storage, key, &kept)
	return kept.Rows, err == nil && present && kept.Version == digestVersion
}

// digest keeps the rows of a day, and takes them back if anything happened to
// the day's orders meanwhile. Once begun, it goes on when nobody waits any more.
func (l *Ledger) digest(ctx context.Context, day Day, keys []string, rows []Row) {
	if len(rows) > digestMost || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), digestLimit)
	defer cancel()
	storeErr := l.store(ctx, l.sumsKey(day), digest[Sum]{digestVersion, SumsOf(rows)})
	if storeErr == nil {
		storeErr = l.store(ctx, l.digestKey(day), digest[Row]{digestVersion, rows})
	}
	open, err := l.openDays(ctx)
	again, listErr := l.tree(ctx, l.dayFolder(day))
	if storeErr != nil || err != nil || listErr != nil || open[day.path()] || fingerprint(keys) != fingerprint(again) {
		_ = l.insist(ctx, func() error { return l.removeDigests(ctx, day) })
	}
}

// undigest takes the digests of an order's day away.
func (l *Ledger) undigest(ctx context.Context, subject string) error {
	id, err := ulid.ParseStrict(subject)
	if err != nil {
		return nil // an orphan
	}
	return l.removeDigests(ctx, DayOf(ulid.Time(id.Time())))
}

func (l *Ledger) removeDigests(ctx context.Context, day Day) error {
	return errors.Join(l.remove(ctx, l.digestKey(day)), l.remove(ctx, l.sumsKey(day)))
}

func fingerprint(keys []string) uint64 {
	hash := fnv.New64a()
	for _, key := range slices.Sorted(slices.Values(keys)) {
		_, _ = hash.Write([]byte(key + "\x00"))
	}
	return hash.Sum64()
}

func (l *Ledger) dayFolder(day Day) string { return path.Join(l.root, "orders", day.path()) }
func (l *Ledger) digestKey(day Day) string { return path.Join(l.root, "days", day.path()+".json") }
func (l *Ledger) sumsKey(day Day) string   { return path.Join(l.root, "days", day.path()+".sums.json") }

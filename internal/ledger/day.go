package ledger

import (
	"context"
	"encoding/json"
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

// Days yields the orders of a period a day at a time. Within a day, they are in
// the order in which they were started. The time now tells which days are over.
func (l *Ledger) Days(ctx context.Context, period Period, now time.Time) iter.Seq2[[]Row, error] {
	return func(yield func([]Row, error) bool) {
		open, err := l.openDays(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		from, next := period.First, Day.Next
		if period.Descending {
			from, next = period.Last, Day.Previous
		}
		for day := from; !day.Before(period.First) && !period.Last.Before(day); day = next(day) {
			final := !open[day.path()] && now.After(day.Next().start.Add(digestAge))
			rows, err := l.day(ctx, day, final)
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
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
		if rows, ok := l.digested(ctx, day); ok {
			return rows, nil
		}
	}
	keys, err := l.tree(ctx, l.dayFolder(day))
	if err != nil {
		return nil, fmt.Errorf("listing the orders of %s: %w", day, err)
	}
	rows, err := l.rows(ctx, day, keys)
	if err != nil {
		return nil, err
	}
	if final {
		l.digest(ctx, day, keys, rows)
	}
	return rows, nil
}

// rowReaders bounds how many orders are read at once.
const rowReaders = 16

func (l *Ledger) rows(ctx context.Context, day Day, keys []string) ([]Row, error) {
	all := sheaves(keys)
	slices.SortFunc(all, func(a, b sheaf) int { return strings.Compare(a.order, b.order) })
	rows := make([]Row, len(all))
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(rowReaders)
	for i, sheaf := range all {
		readers.Go(func() (err error) {
			rows[i], err = l.row(ctx, path.Join(l.dayFolder(day), sheaf.order), sheaf)
			return err
		})
	}
	if err := readers.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r Row) bool { return r.Order == "" }), nil // those without an intent
}

// row reads what a list says of an order. Most of it follows from the names of
// its facts.
func (l *Ledger) row(ctx context.Context, folder string, facts sheaf) (Row, error) {
	if !slices.Contains(facts.names, "intent") {
		return Row{}, nil
	}
	r := reader{ctx: ctx, storage: l.storage, folder: folder}
	history := make(History)
	order := Order{ID: facts.order}
	for _, name := range facts.names {
		switch {
		case name == "intent":
			if intent := read[Intent](&r); intent != nil {
				order.Intent = *intent
			}
		case name == "paid":
			order.Paid = read[Paid](&r)
		case name == "failed":
			order.Failed = new(Failed)
		case name == "closed":
			order.Closed = new(Closed)
		case name == "partially_refunded":
			order.PartiallyRefunded = new(PartiallyRefunded)
		case name == "refunded":
			order.Refunded = new(Refunded)
		case strings.HasPrefix(name, "disputed-"):
			history[name] = nil
		case strings.HasPrefix(name, "refund-"), strings.HasPrefix(name, "refunding-"), strings.HasPrefix(name, "refused-"):
			var fact json.RawMessage
			if _, err := load(ctx, l.storage, path.Join(folder, name+".json"), &fact); err != nil {
				return Row{}, err
			}
			history[name] = fact
		}
	}
	if r.err != nil {
		return Row{}, r.err
	}
	return order.Row(history)
}

// digest is the rows of a day that is over. It is no fact but a copy, made for
// speed: an order that comes off the index takes the digest of its day along,
// and the next list makes it anew.
type digest struct {
	Version int   `json:"version"`
	Rows    []Row `json:"rows"`
}

const (
	digestVersion = 1
	digestMost    = 50_000    // rows; days with more are read from the facts
	digestAge     = time.Hour // after the end of a day
)

func (l *Ledger) digested(ctx context.Context, day Day) (rows []Row, ok bool) {
	var kept digest
	present, err := load(ctx, l.storage, l.digestKey(day), &kept)
	return kept.Rows, err == nil && present && kept.Version == digestVersion
}

// digest keeps the rows of a day, and takes them back if anything happened to
// the day's orders meanwhile.
func (l *Ledger) digest(ctx context.Context, day Day, keys []string, rows []Row) {
	if len(rows) > digestMost || l.store(ctx, l.digestKey(day), digest{digestVersion, rows}) != nil {
		return
	}
	open, err := l.openDays(ctx)
	again, listErr := l.tree(ctx, l.dayFolder(day))
	if err != nil || listErr != nil || open[day.path()] || fingerprint(keys) != fingerprint(again) {
		l.insist(ctx, func() error { return l.remove(ctx, l.digestKey(day)) })
	}
}

// insist tries a few times.
func (l *Ledger) insist(ctx context.Context, do func() error) {
	for try := range listTries {
		if do() == nil || pause(ctx, time.Duration(try+1)*20*time.Millisecond) != nil {
			return
		}
	}
}

// undigest takes the digest of an order's day away.
func (l *Ledger) undigest(ctx context.Context, subject string) error {
	id, err := ulid.ParseStrict(subject)
	if err != nil {
		return nil // an orphan
	}
	return l.remove(ctx, l.digestKey(DayOf(ulid.Time(id.Time()))))
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

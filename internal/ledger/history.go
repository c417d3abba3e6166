package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// RecordOrphan keeps a payment that belongs to no order of ours, and returns
// what it is called on the index. Keeping it again is harmless. It is put on
// the index last, so that no entry leads nowhere: the gateway tells again what
// was not kept.
func (l *Ledger) RecordOrphan(ctx context.Context, orphan Orphan) (subject string, err error) {
	number := strings.ReplaceAll(segment(orphan.Syssn), ".", "_")
	subject = orphanMark + number
	if err := l.store(ctx, path.Join(l.root, "orphans", number+".json"), orphan); err != nil {
		return "", err
	}
	return subject, l.Reopen(ctx, subject)
}

// FindOrphan returns a kept orphan. The error is [ErrUnknown] if there is none.
func (l *Ledger) FindOrphan(ctx context.Context, subject string) (Orphan, error) {
	number, _ := strings.CutPrefix(subject, orphanMark)
	var orphan Orphan
	present, err := load(ctx, l.storage, path.Join(l.root, "orphans", number+".json"), &orphan)
	if err == nil && !present {
		err = ErrUnknown
	}
	return orphan, err
}

// Orphans returns all kept orphans, the newest first.
func (l *Ledger) Orphans(ctx context.Context) ([]Orphan, error) {
	keys, err := l.list(ctx, path.Join(l.root, "orphans"))
	if err != nil {
		return nil, fmt.Errorf("listing the orphans: %w", err)
	}
	var orphans []Orphan
	for _, key := range keys {
		number, isOrphan := strings.CutSuffix(path.Base(key), ".json")
		if !isOrphan || strings.HasPrefix(number, ".") {
			continue
		}
		orphan, err := l.FindOrphan(ctx, orphanMark+number)
		if errors.Is(err, ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		orphans = append(orphans, orphan)
	}
	slices.SortFunc(orphans, func(a, b Orphan) int { return b.At.Compare(a.At) })
	return orphans, nil
}

// IsOrphan tells orphans from orders on the index.
func IsOrphan(subject string) bool { return strings.HasPrefix(subject, orphanMark) }

// History is all that was written about an order or orphan, by the name of the
// fact.
type History map[string]json.RawMessage

// History lists and loads every fact of an order or orphan, the marks of its
// deliveries included. It is for work that no payer waits for. The error is
// [ErrUnknown] when an order has no intent.
func (l *Ledger) History(ctx context.Context, subject string) (History, error) {
	folder, err := l.folder(subject)
	if err != nil {
		return nil, err
	}
	history, err := l.gather(ctx, folder, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	if err := history.part(); err != nil {
		return nil, fmt.Errorf("the facts of %s: %w", subject, err)
	}
	if !IsOrphan(subject) && history["intent"] == nil {
		return nil, fmt.Errorf("the facts of %s: %w", subject, ErrUnknown)
	}
	return history, nil
}

// gather lists a folder and loads the facts that are wanted.
func (l *Ledger) gather(ctx context.Context, folder string, wanted func(fact string) bool) (History, error) {
	keys, err := l.list(ctx, folder)
	if err != nil {
		return nil, fmt.Errorf("listing the facts in %s: %w", folder, err)
	}
	history := make(History, len(keys))
	for _, key := range keys {
		name, isFact := factName(key)
		if !isFact || !wanted(name) {
			continue
		}
		fact, err := l.loadListed(ctx, path.Join(folder, name+".json"))
		if err != nil {
			return nil, err
		}
		if fact != nil {
			history[name] = fact
		}
	}
	return history, nil
}

// part makes facts of their own of those that were written in one piece.
func (h History) part() error {
	facts := recollection{history: h}
	prepared := recall[Prepared](&facts)
	intent := prepared.part()
	if intent == nil || facts.err != nil {
		return facts.err
	}
	var err error
	if h["prepared"], err = json.Marshal(prepared); err == nil && h["intent"] == nil {
		h["intent"], err = json.Marshal(intent)
	}
	return err
}

// loadListed loads a fact that a list has named. There are storages, Redis among
// them, whose Load says that a key does not exist when it could not be read: it
// is read again before it counts as one that is just being written, or whose
// writer died. Then there is neither a fact nor an error.
func (l *Ledger) loadListed(ctx context.Context, key string) (fact json.RawMessage, err error) {
	for try := range tries {
		if fact, err = loadText(ctx, l.storage, key); err != nil || fact != nil {
			return fact, err
		}
		if err := pause(ctx, time.Duration(try+1)*20*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// Grown reports whether a fact has been added since the history was read. The
// marks of deliveries are no facts.
func (l *Ledger) Grown(ctx context.Context, subject string, since History) (bool, error) {
	folder, err := l.folder(subject)
	if err != nil {
		return false, err
	}
	keys, err := l.list(ctx, folder)
	if err != nil {
		return false, fmt.Errorf("listing the facts of %s: %w", subject, err)
	}
	for _, key := range keys {
		name, isFact := factName(key)
		if _, known := since[name]; known || !isFact || isMark(name) {
			continue
		}
		if fact, err := l.loadListed(ctx, path.Join(folder, name+".json")); err != nil || fact != nil {
			return fact != nil, err
		}
	}
	return false, nil
}

// isMark tells the marks of deliveries from facts.
func isMark(name string) bool {
	return strings.HasPrefix(name, "attempt-") || strings.HasPrefix(name, "delivered-")
}

// CalledOver reports whether an order has failed or was closed, by the names of
// its facts.
func (l *Ledger) CalledOver(ctx context.Context, order string) (bool, error) {
	folder, err := l.orderFolder(order)
	if err != nil {
		return false, err
	}
	keys, err := l.list(ctx, folder)
	return slices.ContainsFunc(keys, func(key string) bool {
		name, isFact := factName(key)
		return isFact && (name == Failed{}.name() || name == Closed{}.name())
	}), err
}

// factName tells the keys of facts from those of temporary files.
func factName(key string) (name string, isFact bool) {
	name, isFact = strings.CutSuffix(path.Base(key), ".json")
	return name, isFact && !strings.HasPrefix(name, ".")
}

// Order is the order as the history has it, as [Ledger.Find] would. Facts that
// the history only names are there without their content. The error is
// [ErrUnknown] without an intent.
func (h History) Order(id string) (Order, error) {
	facts := recollection{history: h}
	prepared := recall[Prepared](&facts)
	intent := prepared.part()
	if intent == nil {
		intent = recall[Intent](&facts)
	}
	if intent == nil {
		return Order{}, cmp.Or(facts.err, ErrUnknown)
	}
	order := Order{
		ID: id, Intent: *intent,
		Prepared: prepared, Failed: recall[Failed](&facts), Closed: recall[Closed](&facts), Paid: recall[Paid](&facts),
	}
	if order.Paid != nil { // refunds of what is not known to be paid do not count yet
		order.PartiallyRefunded, order.Refunded = recall[PartiallyRefunded](&facts), recall[Refunded](&facts)
	}
	return order, facts.err
}

// recollection recalls facts until one is damaged.
type recollection struct {
	history History
	err     error
}

func recall[F Fact](r *recollection) *F {
	fact := new(F)
	name := (*fact).name()
	value, known := r.history[name]
	if !known || r.err != nil {
		return nil
	}
	if value != nil {
		if err := json.Unmarshal(value, fact); err != nil {
			r.err = fmt.Errorf("%s is damaged: %w", name, err)
			return nil
		}
	}
	return fact
}

// Has reports whether a fact of the same name is in the history.
func (h History) Has(fact Fact) bool {
	_, known := h[fact.name()]
	return known
}

// Disputes returns the disputes of an order, by their numbers.
func (h History) Disputes() (map[string]Disputed, error) {
	return collect[Disputed](h, "disputed-")
}

func collect[F any](h History, prefix string) (map[string]F, error) {
	facts := make(map[string]F)
	for name, value := range h {
		number, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		var fact F
		if err := json.Unmarshal(value, &fact); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", name, err)
		}
		facts[number] = fact
	}
	return facts, nil
}

// Delivery is what became of telling one endpoint of one event.
type Delivery struct {
	Event    string // paid, closed, orphaned, refund-<number>, disputed-<number>
	Endpoint string // the endpoint's id
	Attempts []Attempt
	Done     *Delivered
}

// Delivery returns the record of telling an endpoint of an event.
func (h History) Delivery(event, endpoint string) (Delivery, error) {
	delivery := Delivery{Event: event, Endpoint: endpoint}
	if value, ok := h["delivered-"+endpoint+"-"+event]; ok {
		delivery.Done = new(Delivered)
		if err := json.Unmarshal(value, delivery.Done); err != nil {
			return delivery, err
		}
	}
	attempts, err := collect[Attempt](h, "attempt-"+endpoint+"-"+event+"-")
	for _, attempt := range attempts {
		delivery.Attempts = append(delivery.Attempts, attempt)
	}
	slices.SortFunc(delivery.Attempts, func(a, b Attempt) int { return a.At.Compare(b.At) })
	return delivery, err
}

// RecordAttempt adds an attempt to the record of a delivery.
func (l *Ledger) RecordAttempt(ctx context.Context, subject string, delivery Delivery, attempt Attempt) error {
	name := fmt.Sprintf("attempt-%s-%s-%02d", delivery.Endpoint, delivery.Event, len(delivery.Attempts)+1)
	return l.mark(ctx, subject, name, attempt)
}

// RecordDelivered ends a delivery.
func (l *Ledger) RecordDelivered(ctx context.Context, subject string, delivery Delivery, done Delivered) error {
	return l.mark(ctx, subject, "delivered-"+delivery.Endpoint+"-"+delivery.Event, done)
}

func (l *Ledger) mark(ctx context.Context, subject, name string, value any) error {
	folder, err := l.folder(subject)
	if err != nil {
		return err
	}
	return l.store(ctx, path.Join(folder, name+".json"), value)
}

// folder is where the facts of an order, or the marks of an orphan, lie.
func (l *Ledger) folder(subject string) (string, error) {
	if number, orphan := strings.CutPrefix(subject, orphanMark); orphan && isSubject(subject) {
		return path.Join(l.root, "orphans", number), nil
	}
	return l.orderFolder(subject)
}

func validOrder(id string) bool {
	parsed, err := ulid.ParseStrict(id)
	return err == nil && parsed.String() == id
}

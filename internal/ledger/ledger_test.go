package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// order was made at 2026-11-22T16:30:00Z, which is the 23rd in UTC+8.
const order = "01M821FMT07W1N4ZJ6X0Q3V5YB"

// openFolder is where the order has its place on the index.
const openFolder = "e"

var (
	noon   = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	intent = Intent{
		At: noon, Lines: []Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 1, Price: 12800}},
		Amount: 12800, Currency: "HKD", Description: "Cat food 猫粮", Ref: "INV-7",
	}
	prepared = Prepared{At: noon.Add(time.Second), Syssn: "20261123000000000000000001", PayURL: "https://pay.example/q/direct?a=b"}
	paid     = Paid{At: noon.Add(time.Minute), PaidAt: noon.Add(59 * time.Second), Syssn: prepared.Syssn, Source: "enquiry"}
	failed   = Failed{At: noon.Add(time.Minute), Call: "payment", Respcd: "1203", Message: "not allowed"}
)

func newLedger(t *testing.T) (*Ledger, string) {
	t.Helper()
	folder := t.TempDir()
	return New(&certmagic.FileStorage{Path: folder}, "shop"), folder
}

func TestAnOrderWithoutIntentIsUnknown(t *testing.T) {
	l, _ := newLedger(t)
	_, err := l.Find(t.Context(), order)
	assert.ErrorIs(t, err, ErrUnknown)
	require.NoError(t, l.Record(t.Context(), order, paid))
	_, err = l.Find(t.Context(), order)
	assert.ErrorIs(t, err, ErrUnknown)
}

func TestWhatWasRecordedIsFoundAgain(t *testing.T) {
	l, _ := newLedger(t)
	require.NoError(t, l.Begin(t.Context(), order, intent))
	for _, fact := range []Fact{prepared, paid, failed} {
		require.NoError(t, l.Record(t.Context(), order, fact))
	}
	found, err := l.Find(t.Context(), order)
	require.NoError(t, err)
	assert.Equal(t, Order{ID: order, Intent: intent, Prepared: &prepared, Paid: &paid, Failed: &failed}, found)
}

func TestTheStateFollowsFromTheFactsInWhateverOrderTheyCame(t *testing.T) {
	for _, test := range []struct {
		name   string
		facts  []Fact
		status Status
	}{
		{"nothing more", nil, StatusPending},
		{"prepared", []Fact{prepared}, StatusPending},
		{"paid", []Fact{prepared, paid}, StatusPaid},
		{"paid without our having seen the reply", []Fact{paid}, StatusPaid},
		{"failed", []Fact{failed}, StatusFailed},
		{"paid after failed", []Fact{failed, paid}, StatusPaid},
		{"failed after paid", []Fact{paid, failed}, StatusPaid},
		{"paid three times", []Fact{paid, paid, paid}, StatusPaid},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, _ := newLedger(t)
			require.NoError(t, l.Begin(t.Context(), order, intent))
			for _, fact := range test.facts {
				require.NoError(t, l.Record(t.Context(), order, fact))
			}
			found, err := l.Find(t.Context(), order)
			require.NoError(t, err)
			assert.Equal(t, test.status, found.Status())
		})
	}
}

func TestAnOrderLiesInTheFolderOfItsDayInUTC8(t *testing.T) {
	l, folder := newLedger(t)
	require.NoError(t, l.Begin(t.Context(), order, intent))
	assert.FileExists(t, filepath.Join(folder, "qfpay_jsapi/shop/orders/2026/11/23", order, "intent.json"))
	assert.FileExists(t, filepath.Join(folder, "qfpay_jsapi/shop/open", openFolder, order))
}

func TestABegunOrderIsWrittenOnce(t *testing.T) {
	storage := &recordingStorage{Storage: &certmagic.FileStorage{Path: t.TempDir()}}
	l := New(storage, "shop")
	require.NoError(t, l.Reopen(t.Context(), order))
	require.NoError(t, l.Begin(t.Context(), order, intent))
	assert.Equal(t, []string{
		"qfpay_jsapi/shop/open/" + openFolder + "/" + order,
		"qfpay_jsapi/shop/orders/2026/11/23/" + order + "/intent.json",
	}, storage.stored)
}

func TestAPreparedOrderHasItsIntentInTheSamePiece(t *testing.T) {
	storage := &recordingStorage{Storage: &certmagic.FileStorage{Path: t.TempDir()}}
	l := New(storage, "shop")
	require.NoError(t, l.Enter(t.Context(), order, intent))
	require.NoError(t, l.Prepare(t.Context(), order, intent, prepared))
	assert.Equal(t, []string{
		"qfpay_jsapi/shop/open/" + openFolder + "/" + order,
		"qfpay_jsapi/shop/orders/2026/11/23/" + order + "/prepared.json",
	}, storage.stored)

	want := Order{ID: order, Intent: intent, Prepared: &prepared}
	found, err := l.Find(t.Context(), order)
	require.NoError(t, err)
	assert.Equal(t, want, found)

	history, err := l.History(t.Context(), order)
	require.NoError(t, err)
	found, err = history.Order(order)
	require.NoError(t, err)
	assert.Equal(t, want, found)
	assert.ElementsMatch(t, []string{"intent", "prepared"}, slices.Collect(maps.Keys(history)))
	assert.NotContains(t, string(history["prepared"]), "cat-food", "each fact has what is its own")

	require.NoError(t, l.Begin(t.Context(), order, intent), "whoever met the entry meanwhile")
	grown, err := l.Grown(t.Context(), order, history)
	require.NoError(t, err)
	assert.False(t, grown, "an intent of its own says nothing new")
	found, err = l.Find(t.Context(), order)
	require.NoError(t, err)
	assert.Equal(t, want, found)
}

func TestAPreparedOrderThatAnotherNodeWithdrewReturnsToTheIndex(t *testing.T) {
	l, _ := newLedger(t)
	require.NoError(t, l.Enter(t.Context(), order, intent))
	require.NoError(t, l.Withdraw(t.Context(), order))
	require.NoError(t, l.Prepare(t.Context(), order, intent, prepared))
	require.NoError(t, l.Withdraw(t.Context(), order), "it is prepared now, and stays")
	subjects, err := l.Open(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{order}, subjects)
}

// The number of folders is fixed: an entry in another one would not be found.
func TestTheIndexIsReadFromAllItsFolders(t *testing.T) {
	l, folder := newLedger(t)
	var all []string
	for range 400 {
		subject := ulid.Make().String()
		require.NoError(t, l.Reopen(t.Context(), subject))
		all = append(all, subject)
	}
	slices.Sort(all)
	subjects, err := l.Open(t.Context())
	require.NoError(t, err)
	assert.Equal(t, all, subjects)
	folders, err := os.ReadDir(filepath.Join(folder, "qfpay_jsapi/shop/open"))
	require.NoError(t, err)
	assert.Len(t, folders, indexFolders)
}

func TestAnOrderThatIsNotBegunLeavesTheIndex(t *testing.T) {
	l, folder := newLedger(t)
	require.NoError(t, l.Reopen(t.Context(), order))
	require.NoError(t, l.Withdraw(t.Context(), order))
	assert.NoFileExists(t, filepath.Join(folder, "qfpay_jsapi/shop/open", openFolder, order))
}

func TestAnOrderThatOneNodeBeginsAndAnotherWithdrawsStaysOnTheIndex(t *testing.T) {
	for name, withdrawnFirst := range map[string]bool{"withdrawn before the intent": true, "withdrawn after the intent": false} {
		t.Run(name, func(t *testing.T) {
			l, _ := newLedger(t)
			require.NoError(t, l.Reopen(t.Context(), order))
			if withdrawnFirst {
				require.NoError(t, l.Withdraw(t.Context(), order))
			}
			require.NoError(t, l.Begin(t.Context(), order, intent))
			if !withdrawnFirst {
				require.NoError(t, l.Withdraw(t.Context(), order))
			}
			subjects, err := l.Open(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []string{order}, subjects)
		})
	}
}

func TestAFinishedOrderLeavesTheIndex(t *testing.T) {
	l, folder := newLedger(t)
	require.NoError(t, l.Begin(t.Context(), order, intent))
	require.NoError(t, l.Finish(t.Context(), order, nil))
	require.NoError(t, l.Finish(t.Context(), order, nil), "a second time is harmless")
	assert.NoFileExists(t, filepath.Join(folder, "qfpay_jsapi/shop/open", openFolder, order))
}

func TestNewsKeepAnOrderOnTheIndexThatIsFinishedWithoutKnowingThem(t *testing.T) {
	l, _ := newLedger(t)
	require.NoError(t, l.Begin(t.Context(), order, intent))
	before, err := l.History(t.Context(), order)
	require.NoError(t, err)
	refused := RefundRefused{At: noon, RefundID: "broken-bag"}
	require.NoError(t, l.Record(t.Context(), order, paid))
	require.NoError(t, l.Announce(t.Context(), order, paid))
	require.NoError(t, l.Add(t.Context(), order, refused))

	index := func() (subjects []string, news []News) {
		subjects, news, err := l.Index(t.Context())
		require.NoError(t, err)
		return subjects, news
	}
	require.NoError(t, l.Finish(t.Context(), order, before))
	subjects, news := index()
	assert.Equal(t, []string{order}, subjects)
	assert.ElementsMatch(t, []News{{order, "paid"}, {order, "refused-broken-bag"}}, news)

	after, err := l.History(t.Context(), order)
	require.NoError(t, err)
	assert.True(t, after.Has(paid) && after.Has(refused))
	require.NoError(t, l.Finish(t.Context(), order, after))
	subjects, news = index()
	assert.Empty(t, subjects)
	assert.Empty(t, news)
}

// A writer that dies between the news and the fact leaves a fact all the same.
func TestNewsBecomeAFact(t *testing.T) {
	l, folder := newLedger(t)
	require.NoError(t, l.Begin(t.Context(), order, intent))
	asked := RefundAsked{At: noon, RefundID: "broken.bag", Number: "n", Amount: 800}
	require.NoError(t, l.Announce(t.Context(), order, asked))
	_, news, err := l.Index(t.Context())
	require.NoError(t, err)
	require.Equal(t, []News{{order, "refunding-broken.bag"}}, news)
	for range 2 {
		require.NoError(t, l.Keep(t.Context(), news[0]), "a second time is harmless")
		history, err := l.History(t.Context(), order)
		require.NoError(t, err)
		refunds, err := history.Refunds()
		require.NoError(t, err)
		assert.Equal(t, []Refunding{{Asked: asked}}, refunds.Asked)
	}

	require.NoError(t, l.Keep(t.Context(), News{order, "paid"}), "somebody finished the order meanwhile")
	found, err := l.Find(t.Context(), order)
	require.NoError(t, err)
	assert.Nil(t, found.Paid)

	damaged := News{order, "refund-1"}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "qfpay_jsapi/shop/open", openFolder, order+".refund-1"), []byte(`{"at":`), 0o600))
	assert.ErrorContains(t, l.Keep(t.Context(), damaged), "damaged")
}

func TestAFactWhoseNewsCannotBeWrittenIsNotRecorded(t *testing.T) {
	broken := errors.New("the disk is full")
	storage := &hiccupingStorage{Storage: &certmagic.FileStorage{Path: t.TempDir()}}
	l := New(storage, "shop")
	require.NoError(t, l.Begin(t.Context(), order, intent))
	storage.err, storage.fails = broken, 1
	require.ErrorIs(t, l.Add(t.Context(), order, paid), broken)
	history, err := l.History(t.Context(), order)
	require.NoError(t, err)
	assert.False(t, history.Has(paid))
}

func TestAFactOfWhichThereAreNewsIsWrittenAgainAfterAFailedWrite(t *testing.T) {
	broken := errors.New("the disk is full")
	storage := &hiccupingStorage{Storage: &certmagic.FileStorage{Path: t.TempDir()}, err: broken}
	l := New(storage, "shop")
	require.NoError(t, l.Begin(t.Context(), order, intent))
	storage.works, storage.fails = 1, 2
	require.NoError(t, l.Add(t.Context(), order, paid))
	history, err := l.History(t.Context(), order)
	require.NoError(t, err)
	assert.True(t, history.Has(paid))

	storage.works, storage.fails = 1, 100
	assert.ErrorIs(t, l.Add(t.Context(), order, failed), broken, "but not for ever")
	assert.Positive(t, storage.fails)
}

func TestADamagedFactIsAnErrorAndNotAbsent(t *testing.T) {
	l, folder := newLedger(t)
	require.NoError(t, l.Begin(t.Context(), order, intent))
	file := filepath.Join(folder, "qfpay_jsapi/shop/orders/2026/11/23", order, "paid.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"at":`), 0o600))
	_, err := l.Find(t.Context(), order)
	assert.ErrorContains(t, err, order+": paid is damaged")
}

func TestAFailingStorageIsAnErrorAndNotAnUnknownOrder(t *testing.T) {
	broken := errors.New("the disk is gone")
	l := New(&failingStorage{err: broken}, "shop")
	_, err := l.Find(t.Context(), order)
	assert.ErrorIs(t, err, broken)
	assert.NotErrorIs(t, err, ErrUnknown)
	assert.ErrorIs(t, l.Begin(t.Context(), order, intent), broken)
	assert.ErrorIs(t, l.Record(t.Context(), order, paid), broken)
	assert.ErrorIs(t, l.Finish(t.Context(), order, nil), broken)
	_, err = l.Lock(t.Context(), order)
	assert.ErrorIs(t, err, broken)
}

func TestWhatIsNoOrderIDNeverBecomesAStorageKey(t *testing.T) {
	l := New(&failingStorage{err: errors.New("storage was touched")}, "shop")
	for _, id := range []string{"", "x", "../../../../../secret/key", "01m821fmt07w1n4zj6x0q3v5yb"} {
		_, err := l.Find(t.Context(), id)
		assert.ErrorIs(t, err, ErrUnknown, id)
		assert.ErrorIs(t, l.Add(t.Context(), id, paid), ErrUnknown, id)
	}
}

func TestALockKeepsOthersOutUntilItIsReleased(t *testing.T) {
	l, _ := newLedger(t)
	unlock, err := l.Lock(t.Context(), order)
	require.NoError(t, err)
	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = l.Lock(impatient, order)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	unlock()
	unlock, err = l.Lock(t.Context(), order)
	require.NoError(t, err)
	unlock()
}

func TestAFolderIsNotEmptyWhileOthersWriteIntoIt(t *testing.T) {
	l, _ := newLedger(t)
	require.NoError(t, l.Begin(t.Context(), order, intent))
	done, writers := make(chan struct{}), sync.WaitGroup{}
	for writer := range 4 {
		writers.Go(func() {
			for n := 0; ; n = (n + 1) % 50 {
				select {
				case <-done:
					return
				default:
					assert.NoError(t, l.Record(t.Context(), order, Refund{Syssn: fmt.Sprint(writer, "-", n)}))
				}
			}
		})
	}
	for range 200 {
		_, err := l.History(t.Context(), order)
		require.NoError(t, err)
	}
	close(done)
	writers.Wait()
}

func TestLedgerNames(t *testing.T) {
	for _, name := range []string{"shop", "a", "Shop_1.test-2", "0123456789abcdef"} {
		assert.True(t, ValidName(name), name)
	}
	for _, name := range []string{"", ".", "..", ".hidden", "a/b", "a b", "店"} {
		assert.False(t, ValidName(name), name)
	}
}

func TestAHistoryIsListedAgainWhileManyWrite(t *testing.T) {
	storage := &busyStorage{Storage: &certmagic.FileStorage{Path: t.TempDir()}}
	l := New(storage, "shop")
	require.NoError(t, l.Begin(t.Context(), order, intent))
	storage.vanished = tries
	history, err := l.History(t.Context(), order)
	require.NoError(t, err)
	assert.Contains(t, history, "intent")
	storage.vanished = 1000
	_, err = l.History(t.Context(), order)
	assert.ErrorContains(t, err, "listing the facts", "never an empty history")
}

// busyStorage lists as a file system does on which a file vanishes meanwhile.
type busyStorage struct {
	certmagic.Storage
	vanished int // how often more
}

func (s *busyStorage) List(ctx context.Context, folder string, recursive bool) ([]string, error) {
	if s.vanished--; s.vanished >= 0 {
		return nil, fs.ErrNotExist
	}
	return s.Storage.List(ctx, folder, recursive)
}

type recordingStorage struct {
	certmagic.Storage
	stored []string
}

func (s *recordingStorage) Store(ctx context.Context, key string, value []byte) error {
	s.stored = append(s.stored, key)
	return s.Storage.Store(ctx, key, value)
}

// hiccupingStorage fails a few times to write.
type hiccupingStorage struct {
	certmagic.Storage
	err   error
	works int // how often more
	fails int // how often after that
}

func (s *hiccupingStorage) Store(ctx context.Context, key string, value []byte) error {
	switch {
	case s.works > 0:
		s.works--
	case s.fails > 0:
		s.fails--
		return s.err
	}
	return s.Storage.Store(ctx, key, value)
}

type failingStorage struct{ err error }

func (s *failingStorage) Lock(context.Context, string) error                   { return s.err }
func (s *failingStorage) Unlock(context.Context, string) error                 { return s.err }
func (s *failingStorage) Store(context.Context, string, []byte) error          { return s.err }
func (s *failingStorage) Load(context.Context, string) ([]byte, error)         { return nil, s.err }
func (s *failingStorage) Delete(context.Context, string) error                 { return s.err }
func (s *failingStorage) Exists(context.Context, string) bool                  { return false }
func (s *failingStorage) List(context.Context, string, bool) ([]string, error) { return nil, s.err }
func (s *failingStorage) Stat(context.Context, string) (certmagic.KeyInfo, error) {
	return certmagic.KeyInfo{}, fs.ErrNotExist
}

package ledger

import (
	"context"
	"io/fs"
	"path"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shakyStorage says of facts that they do not exist, as Redis does of what it
// failed to read.
type shakyStorage struct {
	certmagic.Storage
	denies map[string]int // by the fact's name: how often yet, -1 for ever
}

func (s *shakyStorage) Load(ctx context.Context, key string) ([]byte, error) {
	if name := path.Base(key); s.denies[name] != 0 {
		s.denies[name]--
		return nil, fs.ErrNotExist
	}
	return s.Storage.Load(ctx, key)
}

func newShakyLedger(t *testing.T) (*Ledger, *shakyStorage) {
	t.Helper()
	storage := &shakyStorage{&certmagic.FileStorage{Path: t.TempDir()}, map[string]int{}}
	l := New(storage, "shop")
	require.NoError(t, l.Begin(t.Context(), order, intent))
	for _, fact := range []Fact{paid, RefundAsked{RefundID: "a", Number: "n", Amount: 800}, Refund{Syssn: "r", Number: "m", Amount: 700}} {
		require.NoError(t, l.Record(t.Context(), order, fact))
	}
	return l, storage
}

func TestAHistoryHasWhatIsListedAlthoughALoadSaysThatItIsNotThere(t *testing.T) {
	l, storage := newShakyLedger(t)
	storage.denies["refunding-a.json"], storage.denies["refund-r.json"] = 1, 2
	history, err := l.History(t.Context(), order)
	require.NoError(t, err)
	refunds, err := history.Refunds()
	require.NoError(t, err)
	assert.EqualValues(t, 1500, refunds.Reserved(), "what is reserved is not given back once more")

	storage.denies["refunding-a.json"] = -1
	_, err = l.History(t.Context(), order)
	assert.NoError(t, err, "the writer of a fact may have died over it")
}

func TestADayOfWhichAFactCannotBeReadIsNotKept(t *testing.T) {
	later := noon.Add(48 * time.Hour)
	whole := Row{
		Order: order, Status: StatusPaid, At: intent.At, PaidAt: paid.PaidAt, Amount: 12800, Refunded: 700, Currency: "HKD",
		Description: intent.Description, Ref: intent.Ref, Syssn: paid.Syssn, Refunding: true,
	}
	for _, fact := range []string{"intent.json", "paid.json", "refund-r.json", "refunding-a.json"} {
		l, storage := newShakyLedger(t)
		require.NoError(t, l.Finish(t.Context(), order, nil))
		storage.denies[fact] = 1
		assert.Equal(t, []Row{whole}, rowsOf(t, l, "2026-11-23", "2026-11-23", later), fact)
	}
	for _, fact := range []string{"intent.json", "paid.json", "refund-r.json", "refunding-a.json"} {
		l, storage := newShakyLedger(t)
		require.NoError(t, l.Finish(t.Context(), order, nil))
		storage.denies[fact] = -1
		assert.NotEqual(t, []Row{whole}, rowsOf(t, l, "2026-11-23", "2026-11-23", later), fact)
		storage.denies[fact] = 0
		assert.Equal(t, []Row{whole}, rowsOf(t, l, "2026-11-23", "2026-11-23", later), "%s: there is no copy that would be wrong for good", fact)
	}
}

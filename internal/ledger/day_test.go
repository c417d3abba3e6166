package ledger

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// started returns the id of an order that was started at a time.
func started(at time.Time, n byte) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(at))
	id[15] = n
	return id.String()
}

func rowsOf(t *testing.T, l *Ledger, first, last string, now time.Time) (rows []Row) {
	t.Helper()
	from, err := ParseDay(first)
	require.NoError(t, err)
	to, err := ParseDay(last)
	require.NoError(t, err)
	calendar, err := l.Calendar(t.Context(), now)
	require.NoError(t, err)
	for day := range (Period{First: from, Last: to}).Days() {
		found, err := calendar.Rows(t.Context(), day)
		require.NoError(t, err)
		rows = append(rows, found...)
		sums, err := calendar.Sums(t.Context(), day)
		require.NoError(t, err)
		assert.Equal(t, SumsOf(found), sums, "of %s", day)
	}
	return rows
}

func TestADaysOrdersAreListedWithWhatBecameOfThem(t *testing.T) {
	l, _ := newLedger(t)
	at := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC) // the 23rd in UTC+8
	for n, facts := range map[byte][]Fact{
		1:  {},
		2:  {paid},
		3:  {failed},
		4:  {Closed{At: noon, Reason: "closed"}},
		5:  {Closed{At: noon, Reason: "closed"}, paid},
		6:  {paid, Refund{Syssn: "r1", Number: "n1", Amount: 800}, PartiallyRefunded{}},
		7:  {paid, Refunded{}},
		8:  {paid, RefundAsked{RefundID: "a", Number: "n2", Amount: 800}},
		9:  {Disputed{Syssn: "x"}},
		11: {Refund{Syssn: "r2", Number: "n3", Amount: 12800}, Refunded{}},
	} {
		require.NoError(t, l.Begin(t.Context(), started(at, n), intent))
		for _, fact := range facts {
			require.NoError(t, l.Record(t.Context(), started(at, n), fact))
		}
	}
	require.NoError(t, l.Record(t.Context(), started(at, 10), paid), "without an intent it is no order")
	require.NoError(t, l.Begin(t.Context(), started(at.Add(-2*time.Hour), 1), intent), "another day's")

	base := Row{At: intent.At, Amount: 12800, Currency: "HKD", Description: intent.Description, Ref: "INV-7"}
	row := func(n byte, status Status, change func(*Row)) Row {
		r := base
		r.Order, r.Status = started(at, n), status
		if change != nil {
			r.Syssn, r.PaidAt = paid.Syssn, paid.PaidAt
			change(&r)
		}
		return r
	}
	nothing := func(*Row) {}
	want := []Row{
		row(1, StatusPending, nil),
		row(2, StatusPaid, nothing),
		row(3, StatusFailed, nil),
		row(4, StatusClosed, nil),
		row(5, StatusPaid, func(r *Row) { r.Late = true }),
		row(6, StatusPartiallyRefunded, func(r *Row) { r.Refunded = 800 }),
		row(7, StatusRefunded, func(r *Row) { r.Refunded = 12800 }),
		row(8, StatusPaid, func(r *Row) { r.Refunding = true }),
		row(9, StatusPending, nil),
		row(11, StatusPending, nil), // as Find has it: the news of the payment are to come
	}
	want[8].Disputed, want[9].Refunded = true, 12800
	assert.Equal(t, want, rowsOf(t, l, "2026-11-23", "2026-11-23", noon))
	assert.Len(t, rowsOf(t, l, "2026-11-22", "2026-11-23", noon), 11)
	assert.Empty(t, rowsOf(t, l, "2026-11-24", "2026-12-24", noon))
	assert.Equal(t, []Sum{{Currency: "HKD", Orders: 10, Paid: 5, Taken: 5 * 12800, Refunded: 800 + 12800}}, SumsOf(want))
}

// halfWritten is storage that lists a key and does not have it. So Redis is left
// by a node that dies between the two commands of which a Store consists.
type halfWritten struct {
	certmagic.Storage
	fact string
}

func (s halfWritten) Load(ctx context.Context, key string) ([]byte, error) {
	if path.Base(key) == s.fact+".json" {
		return nil, fs.ErrNotExist
	}
	return s.Storage.Load(ctx, key)
}

func TestAFactThatANodeDiedWritingIsNotInTheListOfItsDay(t *testing.T) {
	refund, asked := Refund{Syssn: "r1", Number: "n1", Amount: 800}, RefundAsked{RefundID: "a", Number: "n1", Amount: 800}
	together := prepared
	together.Intent = &intent
	for _, test := range []struct {
		fact  string
		facts []Fact
		want  []Row
	}{
		{"intent", nil, nil},
		{"intent", []Fact{together}, []Row{{Status: StatusPending}}},
		{"paid", []Fact{prepared, paid}, []Row{{Status: StatusPending}}},
		{"refunding-a", []Fact{paid, asked}, []Row{{Status: StatusPaid}}},
		{"refund-r1", []Fact{paid, asked, refund}, []Row{{Status: StatusPaid, Refunding: true}}},
	} {
		t.Run(test.fact, func(t *testing.T) {
			l, folder := newLedger(t)
			require.NoError(t, l.Begin(t.Context(), order, intent))
			for _, fact := range test.facts {
				require.NoError(t, l.Record(t.Context(), order, fact))
			}
			l = New(halfWritten{&certmagic.FileStorage{Path: folder}, test.fact}, "shop")
			var got []Row
			for _, row := range rowsOf(t, l, "2026-11-23", "2026-11-23", noon) {
				got = append(got, Row{Status: row.Status, Refunded: row.Refunded, Refunding: row.Refunding})
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestADayThatIsOverIsReadOnceAndAgainWhenSomethingHappens(t *testing.T) {
	l, folder := newLedger(t)
	digest := filepath.Join(folder, "qfpay_jsapi/shop/days/2026/11/23.json")
	sums := filepath.Join(folder, "qfpay_jsapi/shop/days/2026/11/23.sums.json")
	require.NoError(t, l.Begin(t.Context(), order, intent))
	later := noon.Add(48 * time.Hour)
	list := func(now time.Time) Row {
		rows := rowsOf(t, l, "2026-11-23", "2026-11-23", now)
		require.Len(t, rows, 1)
		return rows[0]
	}

	list(later)
	assert.NoFileExists(t, digest, "an order is open")
	require.NoError(t, l.Record(t.Context(), order, paid))
	require.NoError(t, l.Finish(t.Context(), order, nil))
	list(noon.Add(11 * time.Hour))
	assert.NoFileExists(t, digest, "the day is not over")
	assert.Equal(t, StatusPaid, list(later).Status)
	assert.FileExists(t, digest)
	assert.FileExists(t, sums)
	require.NoError(t, os.Rename(filepath.Join(folder, "qfpay_jsapi/shop/orders"), filepath.Join(folder, "away")))
	assert.Equal(t, StatusPaid, list(later).Status, "the orders are not read again")
	require.NoError(t, os.Rename(filepath.Join(folder, "away"), filepath.Join(folder, "qfpay_jsapi/shop/orders")))

	require.NoError(t, l.Reopen(t.Context(), order))
	require.NoError(t, l.Record(t.Context(), order, Refunded{At: later}))
	assert.Equal(t, StatusRefunded, list(later).Status, "while it is on the index")
	require.NoError(t, l.Finish(t.Context(), order, nil))
	assert.NoFileExists(t, digest)
	assert.NoFileExists(t, sums)
	assert.Equal(t, StatusRefunded, list(later).Status, "and after it")

	for _, damaged := range []string{digest, sums} {
		require.NoError(t, os.WriteFile(damaged, []byte(`{"version":2,"rows":[`), 0o600))
		assert.Equal(t, StatusRefunded, list(later).Status, "a damaged digest is made anew")
	}
}

func TestADigestIsWholeOrNotThereWhenNobodyWaitsForItAnyMore(t *testing.T) {
	l, folder := newLedger(t)
	require.NoError(t, l.Record(t.Context(), order, intent))
	calendar, err := l.Calendar(t.Context(), noon.Add(48*time.Hour))
	require.NoError(t, err)
	day := DayOf(noon)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = calendar.Rows(ctx, day)
	assert.NoFileExists(t, filepath.Join(folder, "qfpay_jsapi/shop/days/2026/11/23.json"))
}

func TestDays(t *testing.T) {
	day, err := ParseDay("2026-11-30")
	require.NoError(t, err)
	assert.Equal(t, "2026-12-01", day.Next().String())
	assert.Equal(t, "2026-11-29", day.Previous().String())
	period := Period{First: day.Previous(), Last: day}
	assert.Equal(t, []Day{day.Previous(), day}, slices.Collect(period.Days()))
	period.Descending = true
	assert.Equal(t, []Day{day, day.Previous()}, slices.Collect(period.Days()))
	assert.Empty(t, slices.Collect(Period{First: day, Last: day.Previous()}.Days()))
	assert.Equal(t, day, DayOf(time.Date(2026, 11, 29, 16, 0, 0, 0, time.UTC)))
	for _, text := range []string{"", "2026-11-31", "2026-1-1", "23.11.2026", "2026-11-30T00:00:00Z"} {
		_, err := ParseDay(text)
		assert.Error(t, err, text)
	}
}

package ledger

import (
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"
)

// noon is when the orders of these tests are started.
var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func testOrder() Order {
	return Order{
		ID: ulid.MustNew(ulid.Timestamp(noon), ulid.DefaultEntropy()).String(), Shop: "shop", Account: "account",
		Intent:  Intent{At: noon, Amount: 10000, Currency: "HKD", Description: "Tea", Lines: []Line{{Item: "tea", Name: "Tea", Quantity: 1, Price: 10000}}},
		Claimed: noon, Expires: noon.Add(15 * time.Minute), CheckAt: noon.Add(5 * time.Second),
	}
}

func claimStep(o Order) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Claim(o)
		return err
	}
}

func openTest(t testing.TB, file string) *SQLite {
	t.Helper()
	opened, err := OpenSQLite(t.Context(), file, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

func BenchmarkSQLiteClaim(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(strconv.Itoa(writers)+"writers", func(b *testing.B) {
			opened := openTest(b, filepath.Join(b.TempDir(), "ledger.db"))
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						if err := opened.Update(b.Context(), claimStep(testOrder())); err != nil {
							b.Error(err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func BenchmarkSQLiteRead(b *testing.B) {
	opened := openTest(b, filepath.Join(b.TempDir(), "ledger.db"))
	o := testOrder()
	require.NoError(b, opened.Update(b.Context(), claimStep(o)))
	read := func(tx *Tx) error {
		_, err := tx.Order(o.ID)
		return err
	}
	b.Run("1reader", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := opened.View(b.Context(), read); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := opened.View(b.Context(), read); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

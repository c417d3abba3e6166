//go:build postgres

package postgres

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/stretchr/testify/require"
)

// BenchmarkPayments is how long a step with all that belongs to a payment takes,
// while 16 are under way, of one shop or of one shop each.
func BenchmarkPayments(b *testing.B) {
	server := postgrestest.Start(b)
	for name, shops := range map[string]int64{"one shop": 1, "many shops": 1 << 30} {
		b.Run(name, func(b *testing.B) {
			l, err := Open(b.Context(), server.NewDatabase(), nil)
			require.NoError(b, err)
			defer l.Close()
			var n atomic.Int64
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					order := newOrder()
					order.Shop = fmt.Sprint("shop", n.Add(1)%shops)
					if err := l.Update(b.Context(), pay(order)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkStatus is how long reading one order takes.
func BenchmarkStatus(b *testing.B) {
	l, err := Open(b.Context(), postgrestest.Start(b).URL(), nil)
	require.NoError(b, err)
	defer l.Close()
	order := newOrder()
	require.NoError(b, l.Update(b.Context(), pay(order)))
	for b.Loop() {
		require.NoError(b, l.View(b.Context(), func(tx *ledger.Tx) error { _, err := tx.Order(order.ID); return err }))
	}
}

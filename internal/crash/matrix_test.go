//go:build unix

package crash

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The ways in which a shop learns of a payment, each enough alone.
const (
	byNotification = "notification"
	byReturn       = "return"
	byApp          = "app"
)

// A payment is made over and over. Each time the process is killed at another
// write, before it, in the middle of it or after it, and started again. The
// payer then goes on as payers do.
func TestKilledAtEveryWriteAPaymentIsNeitherLostNorDoubled(t *testing.T) {
	var points, kills atomic.Int32
	t.Run("killed", func(t *testing.T) {
		for _, way := range []string{byNotification, byReturn, byApp} {
			undisturbed := payDyingAt(t, way, 0, before, nil)
			require.Greater(t, undisturbed, 6, "so many writes make a payment")
			for _, when := range []string{before, during, after} {
				for n := range undisturbed {
					t.Run(fmt.Sprintf("%s write %d, paid by %s", when, n+1, way), func(t *testing.T) {
						t.Parallel()
						payDyingAt(t, way, n+1, when, &kills)
						points.Add(1)
					})
				}
			}
		}
	})
	assert.InEpsilon(t, points.Load(), kills.Load(), 0.1, "how often the app asks, and writes, varies a little")
	t.Logf("%d points, %d kills", points.Load(), kills.Load())
}

// payDyingAt makes a payment, and by notification two refunds, on a node that
// is killed at the n-th write. It returns how many writes there were.
func payDyingAt(t *testing.T, way string, n int, when string, kills *atomic.Int32) (writes int) {
	t.Helper()
	shop := openShop(t, "", way == byNotification)
	report := filepath.Join(shop.folder, "writes")
	shop.storage = fmt.Sprintf("mortal %s %s {n} %s", filepath.Join(shop.folder, "data"), report, when)
	shop.start(strings.Replace(shop.storage, "{n}", fmt.Sprint(n), 1))

	order := shop.prepare()
	trades := shop.gateway.Trades()
	require.LessOrEqual(t, len(trades), 1, "no order is sent twice")
	if len(trades) == 0 { // killed before the gateway heard of the order
		order = shop.payAnother(order)
	} else {
		require.Equal(t, order, trades[0].OutTradeNo)
	}
	require.NoError(t, shop.gateway.Pay(order))
	if way == byReturn {
		shop.until("the return page says that it is paid", func() bool {
			shop.get(shop.url + "/pay/return/" + order)
			return slices.Contains(shop.facts(order), "paid")
		})
	}
	shop.until("the order is paid in the ledger", func() bool { return slices.Contains(shop.facts(order), "paid") })
	shop.until("the shop's program is told", func() bool { return shop.timesTold("msg_"+order+"_paid") > 0 })
	shop.refundByNotification(order, way)
	shop.until("nothing is left to do", func() bool { return !slices.Contains(shop.openOrders(), order) })

	assert.NotContains(t, shop.facts(order), "failed")
	assert.NotContains(t, shop.facts(order), "closed")
	for id, times := range shop.allTold() {
		assert.Contains(t, id, order)
		assert.LessOrEqual(t, times, 2, "told again only if the node was killed before it could remember")
	}
	text, err := os.ReadFile(report)
	require.NoError(t, err)
	writes = strings.Count(string(text), "\n")
	if n > 0 && writes >= n {
		kills.Add(1)
		shop.until("it was killed", func() bool { return shop.deaths > 0 })
	}
	return writes
}

// payAnother is what a payer does who is told that the outcome is unknown:
// start again. The order before can never be paid.
func (s *shop) payAnother(before string) (order string) {
	s.t.Helper()
	status, _ := s.get(s.authorize(s.url + "/pay/cat-food?again=" + before))
	require.Equal(s.t, http.StatusFound, status)
	trades := s.gateway.Trades()
	require.Len(s.t, trades, 1)
	require.NotEqual(s.t, before, trades[0].OutTradeNo)
	return trades[0].OutTradeNo
}

// refundByNotification gives the money back in two parts.
func (s *shop) refundByNotification(order, way string) {
	if way != byNotification {
		return
	}
	trade, found := s.gateway.Trade(order)
	require.True(s.t, found)
	s.refund(trade, 800)
	s.until("a part is refunded", func() bool { return slices.Contains(s.facts(order), "partially_refunded") })
	s.refund(trade, 12000)
	s.until("all is refunded", func() bool { return slices.Contains(s.facts(order), "refunded") })
	s.until("the shop's program is told of both", func() bool {
		return len(s.allTold()) == 3
	})
}

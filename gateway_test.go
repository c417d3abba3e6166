package qfpayjsapi

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// The log, the metrics and the doctor have one word for a fault of either.
func TestTheGatewayAndWeChatNameFaultsAlike(t *testing.T) {
	for theGateways, weChats := range map[qfpay.Fault]wechat.Fault{
		qfpay.FaultPayer: wechat.FaultPayer, qfpay.FaultShop: wechat.FaultShop, qfpay.FaultRequest: wechat.FaultRequest,
		qfpay.FaultBusy: wechat.FaultBusy, qfpay.FaultSilent: wechat.FaultSilent,
	} {
		assert.Equal(t, theGateways.String(), weChats.String())
	}
}

func TestAfterARushThatTheGatewayHasForgottenTheAppAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace()
		for range 100_000 {
			p.count()
		}
		assert.Greater(t, p.delay(time.Now()), 50*time.Second)
		time.Sleep(61 * time.Second)
		assert.LessOrEqual(t, p.delay(time.Now()), time.Duration(0))
	})
}

// More orders wait for the gateway than there are workers. All of them are paid
// by notifications, and the shop is told at once, but for the few whose turn at
// the gateway comes next: of those, as soon as they had it.
func TestOrdersThatWaitForTheGatewayDoNotKeepTheShopFromBeingTold(t *testing.T) {
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := counterInBubble(t, root)
		var orders []string
		for i := range 2 * workers {
			callback := c.authorize(t, fmt.Sprint("/pay/cat-food?ref=", i))
			require.Equal(t, http.StatusFound, c.visit(t, callback).StatusCode)
			orders = append(orders, orderIn(callback))
		}
		for range paceDebt {
			c.account.pace.count()
		}
		ctx, stop := context.WithCancel(t.Context())
		var stopped sync.WaitGroup
		stopped.Go(func() { (&clerk{books: c.books, logger: c.logger}).run(ctx) })
		time.Sleep(10 * time.Second)

		for _, order := range orders {
			require.Equal(t, http.StatusOK, c.receive(t, c.notification(order)))
		}
		time.Sleep(2*rescanInterval + time.Second)
		open, err := c.ledger.Open(t.Context())
		require.NoError(t, err)
		assert.LessOrEqual(t, len(open), workers/2, "what has nothing left to do is off the index")

		time.Sleep(2 * time.Minute)
		open, err = c.ledger.Open(t.Context())
		require.NoError(t, err)
		assert.Empty(t, open)
		stop()
		stopped.Wait()
		require.NoError(t, c.simulator.Close())
		time.Sleep(10 * time.Second) // the storage's lock keeper notices
	})
}

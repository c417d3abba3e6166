package qfpayjsapi

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Many orders wait for the gateway, which nobody may ask for a while. All of them
// are paid by notifications, and have nothing left to do.
func TestEventsAreDeliveredWhileTheGatewayMayNotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, stop := testShopInFakeTime(t, nil, quick)
		defer stop()
		var orders []string
		for i := range 32 {
			orders = append(orders, c.prepare(t, fmt.Sprint("/pay/cat-food?ref=", i)))
		}
		require.NoError(t, c.store.Update(t.Context(), func(tx *ledger.Tx) error {
			return tx.HoldCalls(c.account(), time.Now().Add(50*time.Second))
		}))
		time.Sleep(10 * time.Second)
		require.Zero(t, c.simulator.Calls("query"))
		for _, order := range orders {
			require.Equal(t, http.StatusOK, c.receive(t, c.notification(order)))
		}
		assert.Len(t, c.heard.names(), len(orders), "at once")
		assert.True(t, c.isSettled(t))
		time.Sleep(2 * time.Minute)
		assert.Zero(t, c.simulator.Calls("query"), "there was nothing to ask")
	})
}

func TestTheReconcilerStaysBelowTheGatewaysLimitWhateverWaits(t *testing.T) {
	c := openTestShop(t, nil)
	for range 600 { // whose time is over at once
		c.dieAtCallback(t, false)
		clear(c.jar)
	}
	began, asked := c.now(), 0
	for minute := range 5 {
		c.work(t, began.Add(time.Duration(minute+1)*time.Minute).Sub(c.now()))
		calls := c.simulator.Calls("query") + c.simulator.Calls("close")
		assert.LessOrEqual(t, calls-asked, 400, "in a minute")
		asked = calls
	}
	assert.Positive(t, asked)
}

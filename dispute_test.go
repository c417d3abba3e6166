package qfpayjsapi

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// payAnotherAmount has a payer pay what the ledger does not ask for, which the
// gateway calls paid and therefore does not close.
func (c *counter) payAnotherAmount(t *testing.T) (order string) {
	t.Helper()
	callback := c.authorize(t, "/pay/cat-food")
	require.Equal(t, http.StatusFound, c.visit(t, callback).StatusCode)
	order = orderIn(callback)
	found, err := c.ledger.Find(t.Context(), order)
	require.NoError(t, err)
	found.Intent.Amount--
	require.NoError(t, c.ledger.Prepare(t.Context(), order, found.Intent, *found.Prepared))
	require.NoError(t, c.simulator.Pay(order))
	c.simulator.Inject(qfpaytest.Fault{Call: "close", Kind: qfpaytest.Respcd, Respcd: "1260", Times: -1})
	return order
}

func TestADisputeIsToldAtOnceAndTheOrderComesToItsEnd(t *testing.T) {
	program := startShopProgram(t, http.StatusInternalServerError)
	o := openOffice(t, withWebhook(program))
	order := o.payAnotherAmount(t)
	o.work(t, time.Minute)
	assert.Equal(t, ledger.StatusPending, o.status(t, order), "the right news may still come")
	assert.Equal(t, []string{"payment.disputed", "payment.disputed"}, program.types(), "and repeated, as any other")
	o.work(t, 23*time.Hour)
	assert.Equal(t, ledger.StatusPending, o.status(t, order))
	o.work(t, 5*time.Hour)
	assert.Equal(t, ledger.StatusClosed, o.status(t, order))
	assert.Equal(t, []string{"payment.disputed", "payment.disputed", "order.closed"}, program.types())
	assert.Less(t, o.simulator.Calls("query"), 100)
	open, err := o.ledger.Open(t.Context())
	require.NoError(t, err)
	assert.Empty(t, open)
}

func TestADisputeIsNewsOnce(t *testing.T) {
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := counterInBubble(t, root)
		var heard []string
		c.emit = func(event string, data map[string]any) {
			heard = append(heard, event)
			assert.EqualValues(t, 12800, data["gateway"].(map[string]any)["amount"], "what webhooks are told")
		}
		c.payAnotherAmount(t)
		ctx, stop := context.WithCancel(t.Context())
		var stopped sync.WaitGroup
		stopped.Go(func() { (&clerk{books: c.books, logger: c.logger}).run(ctx) })
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		assert.Equal(t, []string{"payment.disputed"}, heard)
		assert.Less(t, c.simulator.Calls("query"), 30, "the clerk asks about it no more often than about others")
		assert.Less(t, c.simulator.Calls("close"), 30)
		stop()
		stopped.Wait()
		require.NoError(t, c.simulator.Close())
		time.Sleep(10 * time.Second) // the storage's lock keeper notices
	})
}

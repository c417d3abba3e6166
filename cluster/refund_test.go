package cluster

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refund asks a node's admin API for a refund, and returns how it was answered.
func (n *node) refund(order, id string, amount int) (status int) {
	body := fmt.Sprintf(`{"refund_id":%q,"amount":%d}`, id, amount)
	answer, err := http.Post("http://"+n.admin+"/qfpay_jsapi/orders/"+order+"/refund", "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestTwoHundredRefundsAtBothNodesAtOnceNeverExceedWhatWasPaid(t *testing.T) {
	t.Parallel()
	c := openCluster(t, withNotifications)
	order := c.payer().prepare(t, c.one)
	require.NoError(t, c.gateway.Pay(order))
	c.requireSettledAsPaid(t, order)

	var all sync.WaitGroup
	var done, denied atomic.Int32
	for i := range 200 {
		n := c.one
		if i%2 == 1 {
			n = c.two
		}
		all.Go(func() {
			switch n.refund(order, fmt.Sprint("r", i), 300) {
			case http.StatusOK:
				done.Add(1)
			case http.StatusConflict:
				denied.Add(1)
			}
		})
	}
	all.Wait()
	trade, found := c.gateway.Trade(order)
	require.True(t, found)
	assert.EqualValues(t, 12600, trade.Refunded, "as often as 3.00 go into 128.00")
	assert.EqualValues(t, 42, done.Load())
	assert.EqualValues(t, 158, denied.Load())
	eventually(t, "the shop is told of each refund once", func() bool { return len(c.program.eventsOf(order)) == 43 })
	assert.Equal(t, "partially_refunded", c.payer().status(c.two, order))
}

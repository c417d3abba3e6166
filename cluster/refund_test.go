package cluster

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// refund asks a node's admin API for a refund, and again with the same id while
// the answer is that it is too busy or that the outcome is still to come, as
// its owner would. It returns the last answer.
func (n *node) refund(order, id string, amount int) (status int) {
	for range 60 {
		switch status = n.askRefund(order, id, amount); status {
		case http.StatusServiceUnavailable, http.StatusAccepted:
			time.Sleep(time.Second)
		default:
			return status
		}
	}
	return status
}

func (n *node) askRefund(order, id string, amount int) (status int) {
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
	var mutex sync.Mutex
	answers := map[int]int{}
	for i := range 200 {
		n := c.one
		if i%2 == 1 {
			n = c.two
		}
		all.Go(func() {
			status := n.refund(order, fmt.Sprint("r", i), 1200)
			mutex.Lock()
			defer mutex.Unlock()
			answers[status]++
		})
	}
	all.Wait()
	trade, found := c.gateway.Trade(order)
	require.True(t, found)
	assert.EqualValues(t, 12000, trade.Refunded, "as often as 12.00 go into 128.00")
	assert.Equal(t, map[int]int{http.StatusOK: 10, http.StatusConflict: 190}, answers)
	eventually(t, "the shop is told of each refund once", func() bool { return len(c.program.eventsOf(order)) == 11 })
	assert.Equal(t, "partially_refunded", c.payer().status(c.two, order))
}

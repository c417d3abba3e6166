package cluster

import (
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// sums are what all orders come to.
type sums struct {
	orders         int // paid ones
	paid, refunded int64
}

func (s *sums) add(other sums) {
	s.orders += other.orders
	s.paid += other.paid
	s.refunded += other.refunded
}

// settleDown waits until nothing is left to do.
func (c *cluster) settleDown(limit time.Duration) {
	c.t.Helper()
	began := time.Now()
	for {
		looked := time.Now()
		left := c.leftToDo()
		if len(left) == 0 {
			c.t.Logf("everything was settled after %s", time.Since(began).Round(time.Second))
			return
		}
		require.Less(c.t, time.Since(began), limit, "left to do: %s", left)
		time.Sleep(max(500*time.Millisecond, time.Since(looked))) // a look at thousands of orders leaves them the machine
	}
}

// leftToDo names what is not settled or told yet. Refunds that nobody can end before
// an hour count as settled.
func (c *cluster) leftToDo() (left []string) {
	for id, o := range c.records() {
		if o.Status == ledger.StatusPending {
			left = append(left, "pending "+id)
		}
		for _, refund := range c.unsettled(o) {
			left = append(left, "refund "+refund.Number)
		}
		for _, delivery := range o.deliveries {
			if delivery.Status == ledger.DeliveryDue {
				left = append(left, "webhook "+delivery.MessageID)
			}
		}
	}
	return left
}

// unsettled are the open refunds of an order that have to end soon: not one that was
// lost, which counts as over after an hour, and those that wait for it.
func (c *cluster) unsettled(o record) ledger.Refunds {
	open := o.refunds.Open()
	if slices.ContainsFunc(open, c.isLost) {
		return slices.DeleteFunc(open, func(r ledger.Refund) bool { return c.isLost(r) || r.Status == ledger.RefundWaiting })
	}
	return open
}

// isLost reports whether nobody is going to send a refund of which the gateway never
// heard: one that is marked as sent may still wait for its turn at the gateway.
func (c *cluster) isLost(refund ledger.Refund) bool {
	_, found := c.gateway.Trade(refund.Number)
	return !found && refund.Status == ledger.RefundSent && time.Since(refund.Sent) > longestSending
}

// longestSending is more than a refund takes from its mark to the gateway's answer.
const longestSending = 30 * time.Second

// compareBooks compares all who keep books, to the cent: the gateway, the ledger as
// every node sees it, its spreadsheet, its sums of days, and what the shop's program
// was told. It returns the orders.
func (c *cluster) compareBooks() map[string]row {
	c.t.Helper()
	nodes := c.alive()
	rows := nodes[0].export(c.t)
	for _, n := range nodes {
		require.Equal(c.t, rows, n.export(c.t), "all nodes say the same")
	}
	c.checkOrders(rows)
	c.checkRefundsUnderWay(rows)
	c.checkAskedOnce()
	c.checkMessages(rows)

	atTheGateway := c.gatewaySums()
	assert.Equal(c.t, atTheGateway, ledgerSums(rows), "the gateway and the ledger")
	assert.Equal(c.t, atTheGateway, nodes[0].exportCSV(c.t), "the gateway and the spreadsheet")
	assert.Equal(c.t, atTheGateway, c.dailySums(), "the gateway and the sums of the days")
	assert.Equal(c.t, atTheGateway, c.messageSums(), "the gateway and what the shop's program was told")
	c.t.Logf("%d orders, %d of them paid: HKD %.2f, of which %.2f went back; %d notifications sent, %d accepted; %d webhook deliveries; slowest webhook %s after the payment",
		len(rows), atTheGateway.orders, float64(atTheGateway.paid)/100, float64(atTheGateway.refunded)/100,
		len(c.gateway.Notifications()), c.accepted(), total(c.program.events()), c.slowestWebhook(rows))
	return rows
}

// checkOrders: each order is in the ledger what it is at the gateway.
func (c *cluster) checkOrders(rows map[string]row) {
	c.t.Helper()
	atTheGateway := make(map[string]bool)
	for _, trade := range c.gateway.Trades() {
		if trade.OrderType != qfpaytest.Payment {
			continue
		}
		require.False(c.t, atTheGateway[trade.OutTradeNo], "a second trade of %s", trade.OutTradeNo)
		atTheGateway[trade.OutTradeNo] = true
		order, known := rows[trade.OutTradeNo]
		require.True(c.t, known, "%s is at the gateway and not in the ledger", trade.OutTradeNo)
		assert.Contains(c.t, statusesOf(trade), order.Status, "%s, which is %s at the gateway", order.Order, trade.State)
		assert.Equal(c.t, trade.Amount, order.Amount, order.Order)
		assert.Equal(c.t, trade.Refunded, order.Refunded, "what went back of %s", order.Order)
	}
	for _, order := range rows {
		assert.True(c.t, atTheGateway[order.Order] || order.isOver(), "the gateway does not know %s, which is %s", order.Order, order.Status)
	}
}

// statusesOf are those that a settled order may have in the ledger.
func statusesOf(trade qfpaytest.Trade) []string {
	switch {
	case trade.State != qfpaytest.Paid:
		return []string{"failed", "closed"}
	case trade.Refunded == 0:
		return []string{"paid"}
	case trade.Refunded < trade.Amount:
		return []string{"partially_refunded"}
	default:
		return []string{"refunded"}
	}
}

// checkRefundsUnderWay: a refund has no end only if the gateway never heard of it.
func (c *cluster) checkRefundsUnderWay(rows map[string]row) {
	c.t.Helper()
	lost, waiting := 0, 0
	for id, o := range c.records() {
		open := o.refunds.Open()
		assert.Equal(c.t, len(open) > 0, rows[id].Refunding, "%s has a refund under way", id)
		assert.Empty(c.t, c.unsettled(o), "refunds of %s without an end", id)
		for _, refund := range open {
			if c.isLost(refund) {
				lost++
			} else {
				_, found := c.gateway.Trade(refund.Number)
				assert.False(c.t, found, "the refund %s, which waits", refund.Number)
				waiting++
			}
		}
	}
	if lost > 0 {
		c.t.Logf("%d refunds never reached the gateway, and %d wait for them", lost, waiting)
	}
}

// checkAskedOnce: no payment and no refund is sent twice.
func (c *cluster) checkAskedOnce() {
	c.t.Helper()
	for number, times := range c.asked() {
		assert.Equal(c.t, 1, times, "how often the gateway was asked for %s", number)
	}
}

// checkMessages: the shop's program is told of each event, under one id that means
// the same every time, and of none that did not happen.
func (c *cluster) checkMessages(rows map[string]row) {
	c.t.Helper()
	var due, once []string
	for id, order := range rows {
		if order.isPaid() {
			due = append(due, paidEvent(id))
		} else {
			due = append(due, closedEvent(id))
		}
		if order.Late {
			once = append(once, closedEvent(id)) // it had failed or was closed before
		}
	}
	for _, trade := range c.gateway.Trades() {
		if trade.OrderType == qfpaytest.Refund && trade.State == qfpaytest.Paid {
			due = append(due, refundEvent(trade.OrigOutTradeNo, trade.OutTradeNo))
		}
	}
	told := c.program.events()
	for _, id := range due {
		assert.Positive(c.t, told[id], "how often the shop is told of %s", id)
	}
	for id := range told {
		assert.True(c.t, slices.Contains(due, id) || slices.Contains(once, id), "the shop is told of %s, which did not happen", id)
	}
	assert.Empty(c.t, c.program.changed, "messages that did not say the same every time")
}

func (c *cluster) gatewaySums() (all sums) {
	for _, trade := range c.gateway.Trades() {
		if trade.OrderType == qfpaytest.Payment && trade.State == qfpaytest.Paid {
			all.add(sums{1, trade.Amount, trade.Refunded})
		}
	}
	return all
}

func ledgerSums(rows map[string]row) (all sums) {
	for _, order := range rows {
		if order.isPaid() {
			all.add(sums{1, order.Amount, order.Refunded})
		}
	}
	return all
}

func (c *cluster) messageSums() (all sums) {
	for _, told := range c.program.messages() {
		switch told.Type {
		case "order.paid":
			all.add(sums{orders: 1, paid: told.Data.Amount})
		case "order.refunded":
			all.add(sums{refunded: told.Data.Refund.Amount})
		}
	}
	return all
}

func total(events map[string]int) (sum int) {
	for _, times := range events {
		sum += times
	}
	return sum
}

func (c *cluster) accepted() (count int) {
	for _, notification := range c.gateway.Notifications() {
		if notification.Accepted {
			count++
		}
	}
	return count
}

// slowestWebhook is the longest time from a payment until the shop was told.
func (c *cluster) slowestWebhook(rows map[string]row) (slowest time.Duration) {
	for id, order := range rows {
		if order.isPaid() {
			trade, _ := c.gateway.Trade(id)
			told, _ := c.program.toldAt(paidEvent(id))
			slowest = max(slowest, told.Sub(trade.PayDtm))
		}
	}
	return slowest.Round(time.Millisecond)
}

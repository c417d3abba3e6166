package cluster

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// settleDown waits, in good weather, until nothing is left to do. Orders that
// nobody pays end with their time.
func (s *soak) settleDown() {
	s.t.Helper()
	began := time.Now()
	for {
		s.finishSlowRefunds()
		left := s.leftToDo(s.one.export(s.t))
		if len(left) == 0 {
			break
		}
		require.Less(s.t, time.Since(began), 4*time.Minute+2*orderTTL+*soakFor, "left to do: %s", left)
		time.Sleep(time.Second)
	}
	s.t.Logf("everything was settled %s after the storm", time.Since(began).Round(time.Second))
}

// finishSlowRefunds has the gateway make or refuse the refunds that took their
// time.
func (s *soak) finishSlowRefunds() {
	dice := s.dice("slow refunds")
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType != qfpaytest.Refund {
			continue
		}
		finish := oneOf(dice, s.gateway.Pay, s.gateway.Fail)
		if trade.State == qfpaytest.Open {
			require.NoError(s.t, finish(trade.OutTradeNo))
		}
	}
}

// leftToDo names what is not settled or told yet.
func (s *soak) leftToDo(ledger map[string]row) (left []string) {
	told := s.program.events()
	due := func(event string) {
		if told[event] == 0 {
			left = append(left, event)
		}
	}
	for _, order := range ledger {
		switch {
		case order.isPaid():
			due(paidEvent(order.Order))
		case order.isOver():
			due(closedEvent(order.Order))
		default:
			left = append(left, order.Status+" "+order.Order)
		}
	}
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType == qfpaytest.Refund && trade.State == qfpaytest.Paid {
			due(refundEvent(trade.OrigOutTradeNo, trade.Syssn))
		}
	}
	return left
}

// compareBooks compares all who keep books.
func (s *soak) compareBooks() {
	s.t.Helper()
	ledger := s.one.export(s.t)
	require.Equal(s.t, ledger, s.two.export(s.t), "both nodes say the same")
	logged := s.checkMetrics()
	s.checkOrders(ledger)
	s.checkRefundsUnderWay(ledger)
	s.checkAskedOnce()
	s.checkMessages(ledger)
	s.checkLogged(ledger, logged)

	atTheGateway := s.gatewaySums()
	assert.Equal(s.t, atTheGateway, ledgerSums(ledger), "the gateway and the ledger")
	assert.Equal(s.t, atTheGateway, s.messageSums(), "the gateway and what the shop's program was told")
	s.t.Logf("%d payers; %d orders, %d of them paid: HKD %.2f, of which %.2f went back; %d calls to the gateway, %d notifications sent, %d accepted; %d webhook deliveries; slowest webhook %s after the payment",
		s.payers.Load(), len(ledger), atTheGateway.orders, float64(atTheGateway.paid)/100, float64(atTheGateway.refunded)/100,
		s.calls(), len(s.gateway.Notifications()), s.accepted(), total(s.program.events()), s.slowestWebhook(paidOf(ledger)))
}

// checkOrders: each order is in the ledger what it is at the gateway.
func (s *soak) checkOrders(ledger map[string]row) {
	s.t.Helper()
	unknown := maps.Clone(ledger)
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType != qfpaytest.Payment {
			continue
		}
		order, known := ledger[trade.OutTradeNo]
		delete(unknown, trade.OutTradeNo)
		require.True(s.t, known, "%s is at the gateway and not in the ledger", trade.OutTradeNo)
		assert.Contains(s.t, statusesOf(trade), order.Status, "%s, which is %s at the gateway", order.Order, trade.State)
		assert.Equal(s.t, trade.Amount, order.Amount, order.Order)
		assert.Equal(s.t, trade.Refunded, order.Refunded, "what went back of %s", order.Order)
	}
	for _, order := range unknown {
		assert.True(s.t, order.isOver(), "the gateway does not know %s, which is %s", order.Order, order.Status)
	}
}

// statusesOf are those that an order may have in the ledger.
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

// checkRefundsUnderWay: a refund has no end only if the gateway never heard of
// it, which counts as certain after an hour.
func (s *soak) checkRefundsUnderWay(ledger map[string]row) {
	s.t.Helper()
	lost := 0
	for _, order := range ledger {
		if !order.Refunding {
			continue
		}
		heard, asked := 0, 0
		for _, fact := range s.one.show(s.t, order.Order).Facts {
			switch _, found := s.gateway.Trade(fact.Data.Number); {
			case !strings.HasPrefix(fact.Fact, "refunding-"):
			case found:
				heard++
			default:
				asked++
			}
		}
		assert.Positive(s.t, asked, "%s has a refund under way, and the gateway knows all of its %d", order.Order, heard)
		lost += asked
	}
	s.t.Logf("%d refunds never reached the gateway", lost)
}

// checkAskedOnce: no payment and no refund is sent twice.
func (c *cluster) checkAskedOnce() {
	c.t.Helper()
	asked := c.one.line.askedByNumber()
	for number, times := range c.two.line.askedByNumber() {
		asked[number] += times
	}
	for number, times := range asked {
		assert.Equal(c.t, 1, times, "how often the gateway was asked for %s", number)
	}
}

// checkMessages: the shop's program is told of every payment, under one id that
// means the same every time, and of none that was not made.
func (s *soak) checkMessages(ledger map[string]row) {
	s.t.Helper()
	assert.Empty(s.t, s.program.changed, "messages that did not say the same every time")
	for id, told := range s.program.messages() {
		if told.Type != "order.paid" {
			continue
		}
		assert.Equal(s.t, paidEvent(told.Data.Order), id)
		assert.True(s.t, ledger[told.Data.Order].isPaid(), "the shop was told that %s is paid", told.Data.Order)
	}
}

// aroundADeath is how long before its end a node may have learned of something
// that it did not come to log and count.
const aroundADeath = 3 * time.Second

// checkLogged: what the ledger says of money is in some node's log, unless that
// node was killed at that moment.
func (s *soak) checkLogged(ledger map[string]row, logged diary) {
	s.t.Helper()
	silent := 0
	check := func(amount, said int64, order, fact string) {
		if amount == said {
			return
		}
		at := s.one.show(s.t, order).factAt(fact)
		assert.Zero(s.t, said, "%s of %s", fact, order)
		assert.True(s.t, s.someoneDied(at), "no log tells of %s of %s, at %s, when no node died", fact, order, at)
		silent++
	}
	for _, order := range ledger {
		if order.isPaid() {
			check(order.Amount, logged.paid[order.Order], order.Order, "paid")
		}
	}
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType == qfpaytest.Refund && trade.State == qfpaytest.Paid {
			check(trade.Amount, logged.refunded[trade.Syssn], trade.OrigOutTradeNo, "refund-"+trade.Syssn)
		}
	}
	for order := range logged.paid {
		assert.True(s.t, ledger[order].isPaid(), "a log tells of a payment of %s", order)
	}
	s.t.Logf("%d payments and refunds are in no log, for their node was killed", silent)
}

func (s *soak) someoneDied(at time.Time) bool {
	return slices.ContainsFunc(s.lives, func(l *life) bool {
		return at.Before(l.ended) && at.After(l.ended.Add(-aroundADeath))
	})
}

func (s *soak) gatewaySums() (all sums) {
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType == qfpaytest.Payment && trade.State == qfpaytest.Paid {
			all.add(sums{1, trade.Amount, trade.Refunded})
		}
	}
	return all
}

func ledgerSums(ledger map[string]row) (all sums) {
	for _, order := range ledger {
		if order.isPaid() {
			all.add(sums{1, order.Amount, order.Refunded})
		}
	}
	return all
}

func (s *soak) messageSums() (all sums) {
	for _, told := range s.program.messages() {
		switch told.Type {
		case "order.paid":
			all.add(sums{orders: 1, paid: told.Data.Amount})
		case "order.refunded":
			all.add(sums{refunded: told.Data.Refund.Amount})
		}
	}
	return all
}

func paidOf(ledger map[string]row) (orders []string) {
	for _, order := range ledger {
		if order.isPaid() {
			orders = append(orders, order.Order)
		}
	}
	return orders
}

func (s *soak) calls() (count int) {
	for _, call := range qfpaytest.CallNames() {
		count += s.gateway.Calls(call)
	}
	return count
}

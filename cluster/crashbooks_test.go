package cluster

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// compareBooks compares the gateway, the ledger as node two sees it, and what
// the shop's program was told.
func (s *story) compareBooks() {
	s.t.Helper()
	eventually(s.t, "nothing is left on the index that does not wait for its hour", func() bool { return len(s.leftToDo()) == 0 })
	s.checkOrders()
	s.checkRefund()
	s.checkMessages()
	s.checkAskedOnce()
}

// open are the orders on the index, as Redis has it; an order as often as there
// is news of it, besides.
func (s *story) open() (orders []string) {
	for n := range 16 {
		folder := fmt.Sprintf("shop/qfpay_jsapi/%s/open/%x", ledgerName, n)
		for _, entry := range s.redis.list("ZRANGE", folder, "0", "-1") {
			order, _, _ := strings.Cut(entry, ".")
			orders = append(orders, order)
		}
	}
	return orders
}

// leftToDo are the orders on the index, but for those which must stay there for
// an hour: one without an intent, of which the gateway never heard, and one with
// a refund that nobody came to send.
func (s *story) leftToDo() (left []string) {
	ledger := s.two.export(s.t)
	for _, order := range s.open() {
		_, begun := ledger[order]
		stray := !begun && s.paymentsOf(order) == 0
		waits := order == s.order && s.lost
		if !stray && !waits {
			left = append(left, order)
		}
	}
	return left
}

// checkOrders: the gateway has one payment that could be paid and was, and each
// order is in the ledger what it is at the gateway.
func (s *story) checkOrders() {
	s.t.Helper()
	ledger := s.two.export(s.t)
	var paid []string
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType != qfpaytest.Payment {
			continue
		}
		require.Contains(s.t, ledger, trade.OutTradeNo, "it is %s at the gateway", trade.State)
		if trade.State == qfpaytest.Paid {
			paid = append(paid, trade.OutTradeNo)
		}
	}
	assert.Equal(s.t, []string{s.order}, paid, "what is paid at the gateway")
	for order, row := range ledger {
		if order != s.order {
			assert.True(s.t, row.isOver(), "%s, which nobody can pay, is %s", order, row.Status)
			continue
		}
		trade, _ := s.gateway.Trade(order)
		assert.Contains(s.t, statusesOf(trade), row.Status)
		assert.Equal(s.t, trade.Amount, row.Amount)
		assert.Equal(s.t, trade.Refunded, row.Refunded)
	}
}

// checkRefund: the money went back once, or is reserved until it is certain that
// the gateway never heard of the refund.
func (s *story) checkRefund() {
	s.t.Helper()
	trade, _ := s.gateway.Trade(s.order)
	row := s.two.export(s.t)[s.order]
	assert.Equal(s.t, s.lost, row.Refunding, "a refund is under way")
	if s.lost {
		assert.Zero(s.t, trade.Refunded)
		assert.Contains(s.t, s.open(), s.order)
		return
	}
	assert.EqualValues(s.t, refundAmount, trade.Refunded)
}

// checkMessages: the program is told of each event under one id, and of none
// that did not happen.
func (s *story) checkMessages() {
	s.t.Helper()
	var due []string
	for order, row := range s.two.export(s.t) {
		if row.isPaid() {
			due = append(due, paidEvent(order))
		} else {
			due = append(due, closedEvent(order))
		}
	}
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType == qfpaytest.Refund {
			due = append(due, refundEvent(trade.OrigOutTradeNo, trade.Syssn))
		}
	}
	told := s.program.events()
	for id, times := range told {
		assert.Contains(s.t, due, id)
		assert.LessOrEqual(s.t, times, 2, "%s is told again only if a node was killed before it could remember", id)
	}
	assert.Len(s.t, told, len(due), "events that the shop is told, of %s", due)
	assert.Empty(s.t, s.program.changed, "messages that did not say the same every time")
}

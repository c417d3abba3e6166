package cluster

import (
	"slices"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// settleDown waits, in good weather, until nothing is left to do. Orders that
// nobody pays end with their time.
func (s *soak) settleDown() {
	s.t.Helper()
	s.finishSlowRefunds()
	s.cluster.settleDown(4*time.Minute + 2*orderTTL + *soakFor)
}

// compareBooks compares all who keep books, the logs and metrics included.
func (s *soak) compareBooks() {
	s.t.Helper()
	logged := s.checkMetrics()
	ledger := s.cluster.compareBooks()
	s.checkLogged(ledger, logged)
	s.t.Logf("%d payers; calls to the gateway: %v", s.payers.Load(), s.calls())
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

// aroundADeath is how long before the end of a node or of PostgreSQL something may
// have become durable that nobody came to log and count.
const aroundADeath = 3 * time.Second

// checkLogged: what the ledger says of money is in some node's log, unless that
// node was killed at that moment, or lost PostgreSQL when it was about to hear that
// the step is durable.
func (s *soak) checkLogged(ledger map[string]row, logged diary) {
	s.t.Helper()
	silent := 0
	check := func(amount, said int64, order, event, about string) {
		if amount == said {
			return
		}
		at := s.one.show(s.t, order).at(event, about)
		assert.Zero(s.t, said, "%s of %s", event, order)
		assert.True(s.t, s.someoneDied(at), "no log tells of %s of %s, at %s, when nobody died", event, order, at)
		silent++
	}
	for _, order := range ledger {
		if order.isPaid() {
			check(order.Amount, logged.paid[order.Order], order.Order, "paid", "")
		}
	}
	refundIDs := s.refundIDs()
	for _, trade := range s.gateway.Trades() {
		if trade.OrderType == qfpaytest.Refund && trade.State == qfpaytest.Paid {
			check(trade.Amount, logged.refunded[trade.Syssn], trade.OrigOutTradeNo, "refunded", refundIDs[trade.OutTradeNo])
		}
	}
	for order := range logged.paid {
		assert.True(s.t, ledger[order].isPaid(), "a log tells of a payment of %s", order)
	}
	s.t.Logf("%d payments and refunds are in no log, for their node was killed or lost PostgreSQL", silent)
}

// refundIDs are the shop's ids of refunds by their numbers at the gateway.
func (s *soak) refundIDs() map[string]string {
	ids := make(map[string]string)
	for _, o := range s.records() {
		for _, refund := range o.refunds {
			ids[refund.Number] = refund.RefundID
		}
	}
	return ids
}

// someoneDied reports whether a node or PostgreSQL died just after a moment.
func (s *soak) someoneDied(at time.Time) bool {
	ends := slices.Clone(s.outages)
	for _, life := range s.lives {
		if !life.ended.IsZero() {
			ends = append(ends, life.ended)
		}
	}
	return slices.ContainsFunc(ends, func(end time.Time) bool {
		return at.Before(end) && at.After(end.Add(-aroundADeath))
	})
}

// calls are all calls to the gateway by their kinds.
func (s *soak) calls() map[string]int {
	calls := make(map[string]int)
	for _, call := range qfpaytest.CallNames() {
		calls[call] = s.gateway.Calls(call)
	}
	return calls
}

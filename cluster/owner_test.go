package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// refundAtRandom gives money back, of one in four orders that the shop's
// program is told of: once or several times a part, or all that is left.
func (c *cluster) refundAtRandom(storm context.Context, dice *rand.Rand, others *crew) {
	told := make(chan message, 1000)
	c.program.onFirst(func(m message) {
		select {
		case told <- m:
		default: // the owner cannot follow
		}
	})
	for {
		var paid message
		select {
		case <-storm.Done():
			c.program.onFirst(func(message) {})
			return
		case paid = <-told:
		}
		if paid.Type != "order.paid" || dice.Float64() >= 0.25 {
			continue
		}
		left := paid.Data.Amount
		for part := range 1 + dice.IntN(3) {
			amount := 1 + dice.Int64N(left)
			if dice.Float64() < 0.3 {
				amount = left
			}
			nodes := []*node{oneOf(dice, c.front.nodes...), oneOf(dice, c.front.nodes...), oneOf(dice, c.front.nodes...)}
			others.Go(func() { insistOnRefund(nodes, paid.Data.Order, fmt.Sprint("part", part), amount) })
			if left -= amount; left == 0 {
				break
			}
		}
	}
}

// insistOnRefund asks for the same refund at several nodes, until one knows
// what becomes of it.
func insistOnRefund(nodes []*node, order, id string, amount int64) {
	for _, n := range nodes {
		switch n.askRefund(order, id, int(amount)) {
		case http.StatusOK, http.StatusConflict:
			return
		}
		time.Sleep(time.Second)
	}
}

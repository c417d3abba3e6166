package qfpayjsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// orderDetail is all that the owner sees of an order, but for what the payer
// told the shop.
type orderDetail struct {
	orderRow
	Items   []ledger.Line `json:"items"`
	Invoice string        `json:"invoice,omitempty"`
	Left    int64         `json:"left"` // what can still be refunded
	Refunds []refundView  `json:"refunds"`
	Facts   []factView    `json:"facts"`
}

// factView is one thing that happened to an order.
type factView struct {
	Fact string         `json:"fact"`
	At   time.Time      `json:"at"`
	Data map[string]any `json:"data"`
}

func (b *books) detail(ctx context.Context, order ledger.Order) (orderDetail, error) {
	history, err := b.ledger.History(ctx, order.ID)
	if err != nil {
		return orderDetail{}, err
	}
	refunds, err := history.Refunds()
	if err != nil {
		return orderDetail{}, err
	}
	row, err := order.Row(history)
	if err != nil {
		return orderDetail{}, err
	}
	detail := orderDetail{orderRow: newOrderRow(b.name, row), Items: order.Intent.Lines, Refunds: []refundView{}}
	if detail.Items == nil {
		detail.Items = []ledger.Line{}
	}
	if order.Intent.Invoice != nil {
		detail.Invoice = order.Intent.Invoice.ID
	}
	if order.Paid != nil && order.Refunded == nil {
		detail.Left = refunds.Left(order.Intent.Amount)
	}
	for _, refunding := range refunds.Asked {
		detail.Refunds = append(detail.Refunds, viewRefund(order, refunding))
	}
	detail.Facts, err = timeline(history)
	return detail, err
}

// unshown are the parts of facts that are for the payer's browser alone, or
// that the payer told the shop.
var unshown = []string{"fields", "token", "pay_url", "pay_params"}

// timeline is what happened, in its order.
func timeline(history ledger.History) ([]factView, error) {
	facts := make([]factView, 0, len(history))
	for name, value := range history {
		fact := factView{Fact: name}
		if err := json.Unmarshal(value, &fact.Data); err != nil {
			return nil, err
		}
		if at, ok := fact.Data["at"].(string); ok {
			fact.At, _ = time.Parse(time.RFC3339Nano, at)
			delete(fact.Data, "at")
		}
		if invoice, ok := fact.Data["invoice"].(map[string]any); ok {
			delete(invoice, "token")
		}
		for _, part := range unshown {
			delete(fact.Data, part)
		}
		facts = append(facts, fact)
	}
	slices.SortFunc(facts, func(a, b factView) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Fact, b.Fact))
	})
	return facts, nil
}

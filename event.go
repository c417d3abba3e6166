package qfpayjsapi

import (
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// event is something that the shop is told. It follows from facts: nothing is
// queued that could be lost.
type event struct {
	key  string // names the event in the ledger, and with the order in webhook-id
	kind string // order.paid, …
	at   time.Time
	data map[string]any
	log  []zap.Field // that name what it is about
}

// messageID is the same over all attempts, restarts and nodes.
func messageID(subject, key string) string {
	return "msg_" + strings.ReplaceAll(subject, ".", "_") + "_" + key
}

// orderEvents derives what the shop is told from what happened.
func orderEvents(order ledger.Order, history ledger.History, refunds ledger.Refunds) ([]event, error) {
	var events []event
	add := func(key, kind string, at time.Time, more map[string]any) {
		data := eventData(order)
		maps.Copy(data, more)
		events = append(events, event{key, kind, at, data, orderFields(order.ID, order.Intent)})
	}
	if order.Failed != nil && order.Closed == nil {
		add("closed", "order.closed", order.Failed.At, map[string]any{"status": ledger.StatusFailed})
	}
	if order.Closed != nil {
		add("closed", "order.closed", order.Closed.At, map[string]any{"status": ledger.StatusClosed})
	}
	if order.Paid != nil {
		add("paid", "order.paid", order.Paid.At, map[string]any{"status": ledger.StatusPaid})
	}
	for _, number := range slices.Sorted(maps.Keys(refunds.Done)) {
		refund := refunds.Done[number]
		add("refund-"+number, "order.refunded", refund.At, map[string]any{"refund": refundData(refund, refunds)})
	}
	if order.Refunded != nil && refunds.Given() < order.Intent.Amount { // by refunds that only the whole tells of
		add("refunded", "order.refunded", order.Refunded.At, nil)
	}
	disputes, err := disputeEvents(order, history)
	return append(events, disputes...), err
}

// disputeEvents are those about what the gateway vouches for that was not
// ordered.
func disputeEvents(order ledger.Order, history ledger.History) (events []event, err error) {
	disputes, err := history.Disputes()
	for _, number := range slices.Sorted(maps.Keys(disputes)) {
		dispute, data := disputes[number], eventData(order)
		maps.Copy(data, disputeData(dispute))
		events = append(events, event{"disputed-" + number, "payment.disputed", dispute.At, data, orderFields(order.ID, order.Intent)})
	}
	return events, err
}

// eventData is what webhooks and Caddy events say of an order: money in minor
// units with the currency beside it, what the payer told the shop, and nothing
// else of the payer.
func eventData(order ledger.Order) map[string]any {
	items := make([]map[string]any, len(order.Intent.Lines))
	for i, line := range order.Intent.Lines {
		items[i] = map[string]any{"item": line.Item, "name": line.Name, "quantity": line.Quantity, "price": line.Price}
	}
	data := map[string]any{
		"order":          order.ID,
		"status":         order.Status(),
		"amount":         order.Intent.Amount,
		"currency":       order.Intent.Currency,
		"display_amount": checkout.Decimal(order.Intent.Amount, order.Intent.Currency),
		"description":    order.Intent.Description,
		"ref":            order.Intent.Ref,
		"items":          items,
	}
	if len(order.Intent.Fields) > 0 {
		data["fields"] = order.Intent.Fields
	}
	if invoice := order.Intent.Invoice; invoice != nil {
		data["invoice"] = invoice.ID
	}
	if order.Paid != nil {
		data["syssn"] = order.Paid.Syssn
		data["paid_at"] = paidAt(order)
		data["late"] = order.Late()
	}
	return data
}

func disputeData(dispute ledger.Disputed) map[string]any {
	return map[string]any{"gateway": map[string]any{"syssn": dispute.Syssn, "amount": dispute.Amount, "currency": dispute.Currency}}
}

func orphanData(orphan ledger.Orphan) map[string]any {
	return map[string]any{
		"syssn": orphan.Syssn, "out_trade_no": orphan.OutTradeNo,
		"amount": orphan.Amount, "currency": orphan.Currency, "notify_type": orphan.NotifyType,
	}
}

package orders

import (
	"maps"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// The names under which webhooks, mails and Caddy's event handlers hear of changes.
// Webhooks hear nothing of the last three, and event handlers nothing of the last.
const (
	EventPaid      = "order.paid"
	EventClosed    = "order.closed"
	EventRefunded  = "order.refunded"
	EventFulfilled = "order.fulfilled"
	EventDisputed  = "payment.disputed"
	EventOrphaned  = "payment.orphaned"
	EventStuck     = "refund.stuck"
	EventCompared  = "payments.compared"
	EventGaveUp    = "delivery.gave_up"
)

// orderData is what events say of an order: money in minor units with the currency
// beside it, what the payer told the shop, and nothing else of the payer.
func orderData(o ledger.Order, more map[string]any) map[string]any {
	items := make([]map[string]any, len(o.Intent.Lines))
	for i, line := range o.Intent.Lines {
		items[i] = map[string]any{"item": line.Item, "name": line.Name, "quantity": line.Quantity, "price": line.Price}
	}
	data := map[string]any{
		"shop":           o.Shop,
		"order":          o.ID,
		"status":         string(o.Status),
		"method":         o.Method,
		"amount":         o.Intent.Amount,
		"currency":       o.Intent.Currency,
		"display_amount": qfpay.Decimal(o.Intent.Amount, o.Intent.Currency),
		"description":    o.Intent.Description,
		"ref":            o.Intent.Ref,
		"items":          items,
	}
	if len(o.Intent.Fields) > 0 {
		data["fields"] = plainFields(o.Intent.Fields)
	}
	if o.Intent.Locale != "" {
		data["locale"] = o.Intent.Locale
	}
	if o.Intent.Invoice != nil {
		data["invoice"] = o.Intent.Invoice.ID
	}
	if o.Status.Paid() {
		data["syssn"] = o.Syssn
		data["paid_at"] = o.PaidAt.UTC().Format(time.RFC3339Nano)
		data["late"] = o.Late
	}
	if o.LacksStock() {
		data["stock"] = stockShort
	}
	maps.Copy(data, more)
	return data
}

// plainFields are what event handlers get: a string for one value, several strings
// for several.
func plainFields(fields ledger.Fields) map[string]any {
	plain := make(map[string]any, len(fields))
	for name, values := range fields {
		plain[name] = []string(values)
		if len(values) == 1 {
			plain[name] = values[0]
		}
	}
	return plain
}

func orphanData(o ledger.Orphan) map[string]any {
	data := map[string]any{
		"shop": o.Shop, "syssn": o.Syssn, "out_trade_no": o.OutTradeNo,
		"amount": o.Amount, "currency": o.Currency, "notify_type": o.NotifyType,
	}
	for name, value := range map[string]string{"orig_syssn": o.OrigSyssn, "orig_out_trade_no": o.OrigOutTradeNo} {
		if value != "" {
			data[name] = value
		}
	}
	return data
}

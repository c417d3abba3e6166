package qfpayjsapi

import (
	"context"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// settle adds to an order what the gateway says of its trade. Only a trade
// with our number, our amount and our currency counts.
func (h *Handler) settle(ctx context.Context, order ledger.Order, trade qfpay.Trade) (ledger.Order, error) {
	if trade.OutTradeNo != order.ID || trade.OrderType != "payment" {
		return order, nil
	}
	fields := append(orderFields(order.ID, order.Intent), zap.String("syssn", trade.Syssn), zap.String("respcd", trade.Respcd))
	if trade.Amount != order.Intent.Amount || trade.Currency != order.Intent.Currency {
		h.logger.Error("the gateway reports another amount or currency for this order; it does not count as paid",
			append(fields, zap.Int64("gateway_amount", trade.Amount), zap.String("gateway_currency", trade.Currency))...)
		return order, nil
	}
	switch trade.State() {
	case qfpay.TradePaid:
		paid := ledger.Paid{At: h.now().UTC(), PaidAt: trade.PaidAt, Syssn: trade.Syssn, Source: "enquiry"}
		order.Paid = &paid
		h.logger.Info("paid", fields...)
		return order, h.end(ctx, order.ID, paid)
	case qfpay.TradeDead, qfpay.TradeReversed:
		failed := ledger.Failed{At: h.now().UTC(), Call: "query", Respcd: trade.Respcd, Message: trade.ErrMsg}
		order.Failed = &failed
		h.logger.Info("the gateway ended the trade without a payment", fields...)
		return order, h.end(ctx, order.ID, failed)
	default:
		return order, nil
	}
}

// end adds the fact that ends an order and takes it off the open orders.
func (h *Handler) end(ctx context.Context, order string, fact ledger.Fact) error {
	if err := h.ledger.Record(ctx, order, fact); err != nil {
		return err
	}
	return h.ledger.Finish(ctx, order)
}

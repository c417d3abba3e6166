package qfpayjsapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// The log has one line for each station that an order passes. ERROR means that
// a person is needed: money or an order would stay wrong, the shop's own
// configuration is refused, or storage failed while somebody waited for it.
// What is tried again by itself is a WARN.

// orderFields are the fields by which every log line names an order.
func orderFields(order string, intent ledger.Intent) []zap.Field {
	items := make([]string, len(intent.Lines))
	for i, line := range intent.Lines {
		items[i] = line.Item
	}
	return []zap.Field{
		zap.String("order", order),
		zap.String("item", strings.Join(items, ",")),
		zap.Int64("amount", intent.Amount),
		zap.String("currency", intent.Currency),
	}
}

func orphanFields(orphan ledger.Orphan) []zap.Field {
	return []zap.Field{
		zap.String("out_trade_no", orphan.OutTradeNo), zap.String("syssn", orphan.Syssn),
		zap.Int64("amount", orphan.Amount), zap.String("currency", orphan.Currency),
	}
}

// noteStart is the line of a station that nobody has been vouched for at. It is
// for debugging, so that bots and link previews do not fill the log.
func (h *Handler) noteStart(station, order string, intent ledger.Intent) {
	if line := h.logger.Check(zap.DebugLevel, station); line != nil {
		line.Write(orderFields(order, intent)...)
	}
}

// seconds is how long a station took.
func (b *books) seconds(began time.Time) zap.Field {
	return zap.Float64("seconds", b.now().Sub(began).Seconds())
}

// failureFields say why a call failed, with the gateway's code in a field of
// its own.
func failureFields(err error) []zap.Field {
	fields := []zap.Field{zap.Error(err)}
	if failure, ok := errors.AsType[*qfpay.Error](err); ok && failure.Respcd != "" {
		fields = append(fields, zap.String("respcd", failure.Respcd))
	}
	return fields
}

// failureLevel is ERROR if the gateway, or WeChat, refuses the shop's own
// configuration: no payment succeeds until somebody mends it.
func failureLevel(err error) zapcore.Level {
	if faultOf(err) == qfpay.FaultShop.String() {
		return zap.ErrorLevel
	}
	return zap.WarnLevel
}

// faultOf is where the cause of a failed call lies, in the word that qfpay has
// for it, and wechat too; "" for other errors.
func faultOf(err error) string {
	if failure, ok := errors.AsType[*qfpay.Error](err); ok {
		return failure.Fault.String()
	}
	if failure, ok := errors.AsType[*wechat.Error](err); ok {
		return failure.Fault.String()
	}
	return ""
}

// once is the log for what is to be said once, and nowhere after that.
func (b *books) once(what string) *zap.Logger {
	if b.account.first("said " + what) {
		return b.logger
	}
	return zap.NewNop()
}

// query asks the gateway about an order or a refund of it, and says what it
// said.
func (b *books) query(ctx context.Context, order ledger.Order, query qfpay.Query) ([]qfpay.Trade, error) {
	began := b.now()
	trades, err := b.gateway.Query(ctx, query)
	number := cmp.Or(query.OutTradeNo, order.ID) // a refund has one of its own
	fields := append(orderFields(order.ID, order.Intent), zap.String("out_trade_no", number), b.seconds(began))
	if err != nil {
		b.logger.Log(failureLevel(err), "the enquiry failed; it is made again", append(fields, failureFields(err)...)...)
		return nil, err
	}
	syssn, respcd := query.Syssn, ""
	for _, trade := range trades {
		if trade.OutTradeNo == number {
			syssn, respcd = trade.Syssn, trade.Respcd
		}
	}
	b.logger.Info("enquiry", append(fields, zap.Int("trades", len(trades)), zap.String("syssn", syssn), zap.String("respcd", respcd))...)
	return trades, nil
}

// noteTrouble says that an enquiry was not made, or what it said not stored.
// Of the gateway's errors query has told.
func (b *books) noteTrouble(order ledger.Order, err error) {
	if _, told := errors.AsType[*qfpay.Error](err); err == nil || told {
		return
	}
	b.logger.Warn("storage kept an enquiry from settling the order; it stays open",
		append(orderFields(order.ID, order.Intent), zap.Error(err))...)
}

// noteReturn says how the payer found the order, once for each status: the page
// looks again by itself.
func (h *Handler) noteReturn(order ledger.Order, began time.Time) {
	fields := append(orderFields(order.ID, order.Intent), zap.String("status", string(order.Status())), h.seconds(began))
	switch {
	case order.Paid != nil:
		fields = append(fields, zap.String("syssn", order.Paid.Syssn))
	case order.Prepared != nil:
		fields = append(fields, zap.String("syssn", order.Prepared.Syssn))
	}
	h.once("return "+order.ID+" "+string(order.Status())).Info("return", fields...)
}

// unreadable says that the ledger could not be read for a request, unless it
// was the request that ended.
func (h *Handler) unreadable(r *http.Request, order string, err error) {
	if r.Context().Err() == nil {
		h.logger.Error("the ledger cannot be read; whoever asked was told to try again", zap.String("order", order), zap.Error(err))
	}
}

// whither is where a callback leads, in a word for the log.
func (t turn) whither() string {
	switch {
	case t.payURL != "":
		return "pay"
	case t.settled:
		return "return"
	case t.unknown:
		return "unknown"
	case t.restart != nil:
		return "start"
	default:
		return "problem"
	}
}

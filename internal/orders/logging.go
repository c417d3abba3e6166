package orders

import (
	"runtime/debug"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// logPanic is deferred by what must survive what should not happen.
func logPanic(log *zap.Logger, fields ...zap.Field) {
	if panicked := recover(); panicked != nil {
		log.Error("panic", append(fields, zap.Any("panic", panicked), zap.ByteString("stack", debug.Stack()))...)
	}
}

// IntentFields are the fields by which log lines name an order before the ledger
// has it.
func IntentFields(order string, intent ledger.Intent) []zap.Field {
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

func orphanFields(o ledger.Orphan) []zap.Field {
	return []zap.Field{
		zap.String("out_trade_no", o.OutTradeNo), zap.String("syssn", o.Syssn),
		zap.Int64("amount", o.Amount), zap.String("currency", o.Currency),
	}
}

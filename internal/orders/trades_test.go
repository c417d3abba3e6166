package orders

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

type deaf struct{}

func (deaf) Called(string, string, time.Duration, error) {}
func (deaf) Changed(Change)                              {}
func (deaf) Open(map[string]int)                         {}

func TestOnlyATradeWithOurNumberAmountAndCurrencyCounts(t *testing.T) {
	const number = "01M821FMT07W1N4ZJ6X0Q3V5YB"
	good := qfpay.Trade{Syssn: "1", OutTradeNo: number, OrderType: "payment", Respcd: "0000", Cancel: "0", Amount: 12800, Currency: "HKD"}
	for _, test := range []struct {
		name   string
		change func(*qfpay.Trade)
		status ledger.Status
	}{
		{"as it was ordered", func(*qfpay.Trade) {}, ledger.StatusPaid},
		{"another amount", func(t *qfpay.Trade) { t.Amount = 1 }, ledger.StatusPending},
		{"another currency", func(t *qfpay.Trade) { t.Currency = "JPY" }, ledger.StatusPending},
		{"no currency", func(t *qfpay.Trade) { t.Currency = "" }, ledger.StatusPaid},
		{"another number", func(t *qfpay.Trade) { t.OutTradeNo = "X" }, ledger.StatusPending},
		{"a refund", func(t *qfpay.Trade) { t.OrderType = "refund" }, ledger.StatusPending},
		{"still open", func(t *qfpay.Trade) { t.Respcd = "1143" }, ledger.StatusPending},
		{"a code that nobody knows", func(t *qfpay.Trade) { t.Respcd = "7777" }, ledger.StatusPending},
		{"partly refunded", func(t *qfpay.Trade) { t.Cancel = "5" }, ledger.StatusPartiallyRefunded},
		{"reversed", func(t *qfpay.Trade) { t.Cancel = "1" }, ledger.StatusFailed},
		{"refunded", func(t *qfpay.Trade) { t.Cancel = "3" }, ledger.StatusRefunded},
		{"closed", func(t *qfpay.Trade) { t.Respcd = "1142" }, ledger.StatusFailed},
		{"cancelled, but for another amount", func(t *qfpay.Trade) { t.Respcd, t.Amount = "2007", 1 }, ledger.StatusPending},
	} {
		t.Run(test.name, func(t *testing.T) {
			opened, err := ledger.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), nil)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, opened.Close()) })
			s := New(Config{Shop: "peaks", Account: "A", Ledger: opened, Shops: NewShops(), Observer: deaf{}, Log: zap.NewNop()})
			intent := ledger.Intent{At: time.Now(), Amount: 12800, Currency: "HKD"}
			_, _, err = s.Claim(t.Context(), ledger.Order{ID: number, Intent: intent, Expires: time.Now().Add(time.Hour)})
			require.NoError(t, err)
			trade := good
			test.change(&trade)
			settled, err := s.settleAll(t.Context(), number, []report{reportOfTrade(trade)}, (*step).settle)
			require.NoError(t, err)
			assert.Equal(t, test.status, settled.Status)
			stored, err := s.Find(t.Context(), number)
			require.NoError(t, err)
			assert.Equal(t, settled.Status, stored.Status)
			assert.Equal(t, settled.CheckAt.IsZero(), stored.CheckAt.IsZero())
		})
	}
}

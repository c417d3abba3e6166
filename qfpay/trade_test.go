package qfpay

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatATradeProves(t *testing.T) {
	for name, test := range map[string]struct {
		trade Trade
		want  TradeState
	}{
		"paid":                         {Trade{OrderType: "payment", Respcd: "0000", Cancel: "0"}, TradePaid},
		"paid and partly refunded":     {Trade{OrderType: "payment", Respcd: "0000", Cancel: "5"}, TradePaid},
		"reversed":                     {Trade{OrderType: "payment", Respcd: "0000", Cancel: "1"}, TradeReversed},
		"cancelled after it was paid":  {Trade{OrderType: "payment", Respcd: "0000", Cancel: "2"}, TradeReversed},
		"refunded":                     {Trade{OrderType: "payment", Respcd: "0000", Cancel: "3"}, TradeReversed},
		"closed":                       {Trade{OrderType: "payment", Respcd: "1142", Cancel: "0"}, TradeDead},
		"closed, of the other code":    {Trade{OrderType: "payment", Respcd: "1264", Cancel: "0"}, TradeDead},
		"expired":                      {Trade{OrderType: "payment", Respcd: "1181", Cancel: "0"}, TradeDead},
		"expired, of the other code":   {Trade{OrderType: "payment", Respcd: "2005", Cancel: "0"}, TradeDead},
		"cancelled":                    {Trade{OrderType: "payment", Respcd: "1263", Cancel: "2"}, TradeDead},
		"cancelled, of the other code": {Trade{OrderType: "payment", Respcd: "2007"}, TradeDead},
		"waiting for the payer":        {Trade{OrderType: "payment", Respcd: "1143", Cancel: "0"}, TradeOpen},
		"being processed":              {Trade{OrderType: "payment", Respcd: "1145", Cancel: "0"}, TradeOpen},
		"of an unknown code":           {Trade{OrderType: "payment", Respcd: "9999", Cancel: "0"}, TradeOpen},
		"of no code":                   {Trade{OrderType: "payment", Cancel: "0"}, TradeOpen},
		"of an unknown cancel":         {Trade{OrderType: "payment", Respcd: "0000", Cancel: "4"}, TradeOpen},
		"of no cancel":                 {Trade{OrderType: "payment", Respcd: "0000"}, TradeOpen},
		"a refund that succeeded":      {Trade{OrderType: "refund", Respcd: "0000", Cancel: "0"}, TradeOpen},
		"a refund that was closed":     {Trade{OrderType: "refund", Respcd: "1142", Cancel: "0"}, TradeOpen},
		"of no type":                   {Trade{Respcd: "0000", Cancel: "0"}, TradeOpen},
		"nothing at all":               {Trade{}, TradeOpen},
	} {
		assert.Equal(t, test.want, test.trade.State(), name)
	}
}

func TestTradeStatesHaveNames(t *testing.T) {
	assert.Equal(t, "open", TradeOpen.String())
	assert.Equal(t, "paid", TradePaid.String())
	assert.Equal(t, "reversed", TradeReversed.String())
	assert.Equal(t, "dead", TradeDead.String())
	assert.Equal(t, "TradeState(9)", TradeState(9).String())
}

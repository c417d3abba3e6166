package qfpay

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func someRefund() Refund {
	return Refund{
		Syssn:      "20261123000200020000000001",
		OutTradeNo: "01JDCX0000000000000000TESTR7K2",
		Amount:     2800,
		Time:       time.Date(2026, 11, 23, 16, 4, 5, 0, time.UTC),
	}
}

func TestRefundIsSignedAndReturnsTheGatewaysNumber(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "/trade/v1/refund", r.URL.Path)
		assert.Empty(t, r.URL.RawQuery)
		assert.Equal(t, map[string]string{
			"syssn": "20261123000200020000000001", "out_trade_no": "01JDCX0000000000000000TESTR7K2",
			"txamt": "2800", "txdtm": "2026-11-24 00:04:05", "mchid": "MCH123",
		}, signedParams(t, r, MD5))
		says(200, `{"respcd": 0000, "syssn": "2", "out_trade_no": "01JDCX0000000000000000TESTR7K2", "txamt": 2800}`)(w, r)
	}), func(c *Config) { c.MchID = "MCH123" })
	syssn, err := client.Refund(t.Context(), someRefund())
	assert.NoError(t, err)
	assert.Equal(t, "2", syssn)
}

func TestAnImpossibleRefundIsNotSent(t *testing.T) {
	client := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the gateway was called") }))
	for name, test := range map[string]struct {
		change func(*Refund)
		want   string
	}{
		"no payment":            {func(r *Refund) { r.Syssn = "" }, "syssn must"},
		"no number":             {func(r *Refund) { r.OutTradeNo = "" }, "out_trade_no must"},
		"a number too long":     {func(r *Refund) { r.OutTradeNo = strings.Repeat("1", 129) }, "out_trade_no must"},
		"no amount":             {func(r *Refund) { r.Amount = 0 }, "txamt must"},
		"a negative amount":     {func(r *Refund) { r.Amount = -1 }, "txamt must"},
		"no time":               {func(r *Refund) { r.Time = time.Time{} }, "txdtm is missing"},
		"a number with a space": {func(r *Refund) { r.OutTradeNo = "a b" }, "out_trade_no must"},
	} {
		refund := someRefund()
		test.change(&refund)
		_, err := client.Refund(t.Context(), refund)
		assert.ErrorContains(t, err, "qfpay: refund: refused (request): "+test.want, name)
	}
}

func TestAYesThatIsNotAboutThisRefundIsUnknown(t *testing.T) {
	for name, reply := range map[string]string{
		"no syssn":            `{"respcd":"0000"}`,
		"the payment's syssn": `{"respcd":"0000","syssn":"20261123000200020000000001"}`,
		"another number":      `{"respcd":"0000","syssn":"2","out_trade_no":"other"}`,
		"another amount":      `{"respcd":"0000","syssn":"2","txamt":"2801"}`,
		"half a reply":        `{"respcd":"0000","syssn":"2"`,
	} {
		client := newClient(t, says(200, reply))
		_, err := client.Refund(t.Context(), someRefund())
		assert.Equal(t, Unknown, asError(t, err).Outcome, name)
	}
}

// refusedRefund is a refusal as it was seen: with the numbers of refund and
// payment, and none of the gateway's for the refund.
func refusedRefund(respcd, resperr string) string {
	return fmt.Sprintf(`{"resperr": %q, "respcd": %q, "respmsg": "", "out_trade_no": "01JDCX0000000000000000TESTR7K2",
		"orig_syssn": "20261123000200020000000001", "txamt": "2800", "txcurrcd": "HKD", "txdtm": "2026-11-24 00:04:05",
		"sysdtm": "2026-11-24 00:04:06"}`, resperr, respcd)
}

func TestWhyARefundIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		respcd, resperr string
		tomorrow        bool
		meaning         string
	}{
		"too little money today": {
			"1269", "當日未結算金額不足", true,
			"not today, there is too little money to take it from: try again tomorrow under a new id",
		},
		"not today": {
			"1265", "該訂單禁止退款", true,
			"not today, or not from 23:30 to 00:30 in Hong Kong: try again tomorrow under a new id",
		},
		"too late": {"1265", "超過可退款時限", false, "the time is over in which this payment could be refunded"},
		"too late, in simplified characters": {
			"1265", "超过可退款时限", false, "the time is over in which this payment could be refunded",
		},
		"not at all":             {"1155", "", false, "this payment cannot be refunded"},
		"a card payment":         {"1124", "", false, "a card payment of today can only be refunded as a whole"},
		"not paid":               {"1261", "", false, "the payment was not paid"},
		"refunded":               {"1125", "", false, "the payment was refunded already"},
		"refunded, another code": {"1262", "", false, "the payment was refunded already"},
		"reversed":               {"1264", "wrong cancel", false, "the payment was refunded or reversed already"},
		"another amount":         {"1266", "", false, "the amount is wrong"},
		"another payment":        {"1267", "", false, "the refund does not match the payment"},
		"not in part":            {"1270", "", false, "payments of this currency cannot be refunded in part"},
		"not this one in part":   {"1271", "", false, "this payment cannot be refunded in part"},
		"too much":               {"1272", "", false, "this is more than is left of the payment"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, says(200, refusedRefund(test.respcd, test.resperr)))
			_, err := client.Refund(t.Context(), someRefund())
			e := asError(t, err)
			assert.Equal(t, Refused, e.Outcome)
			assert.Equal(t, FaultRequest, e.Fault)
			assert.Equal(t, test.tomorrow, e.Tomorrow())
			assert.Equal(t, test.meaning, e.Meaning())
			assert.ErrorContains(t, e, test.meaning)

			row := Trade{OrderType: "refund", Respcd: test.respcd, ErrMsg: test.resperr}
			assert.Equal(t, RefundRefused, row.RefundState())
			assert.Equal(t, test.meaning, row.Meaning())
		})
	}
}

func TestARefundIsUnknownUnlessTheGatewayClearlyRefuses(t *testing.T) {
	for respcd, want := range map[string]Outcome{
		"1143": Unknown, "1145": Unknown, "2999": Unknown, "1161": Unknown, "1101": Unknown, "1252": Unknown,
		"1295": Unknown, "1296": Unknown, "1297": Unknown, "1298": Unknown, "2003": Unknown, "1260": Unknown, "9999": Unknown,
		// They are of payers, and a refund has none.
		"1118": Unknown, "1123": Unknown, "1147": Unknown, "1201": Unknown, "1202": Unknown, "1204": Unknown,
		"1136": Refused, "1108": Refused, "1264": Refused, "1205": Refused, "1104": Refused,
	} {
		client := newClient(t, says(200, refusedRefund(respcd, "")))
		_, err := client.Refund(t.Context(), someRefund())
		e := asError(t, err)
		assert.Equal(t, want, e.Outcome, respcd)
		assert.False(t, e.Tomorrow(), respcd)
	}
}

func TestOnlyARefundCanBeMadeTomorrow(t *testing.T) {
	assert.False(t, (&Error{Call: callPayment, Respcd: "1269"}).Tomorrow())
	assert.True(t, (&Error{Call: callRefund, Respcd: "1269"}).Tomorrow())
}

func TestRefundStates(t *testing.T) {
	for name, test := range map[string]struct {
		trade Trade
		want  RefundState
	}{
		"a payment":           {Trade{OrderType: "payment", Respcd: "0000"}, RefundOpen},
		"of no type":          {Trade{Respcd: "0000"}, RefundOpen},
		"done":                {Trade{OrderType: "refund", Respcd: "0000"}, RefundDone},
		"under the old name":  {Trade{OrderType: "cancel", Respcd: "0000"}, RefundDone},
		"being processed":     {Trade{OrderType: "refund", Respcd: "1145"}, RefundOpen},
		"not paid yet":        {Trade{OrderType: "refund", Respcd: "1143"}, RefundOpen},
		"at the channel":      {Trade{OrderType: "refund", Respcd: "2999"}, RefundOpen},
		"not found":           {Trade{OrderType: "refund", Respcd: "1136"}, RefundOpen},
		"of a wrong key":      {Trade{OrderType: "refund", Respcd: "1108"}, RefundOpen},
		"refused":             {Trade{OrderType: "refund", Respcd: "1265"}, RefundRefused},
		"over":                {Trade{OrderType: "refund", Respcd: "1142"}, RefundRefused},
		"a code nobody lists": {Trade{OrderType: "refund", Respcd: "9999"}, RefundOpen},
	} {
		assert.Equal(t, test.want, test.trade.RefundState(), name)
	}
	assert.Equal(t, "open done refused RefundState(7)",
		strings.Join([]string{RefundOpen.String(), RefundDone.String(), RefundRefused.String(), RefundState(7).String()}, " "))
}

func TestACloseIsNoRefund(t *testing.T) {
	for _, orderType := range []string{"close", "Close", "reversal", "payment", ""} {
		assert.Equal(t, RefundOpen, Trade{OrderType: orderType, Respcd: "0000"}.RefundState(), orderType)
	}
	for _, orderType := range []string{"refund", "Refund", "cancel"} {
		assert.Equal(t, RefundDone, Trade{OrderType: orderType, Respcd: "0000"}.RefundState(), orderType)
	}
}

package qfpay

import (
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

func TestWhatARefusedOrUnknownRefundIs(t *testing.T) {
	for respcd, want := range map[string]Outcome{
		"1143": Unknown, "1145": Unknown, "1161": Unknown, "1298": Unknown, "9999": Unknown,
		"1155": Refused, "1265": Refused, "1269": Refused, "1270": Refused, "1271": Refused, "1272": Refused,
		"1125": Refused, "1262": Refused, "1136": Refused, "1108": Refused,
	} {
		client := newClient(t, says(200, `{"respcd":"`+respcd+`"}`))
		_, err := client.Refund(t.Context(), someRefund())
		assert.Equal(t, want, asError(t, err).Outcome, respcd)
	}
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
		"refused":             {Trade{OrderType: "refund", Respcd: "1265"}, RefundRefused},
		"over":                {Trade{OrderType: "refund", Respcd: "1142"}, RefundRefused},
		"a code nobody lists": {Trade{OrderType: "refund", Respcd: "9999"}, RefundOpen},
	} {
		assert.Equal(t, test.want, test.trade.RefundState(), name)
	}
	assert.Equal(t, "open done refused RefundState(7)",
		strings.Join([]string{RefundOpen.String(), RefundDone.String(), RefundRefused.String(), RefundState(7).String()}, " "))
}

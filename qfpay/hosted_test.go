package qfpay

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func someHosted() Payment {
	payment := somePayment()
	payment.OpenID, payment.Hosted, payment.Currency = "", true, "CAD"
	return payment
}

func TestAHostedPaymentSendsNoOpenID(t *testing.T) {
	payment := someHosted()
	payment.ReturnURL = "https://pay.example.com/pay/return/N1?a=b%2Fc&d=é"
	client := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, map[string]string{
			"txamt":        "12800",
			"txcurrcd":     "CAD",
			"pay_type":     "800207",
			"out_trade_no": "01JDCX0000000000000000TEST",
			"txdtm":        "2026-11-24 00:04:05",
			"return_url":   "https://pay.example.com/pay/return/N1?a=b%2Fc&d=é",
		}, signedParams(t, r, MD5))
		says(200, `{"respcd":"0000","syssn":1,"sysdtm":"2026-11-24 00:04:06","pay_url":"https://gateway.example.com/p?a=1&b=2"}`)(w, r)
	}))
	got, err := client.Pay(t.Context(), payment)
	require.NoError(t, err)
	assert.Equal(t, &Prepared{
		Syssn:   "1",
		SysTime: time.Date(2026, 11, 24, 0, 4, 6, 0, HongKong),
		PayURL:  "https://gateway.example.com/p?a=1&b=2",
	}, got)
}

func TestEachFormReadsItsOwnReply(t *testing.T) {
	const both = `{"respcd":"0000","pay_url":"http://gateway.example.com/p","pay_params":{"appId":"a",
		"timeStamp":"1","nonceStr":"n","package":"p","signType":"s","paySign":"s"}}`
	client := newClient(t, says(200, both))
	hosted, err := client.Pay(t.Context(), someHosted())
	require.NoError(t, err)
	assert.Empty(t, hosted.PayParams)
	assert.Equal(t, "http://gateway.example.com/p", hosted.PayURL)

	other, err := client.Pay(t.Context(), somePayment())
	require.NoError(t, err)
	assert.Empty(t, other.PayURL)
	assert.Equal(t, "a", other.PayParams.AppID)
}

func TestAYesWithoutAPayURLIsUnknown(t *testing.T) {
	for name, body := range map[string]string{
		"no pay_url":           preparedReply,
		"pay_url null":         `{"respcd":"0000","pay_url":null}`,
		"pay_url empty":        `{"respcd":"0000","pay_url":""}`,
		"pay_url an object":    `{"respcd":"0000","pay_url":{}}`,
		"a number":             `{"respcd":"0000","pay_url":1}`,
		"relative":             `{"respcd":"0000","pay_url":"/SENTINEL"}`,
		"without a scheme":     `{"respcd":"0000","pay_url":"gateway.example.com/SENTINEL"}`,
		"of any scheme":        `{"respcd":"0000","pay_url":"//gateway.example.com/SENTINEL"}`,
		"a script":             `{"respcd":"0000","pay_url":"javascript:alert('SENTINEL')"}`,
		"of another program":   `{"respcd":"0000","pay_url":"weixin://wxpay/SENTINEL"}`,
		"without a host":       `{"respcd":"0000","pay_url":"https:///SENTINEL"}`,
		"with a password":      `{"respcd":"0000","pay_url":"https://u:SENTINEL@gateway.example.com/"}`,
		"over two lines":       `{"respcd":"0000","pay_url":"https://gateway.example.com/\r\nSENTINEL: 1"}`,
		"white space in front": `{"respcd":"0000","pay_url":" https://gateway.example.com/SENTINEL"}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, says(200, body)).Pay(t.Context(), someHosted())
			assert.Nil(t, got)
			e := asError(t, err)
			assert.Equal(t, Unknown, e.Outcome)
			assert.Equal(t, FaultGateway, e.Fault)
			assert.NotContains(t, e.Error(), "SENTINEL")
		})
	}
}

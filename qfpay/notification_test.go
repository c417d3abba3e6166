package qfpay

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const notified = `{"status": "1", "notify_type": "payment", "out_trade_no": "T1", "syssn": "20250101000200020000000001", ` +
	`"txamt": "100", "txcurrcd": "HKD", "goods_name": "\u8336\ud83c\udf75/a"}`

func TestNotificationsAreVerifiedOverTheirBytes(t *testing.T) {
	const signed = "31892407BCA814C83BA544DD876AD67D"
	for name, test := range map[string]struct {
		body, sign, key string
		want            bool
	}{
		"as sent":                     {notified, signed, testKey, true},
		"in lower case":               {notified, strings.ToLower(signed), testKey, true},
		"with a trailing newline":     {notified + "\n", "E9FBE2D335B6F00E1B3E189F650B6A6D", testKey, true},
		"with a newline that is new":  {notified + "\n", signed, testKey, false},
		"with other white space":      {strings.ReplaceAll(notified, ": ", ":"), signed, testKey, false},
		"with characters unescaped":   {strings.ReplaceAll(notified, `\u8336`, "茶"), signed, testKey, false},
		"with another amount":         {strings.ReplaceAll(notified, "100", "900"), signed, testKey, false},
		"with another key":            {notified, signed, "TESTKEY", false},
		"without a signature":         {notified, "", testKey, false},
		"with half a signature":       {notified, signed[:16], testKey, false},
		"without a key to check with": {notified, digest(MD5, []byte(notified)), "", false},
	} {
		for _, signType := range []SignType{MD5, SHA256} {
			assert.Equal(t, test.want, VerifyNotification([]byte(test.body), test.sign, test.key, signType), "%s, %s", name, signType)
		}
	}
}

func TestASignatureThatDiffersAnywhereIsRefused(t *testing.T) {
	body := []byte(notified)
	for _, signType := range []SignType{MD5, SHA256} {
		sign := digest(signType, []byte(notified+testKey))
		require.True(t, VerifyNotification(body, sign, testKey, signType))
		for i := range sign {
			other := "0"
			if sign[i] == '0' {
				other = "1"
			}
			assert.False(t, VerifyNotification(body, sign[:i]+other+sign[i+1:], testKey, signType), "%s, at %d", signType, i)
			assert.False(t, VerifyNotification(body, sign[:i], testKey, signType), "%s, its first %d", signType, i)
			assert.False(t, VerifyNotification(body, sign[i+1:], testKey, signType), "%s, without its first %d", signType, i+1)
		}
		for _, wrong := range []string{sign + "0", sign + sign, " " + sign, sign + " ", sign + "\x00"} {
			assert.False(t, VerifyNotification(body, wrong, testKey, signType), "%s, %q", signType, wrong)
		}
	}
}

func TestSHA256NotificationsNeedSHA256(t *testing.T) {
	sign := digest(SHA256, []byte(notified+testKey))
	assert.True(t, VerifyNotification([]byte(notified), sign, testKey, SHA256))
	assert.True(t, VerifyNotification([]byte(notified), strings.ToLower(sign), testKey, SHA256))
	assert.False(t, VerifyNotification([]byte(notified), sign, testKey, MD5))
}

func TestVerificationLeavesTheBodyAlone(t *testing.T) {
	buffer := []byte("bodyREST")
	VerifyNotification(buffer[:4], "", testKey, MD5)
	assert.Equal(t, "bodyREST", string(buffer))
}

func TestNotificationsAreParsed(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want Notification
	}{
		"of a payment": {
			body: notified,
			want: Notification{
				NotifyType: "payment", Status: "1", Syssn: "20250101000200020000000001", OutTradeNo: "T1", Currency: "HKD", Amount: 100,
			},
		},
		"of a refund, with scalars of all kinds and things to come": {
			body: `{"notify_type":"refund","status":1,"syssn":2,"out_trade_no":"R1","orig_syssn":1,"orig_out_trade_no":"T1",
				"pay_type":800207,"respcd":0000,"cancel":null,"txcurrcd":"JPY","txamt":128,"sysdtm":"2026-11-24 00:04:06",
				"paydtm":"2026-11-24 00:05:00","new":{"a":[true]}}`,
			want: Notification{
				NotifyType: "refund", Status: "1", Syssn: "2", OutTradeNo: "R1", OrigSyssn: "1", OrigOutTradeNo: "T1",
				PayType: "800207", Respcd: "0000", Currency: "JPY", Amount: 128,
				PaidAt:  time.Date(2026, 11, 24, 0, 5, 0, 0, HongKong),
				SysTime: time.Date(2026, 11, 24, 0, 4, 6, 0, HongKong),
			},
		},
		"of a payment, with an mchid": {
			body: `{"status": "1", "pay_type": "800207", "sysdtm": "2025-03-04 10:00:01", "paydtm": "2025-03-04 10:00:09", ` +
				`"goods_name": "", "txcurrcd": "HKD", "txdtm": "2025-03-04 10:00:00", "mchid": "MCH0000000", "txamt": "100", ` +
				`"exchange_rate": "", "out_trade_no": "T1", "syssn": "20250304000200020000000001", "cash_fee_type": "", ` +
				`"cancel": "0", "respcd": "0000", "goods_info": "", "cash_fee": "0", "notify_type": "payment", "chnlsn": "", "cardcd": "oTEST"}`,
			want: Notification{
				NotifyType: "payment", Status: "1", Syssn: "20250304000200020000000001", OutTradeNo: "T1",
				PayType: "800207", Respcd: "0000", Cancel: "0", Currency: "HKD", Amount: 100,
				PaidAt:  time.Date(2025, 3, 4, 10, 0, 9, 0, HongKong),
				SysTime: time.Date(2025, 3, 4, 10, 0, 1, 0, HongKong),
			},
		},
		"of a refund, as in 2025": {
			body: `{"status": "1", "notify_type": "cancel", "orig_syssn": "20250304000200020000000001", "syssn": "20250305000300020000000002", ` +
				`"out_trade_no": "R1", "txamt": "100", "txcurrcd": "HKD", "txdtm": "2025-03-05 10:00:00", ` +
				`"sysdtm": "2025-03-05 10:00:01", "respcd": "0000", "mchid": "MCH0000000"}`,
			want: Notification{
				NotifyType: "cancel", Status: "1", Syssn: "20250305000300020000000002", OutTradeNo: "R1",
				OrigSyssn: "20250304000200020000000001", Respcd: "0000", Currency: "HKD", Amount: 100,
				SysTime: time.Date(2025, 3, 5, 10, 0, 1, 0, HongKong),
			},
		},
		"of a refund, as in 2019": {
			body: `{"notify_type": "refund", "syssn": "20190305000300020000000002", "orig_syssn": "20190304000200020000000001", ` +
				`"out_trade_no": "R1", "orig_out_trade_no": "T1", "txamt": "100", "txcurrcd": "HKD", "pay_type": "800207", ` +
				`"cancel": "0", "respcd": "0000", "paydtm": "2019-03-05 10:00:02", "sysdtm": "2019-03-05 10:00:01"}`,
			want: Notification{
				NotifyType: "refund", Syssn: "20190305000300020000000002", OutTradeNo: "R1",
				OrigSyssn: "20190304000200020000000001", OrigOutTradeNo: "T1", PayType: "800207",
				Respcd: "0000", Cancel: "0", Currency: "HKD", Amount: 100,
				PaidAt:  time.Date(2019, 3, 5, 10, 0, 2, 0, HongKong),
				SysTime: time.Date(2019, 3, 5, 10, 0, 1, 0, HongKong),
			},
		},
		"of nothing": {body: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseNotification([]byte(test.body))
			require.NoError(t, err)
			assert.Equal(t, &test.want, got)
		})
	}
}

func TestWhatANotificationSays(t *testing.T) {
	for body, want := range map[string]struct{ paid, refund bool }{
		notified: {paid: true},
		`{"notify_type": "payment", "status": "1", "respcd": "0000", "cancel": "0"}`: {paid: true},
		`{"notify_type": "payment", "status": 1, "respcd": 0, "cancel": 0}`:          {paid: true},
		`{"status": "1", "respcd": "0000"}`:                                          {paid: true},
		`{"notify_type": null, "status": null, "respcd": null, "cancel": null}`:      {paid: true},
		`{}`: {paid: true}, // of which payment, it does not say
		`{"notify_type": "refund", "status": "1", "respcd": "0000", "cancel": "0"}`: {refund: true},
		`{"notify_type": "cancel", "status": "1", "respcd": "0000", "cancel": "0"}`: {refund: true},
		`{"notify_type": "cancel", "orig_syssn": "1"}`:                              {refund: true},
		`{"notify_type": "Payment"}`:                                                {},
		`{"notify_type": "signing"}`:                                                {},
		`{"notify_type": "payment", "status": "0"}`:                                 {},
		`{"notify_type": "payment", "respcd": "1143"}`:                              {},
		`{"notify_type": "payment", "respcd": "00000"}`:                             {},
		`{"notify_type": "payment", "cancel": "1"}`:                                 {},
		`{"notify_type": "payment", "cancel": "3"}`:                                 {},
		`{"notify_type": "payment", "cancel": "5"}`:                                 {},
	} {
		n, err := ParseNotification([]byte(body))
		require.NoError(t, err, body)
		assert.Equal(t, want.paid, n.Paid(), body)
		assert.Equal(t, want.refund, n.Refund(), body)
	}
}

func TestWhatIsNoNotificationIsAnError(t *testing.T) {
	for _, body := range []string{
		``, `null`, `SUCCESS`, `[]`, `{"txamt":"1.00"}`, `{"txamt":1e2}`, `{"syssn":{}}`, notified[:40], notified + notified,
	} {
		got, err := ParseNotification([]byte(body))
		assert.ErrorContains(t, err, "qfpay: notification: ", body)
		assert.Nil(t, got, body)
	}
}

func FuzzNotification(f *testing.F) {
	f.Add([]byte(notified))
	f.Add([]byte(`{"txamt":128,"respcd":0000,"cancel":null}`))
	f.Add([]byte(`{"txamt":"1.00"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		received := bytes.Clone(body)
		for _, signType := range []SignType{MD5, SHA256} {
			sign := digest(signType, append(bytes.Clone(body), testKey...))
			assert.True(t, VerifyNotification(body, sign, testKey, signType))
			assert.False(t, VerifyNotification(append(bytes.Clone(body), 'x'), sign, testKey, signType))
		}
		n, err := ParseNotification(body)
		assert.Equal(t, err == nil, n != nil)
		assert.Equal(t, received, body)
	})
}

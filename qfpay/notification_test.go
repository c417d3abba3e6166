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
		`{"notify_type": "Payment"}`:                    {},
		`{"notify_type": "signing"}`:                    {},
		`{"notify_type": "payment", "status": "0"}`:     {},
		`{"notify_type": "payment", "respcd": "1143"}`:  {},
		`{"notify_type": "payment", "respcd": "00000"}`: {},
		`{"notify_type": "payment", "cancel": "1"}`:     {},
		`{"notify_type": "payment", "cancel": "3"}`:     {},
		`{"notify_type": "payment", "cancel": "5"}`:     {},
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

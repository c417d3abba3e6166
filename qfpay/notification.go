package qfpay

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// Notification is what the gateway posts after a payment or a refund has
// succeeded. It repeats itself until it gets status 200 with the body SUCCESS,
// and anyone who has seen one can send it again: handle it as often as it comes.
type Notification struct {
	// NotifyType is "payment", or "refund", formerly "cancel": see Paid and
	// Refund.
	NotifyType string

	Status string

	// Syssn and OutTradeNo are those of the refund, if it is one; OrigSyssn and
	// OrigOutTradeNo may then name the payment.
	Syssn, OutTradeNo, OrigSyssn, OrigOutTradeNo string

	PayType, Respcd, Cancel string

	// Currency and Amount, in minor units, are to be compared with what was
	// asked for. An absent amount is 0.
	Currency string
	Amount   int64

	// PaidAt and SysTime are when it was paid and made; zero when absent.
	PaidAt, SysTime time.Time
}

// Refund reports whether the notification is of a refund, under its present or
// its former name.
func (n Notification) Refund() bool {
	return n.NotifyType == "refund" || n.NotifyType == "cancel"
}

// Paid reports whether the notification says that a payment has been made, and
// nothing in it says otherwise. What is absent does not: compare the number, the
// currency and the amount with what was asked for.
func (n Notification) Paid() bool {
	return absentOr(n.NotifyType, "payment") && absentOr(n.Respcd, success) &&
		absentOr(n.Status, "1") && absentOr(n.Cancel, CancelNone)
}

func absentOr(value, want string) bool {
	return value == "" || value == want
}

// VerifyNotification reports whether sign, from the header X-QF-SIGN, is the
// gateway's signature of the body, exactly as it was received: of the bytes, not
// of JSON that was read and written again. The comparison takes constant time
// and ignores case.
//
// The gateway is documented to sign with MD5 whatever the SignType. With
// [SHA256], a SHA-256 signature is accepted beside it. Without a client key,
// nothing is.
func VerifyNotification(body []byte, sign, clientKey string, t SignType) bool {
	if clientKey == "" {
		return false
	}
	signed := slices.Concat(body, []byte(clientKey))
	given := []byte(strings.ToUpper(sign))
	valid := subtle.ConstantTimeCompare(given, []byte(digest(MD5, signed)))
	if t == SHA256 {
		valid |= subtle.ConstantTimeCompare(given, []byte(digest(SHA256, signed)))
	}
	return valid == 1
}

// ParseNotification reads the body of a notification, signed or not: call
// [VerifyNotification] first. Scalars may be strings, numbers or null, and
// unknown members are ignored. An amount that is not an integer is an error.
func ParseNotification(body []byte) (*Notification, error) {
	var n struct {
		NotifyType     line           `json:"notify_type"`
		Status         line           `json:"status"`
		Syssn          line           `json:"syssn"`
		OutTradeNo     line           `json:"out_trade_no"`
		OrigSyssn      line           `json:"orig_syssn"`
		OrigOutTradeNo line           `json:"orig_out_trade_no"`
		PayType        line           `json:"pay_type"`
		Respcd         responseCode   `json:"respcd"`
		Cancel         line           `json:"cancel"`
		Txcurrcd       line           `json:"txcurrcd"`
		Txamt          remote.Integer `json:"txamt"`
		Paydtm         moment         `json:"paydtm"`
		Sysdtm         moment         `json:"sysdtm"`
	}
	if err := decode(body, &n); err != nil {
		return nil, fmt.Errorf("qfpay: notification: %w", err)
	}
	return &Notification{
		NotifyType:     string(n.NotifyType),
		Status:         string(n.Status),
		Syssn:          string(n.Syssn),
		OutTradeNo:     string(n.OutTradeNo),
		OrigSyssn:      string(n.OrigSyssn),
		OrigOutTradeNo: string(n.OrigOutTradeNo),
		PayType:        string(n.PayType),
		Respcd:         inLine(string(n.Respcd)),
		Cancel:         string(n.Cancel),
		Currency:       string(n.Txcurrcd),
		Amount:         int64(n.Txamt),
		PaidAt:         time.Time(n.Paydtm),
		SysTime:        time.Time(n.Sysdtm),
	}, nil
}

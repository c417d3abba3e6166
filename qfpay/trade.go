package qfpay

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// Trade is one row of an enquiry: a payment, or a refund.
type Trade struct {
	// Syssn and OutTradeNo are the gateway's and the shop's number of this
	// trade; OrigSyssn is, for a refund, the payment's.
	Syssn, OutTradeNo, OrigSyssn string

	// OrderType is "payment" for payments.
	OrderType string

	PayType string

	// Respcd is the response code of the trade, not of the enquiry.
	Respcd string

	// Cancel says what was taken back of it: one of the Cancel codes.
	Cancel string

	// Currency and Amount, in minor units, are those of the trade. Compare both
	// with what was asked for.
	Currency string
	Amount   int64

	// PaidAt and SysTime are when it was paid and made; zero when absent.
	PaidAt, SysTime time.Time

	// ErrMsg is the gateway's own wording, at most 200 bytes of printable
	// characters.
	ErrMsg string
}

// What was taken back of a trade.
const (
	CancelNone           = "0"
	CancelReversed       = "1"
	CancelCancelled      = "2"
	CancelRefunded       = "3"
	CancelPartlyRefunded = "5"
)

// TradeState is what a trade proves about a payment.
type TradeState int

const (
	// TradeOpen proves nothing yet: ask again.
	TradeOpen TradeState = iota
	// TradePaid has been paid, and at most a part of the money went back.
	TradePaid
	// TradeReversed had been paid, and all of the money went back.
	TradeReversed
	// TradeDead was closed, expired or cancelled before it was paid, and can
	// never be paid.
	TradeDead
)

func (s TradeState) String() string {
	switch s {
	case TradeOpen:
		return "open"
	case TradePaid:
		return "paid"
	case TradeReversed:
		return "reversed"
	case TradeDead:
		return "dead"
	default:
		return "TradeState(" + strconv.Itoa(int(s)) + ")"
	}
}

// State is what the trade proves. Whatever is not understood is [TradeOpen], and
// so is everything that is not a payment: a refund proves nothing about what it
// refunds.
func (t Trade) State() TradeState {
	switch {
	case t.OrderType != "payment":
		return TradeOpen
	case dead(t.Respcd):
		return TradeDead
	case t.Respcd == success:
		return paidState(t.Cancel)
	default:
		return TradeOpen
	}
}

// Meaning says in a few English words, for the owner of the shop, what Respcd
// means for this trade and with this ErrMsg; "" if it is not known.
func (t Trade) Meaning() string {
	switch {
	case t.Respcd == success:
		return "success"
	case t.isRefund():
		return understand(callRefund, t.Respcd, t.ErrMsg).meaning
	default:
		return understand(callPayment, t.Respcd, t.ErrMsg).meaning
	}
}

// isRefund reports whether the trade gives money back, under the present or the
// former name of refunds. A close, too, is a trade of its own and succeeds.
func (t Trade) isRefund() bool {
	return strings.EqualFold(t.OrderType, "refund") || strings.EqualFold(t.OrderType, "cancel")
}

func paidState(cancel string) TradeState {
	switch cancel {
	case CancelNone, CancelPartlyRefunded:
		return TradePaid
	case CancelReversed, CancelCancelled, CancelRefunded:
		return TradeReversed
	default:
		return TradeOpen
	}
}

// row is a Trade on the wire. A refund's payment is origssn in enquiries and
// orig_syssn in notifications; either is taken.
type row struct {
	Syssn      line           `json:"syssn"`
	OutTradeNo line           `json:"out_trade_no"`
	Origssn    line           `json:"origssn"`
	OrigSyssn  line           `json:"orig_syssn"`
	OrderType  line           `json:"order_type"`
	PayType    line           `json:"pay_type"`
	Respcd     responseCode   `json:"respcd"`
	Cancel     line           `json:"cancel"`
	Txcurrcd   line           `json:"txcurrcd"`
	Txamt      remote.Integer `json:"txamt"`
	Paydtm     moment         `json:"paydtm"`
	Sysdtm     moment         `json:"sysdtm"`
	ErrMsg     remote.Text    `json:"errmsg"`
}

func (r row) trade() Trade {
	return Trade{
		Syssn:      string(r.Syssn),
		OutTradeNo: string(r.OutTradeNo),
		OrigSyssn:  string(cmp.Or(r.Origssn, r.OrigSyssn)),
		OrderType:  string(r.OrderType),
		PayType:    string(r.PayType),
		Respcd:     inLine(string(r.Respcd)),
		Cancel:     string(r.Cancel),
		Currency:   string(r.Txcurrcd),
		Amount:     int64(r.Txamt),
		PaidAt:     time.Time(r.Paydtm),
		SysTime:    time.Time(r.Sysdtm),
		ErrMsg:     redact.Line(string(r.ErrMsg)),
	}
}

package qfpay

import (
	"cmp"
	"strconv"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
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

	// Cancel is 0 for nothing, 1 for reversed, 2 for cancelled, 3 for refunded
	// and 5 for partly refunded.
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

func paidState(cancel string) TradeState {
	switch cancel {
	case "0", "5":
		return TradePaid
	case "1", "2", "3":
		return TradeReversed
	default:
		return TradeOpen
	}
}

// row is a Trade on the wire. A refund's payment is origssn in enquiries and
// orig_syssn in notifications; either is taken.
type row struct {
	Syssn      line         `json:"syssn"`
	OutTradeNo line         `json:"out_trade_no"`
	Origssn    line         `json:"origssn"`
	OrigSyssn  line         `json:"orig_syssn"`
	OrderType  line         `json:"order_type"`
	PayType    line         `json:"pay_type"`
	Respcd     responseCode `json:"respcd"`
	Cancel     line         `json:"cancel"`
	Txcurrcd   line         `json:"txcurrcd"`
	Txamt      integer      `json:"txamt"`
	Paydtm     moment       `json:"paydtm"`
	Sysdtm     moment       `json:"sysdtm"`
	ErrMsg     text         `json:"errmsg"`
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
		ErrMsg:     quote.Line(string(r.ErrMsg)),
	}
}

package qfpaytest

import (
	"maps"
	"strconv"
	"time"
)

// OrderType tells payments from refunds, with the words of the enquiry.
type OrderType string

// The order types of the gateway.
const (
	Payment OrderType = "payment"
	Refund  OrderType = "refund"
)

// State is how far a trade has come. Open trades can still be paid or closed;
// the other states are final.
type State string

// The states of a trade. A refund is Paid from the beginning, unless
// [Simulator.SetSlowRefunds] keeps it Open.
const (
	Open   State = "open"
	Paid   State = "paid"
	Closed State = "closed"
	Failed State = "failed"
)

// Trade is a payment or a refund that the simulator has accepted.
type Trade struct {
	OrderType  OrderType `json:"order_type"`
	State      State     `json:"state"`
	OutTradeNo string    `json:"out_trade_no"`
	Syssn      string    `json:"syssn"`

	// OrigSyssn and OrigOutTradeNo name the payment that a refund belongs to.
	OrigSyssn      string `json:"orig_syssn,omitempty"`
	OrigOutTradeNo string `json:"orig_out_trade_no,omitempty"`

	// Amount and Refunded are in minor units of Currency.
	Amount   int64  `json:"txamt"`
	Refunded int64  `json:"refunded"`
	Currency string `json:"txcurrcd"`

	PayType   string    `json:"pay_type"`
	GoodsName string    `json:"goods_name,omitempty"`
	NotifyURL string    `json:"notify_url,omitempty"`
	TxDtm     string    `json:"txdtm"` // as the merchant sent it
	SysDtm    time.Time `json:"sysdtm"`
	PayDtm    time.Time `json:"paydtm,omitzero"`
	ChnlSn    string    `json:"chnlsn,omitempty"` // the wallet's number, once paid

	// PayParams are those of a payment inside WeChat, PayURL that of one that is
	// hosted or made by a wallet.
	PayParams PayParams `json:"-"`
	PayURL    string    `json:"-"`

	// Params are all parameters of the request that made the trade, decoded.
	Params map[string]string `json:"-"`

	openRespcd string
	unlisted   bool // no enquiry shows it

	// Of a payment: when its last refund was taken, and the sum of those that its
	// row does not show. Of a refund: that it is one of these.
	refundedAt     time.Time
	unshownRefunds int64
	unshown        bool

	prepayID string
	ticket   string // of its PayURL
}

// PayParams are what a payment hands over to the pay page or to WeChat's JSAPI.
type PayParams struct {
	AppID     string
	TimeStamp string
	NonceStr  string
	Package   string
	SignType  string
	PaySign   string
}

// Respcd is the response code of the trade's row in an enquiry.
func (t Trade) Respcd() string {
	switch t.State {
	case Open:
		return t.openRespcd
	case Closed:
		return respcdClosed
	case Failed:
		if t.OrderType == Refund {
			return respcdRefundRefused
		}
		return respcdFailed
	default:
		return respcdSuccess
	}
}

// Cancel is the cancel member of the trade's row: 0 no, 2 cancelled, 3 refunded,
// 5 partly refunded.
func (t Trade) Cancel() string {
	switch {
	case t.State == Closed:
		return "2"
	case t.Refunded == 0:
		return "0"
	case t.Refunded < t.Amount:
		return "5"
	default:
		return "3"
	}
}

func (t Trade) copied() Trade {
	t.Params = maps.Clone(t.Params)
	return t
}

func (t Trade) txamt() string { return strconv.FormatInt(t.Amount, 10) }

func formatTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(gatewayZone).Format(timeLayout)
}

func (p PayParams) object() object {
	return object{
		must("appId", p.AppID),
		must("timeStamp", p.TimeStamp),
		must("nonceStr", p.NonceStr),
		must("package", p.Package),
		must("signType", p.SignType),
		must("paySign", p.PaySign),
	}
}

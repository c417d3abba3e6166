package orders

import (
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// report is what the gateway says about one payment, whichever way it reached us.
type report struct {
	number, syssn string // ours, the gateway's
	amount        int64
	currency      string // "" if it does not say
	state         qfpay.TradeState
	refunded      bool // some of the money went back
	paidAt        time.Time
	respcd        string
	message       string
	source        string // reply, notification, enquiry or comparison
}

// saysPaid reports whether the payment was made, whatever went back of it since.
func (r report) saysPaid() bool {
	return r.state == qfpay.TradePaid || r.state == qfpay.TradeReversed && r.refunded
}

func reportOfTrade(trade qfpay.Trade) report {
	r := report{
		number: trade.OutTradeNo, syssn: trade.Syssn,
		amount: trade.Amount, currency: trade.Currency,
		state: trade.State(), refunded: trade.Cancel == qfpay.CancelRefunded || trade.Cancel == qfpay.CancelPartlyRefunded,
		paidAt: trade.PaidAt, respcd: trade.Respcd, message: trade.ErrMsg, source: "enquiry",
	}
	if !isPayment(trade) {
		r.state = qfpay.TradeOpen
	}
	return r
}

func reportOfNotification(n qfpay.Notification) report {
	return report{
		number: n.OutTradeNo, syssn: n.Syssn, amount: n.Amount, currency: n.Currency,
		state: qfpay.TradePaid, paidAt: n.PaidAt, respcd: n.Respcd, source: "notification",
	}
}

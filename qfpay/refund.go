package qfpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// Refund gives money of a payment back, all of it or a part.
type Refund struct {
	// Syssn is the gateway's number of the payment. Required.
	Syssn string

	// OutTradeNo is a number of its own for the refund: at most 128 printable
	// characters without spaces, unlike that of any payment or refund of the
	// merchant. The same number again is refused, never refunded twice.
	OutTradeNo string

	// Amount is in minor units, at most what is left of the payment.
	Amount int64

	// Time is that of the refund, in any zone, and is sent in [HongKong].
	// Required.
	Time time.Time
}

// Refund asks the gateway to give money back, and returns the gateway's own
// number of the refund. Nil says that it did.
//
// Errors are [*Error]. After [Unknown] the money may have gone back, or be on
// its way; 1143, 1145 and 2999 say the latter. Never send it again under another
// number: ask [Client.Query] about the OutTradeNo, and [Trade.RefundState] of
// what it finds. [Error.Duplicate], too, says no more than that the number was
// used before. After [Error.Tomorrow] the same refund may be made another day.
//
// Of two refunds of one payment within about a second, the gateway refuses the
// second: make one at a time.
func (c *Client) Refund(ctx context.Context, r Refund) (syssn string, err error) {
	if err := r.check(); err != nil {
		return "", invalid(callRefund, err)
	}
	body, err := c.do(ctx, call{
		name:   callRefund,
		method: http.MethodPost,
		path:   "/trade/v1/refund",
		params: r.params(),
	})
	if err != nil {
		return "", err
	}
	syssn, err = r.confirmed(body)
	if err != nil {
		return "", garbage(callRefund, err)
	}
	return syssn, nil
}

func (r Refund) check() error {
	if err := checkNumber("syssn", r.Syssn); err != nil {
		return err
	}
	if err := checkNumber("out_trade_no", r.OutTradeNo); err != nil {
		return err
	}
	if err := checkAmount(r.Amount); err != nil {
		return err
	}
	if r.Time.IsZero() {
		return errors.New("txdtm is missing")
	}
	return nil
}

func (r Refund) params() map[string]string {
	return map[string]string{
		"syssn":        r.Syssn,
		"out_trade_no": r.OutTradeNo,
		"txamt":        strconv.FormatInt(r.Amount, 10),
		"txdtm":        formatTime(r.Time),
	}
}

// confirmed reads a reply that says yes. What it says of the refund must be
// what was asked for; what it leaves out, it does not deny.
func (r Refund) confirmed(body []byte) (syssn string, err error) {
	var reply struct {
		Syssn      line            `json:"syssn"`
		OutTradeNo remote.Text     `json:"out_trade_no"`
		Txamt      *remote.Integer `json:"txamt"`
	}
	if err := decode(body, &reply); err != nil {
		return "", err
	}
	switch {
	case reply.Syssn == "":
		return "", errors.New("reply without a syssn")
	case string(reply.Syssn) == r.Syssn:
		return "", errors.New("reply with the payment's syssn")
	case reply.OutTradeNo != "" && string(reply.OutTradeNo) != r.OutTradeNo:
		return "", errors.New("reply about another out_trade_no")
	case reply.Txamt != nil && *reply.Txamt != 0 && int64(*reply.Txamt) != r.Amount:
		return "", fmt.Errorf("reply about %d instead of %d", *reply.Txamt, r.Amount)
	}
	return string(reply.Syssn), nil
}

// RefundState is what a trade proves about a refund.
type RefundState int

const (
	// RefundOpen proves nothing yet: ask again.
	RefundOpen RefundState = iota
	// RefundDone has given the money back.
	RefundDone
	// RefundRefused has not, and never will: see [Trade.Meaning].
	RefundRefused
)

func (s RefundState) String() string {
	switch s {
	case RefundOpen:
		return "open"
	case RefundDone:
		return "done"
	case RefundRefused:
		return "refused"
	default:
		return "RefundState(" + strconv.Itoa(int(s)) + ")"
	}
}

// RefundState is what the trade proves about the refund that it is. Whatever is
// not understood is [RefundOpen], and so is a payment.
func (t Trade) RefundState() RefundState {
	_, refused := refusalOf(t.Respcd, t.ErrMsg)
	switch {
	case !t.isRefund():
		return RefundOpen
	case t.Respcd == success:
		return RefundDone
	case refused || dead(t.Respcd):
		return RefundRefused
	default:
		return RefundOpen
	}
}

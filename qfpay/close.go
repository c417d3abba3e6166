package qfpay

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Close names a payment that shall not be paid any more.
type Close struct {
	// Syssn and OutTradeNo are the gateway's and the shop's number of the
	// payment. One is required; of two, only Syssn is sent.
	Syssn, OutTradeNo string

	// Amount is the payment's, in minor units.
	Amount int64

	// Time is in any zone, and is sent in [HongKong]. Required. An older page of
	// QFPay's documentation wants that of the payment, [Payment.Time]; the newer
	// one does not say whose it is, and public client code sends the current one.
	Time time.Time
}

// Close asks the gateway to end a payment that has not been made, so that nobody
// can make it any more. Nil means that it is over: closed now, or closed, expired
// or cancelled before.
//
// Errors are [*Error]. After [Error.Paid] it is too late, and [Client.Query]
// tells what was paid. [Error.NotFound] is final only if the payment was not sent
// just now. After any other error, even a refusal, the payment can perhaps still
// be made: QFPay's documentation names pay types that can be closed, and JSAPI is
// among them only where it says that all of WeChat's are.
//
// The documentation has GET, an older page of it POST. This is a POST, as in the
// public client code that was read and like every other call under /trade:
// net/http may repeat a GET by itself, and proxies may log or answer it. From a
// gateway that insists on GET, a bad status would come back, which is [Unknown].
func (c *Client) Close(ctx context.Context, q Close) error {
	if err := q.check(); err != nil {
		return invalid(callClose, err)
	}
	_, err := c.do(ctx, call{
		name:   callClose,
		method: http.MethodPost,
		path:   "/trade/v1/close",
		params: q.params(),
	})
	if refusal, ok := errors.AsType[*Error](err); ok && dead(refusal.Respcd) {
		return nil
	}
	return err
}

// number is the one that is sent.
func (q Close) number() (name, number string) {
	if q.Syssn != "" {
		return "syssn", q.Syssn
	}
	return "out_trade_no", q.OutTradeNo
}

func (q Close) check() error {
	if q.Syssn == "" && q.OutTradeNo == "" {
		return errors.New("both syssn and out_trade_no are missing")
	}
	if err := checkNumber(q.number()); err != nil {
		return err
	}
	if err := checkAmount(q.Amount); err != nil {
		return err
	}
	if q.Time.IsZero() {
		return errors.New("txdtm is missing")
	}
	return nil
}

func (q Close) params() map[string]string {
	name, number := q.number()
	return map[string]string{
		name:    number,
		"txamt": strconv.FormatInt(q.Amount, 10),
		"txdtm": formatTime(q.Time),
	}
}

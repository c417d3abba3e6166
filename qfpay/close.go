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
	// QFPay's documentation wants that of the payment, [Payment.Time]; public
	// client code sends the current one. By QFPay's QA programs, neither Time nor
	// Amount is checked.
	Time time.Time
}

// Close asks the gateway to end a payment that has not been made, so that nobody
// can make it any more. Nil means that it is over: closed now, or closed, expired
// or cancelled before.
//
// Errors are [*Error]. After [Error.Paid] it is too late, and [Client.Query]
// tells what was paid. [Error.NotFound] is final only if the payment was not sent
// just now, in this month. After any other error, even a refusal, the payment can
// perhaps still be made: QFPay's FAQ of 2017 names JSAPI as one of two pay types
// that can be closed, and of others, an edition of the documentation says that the
// gateway answers 1297, or 0000 without a number for the close. Both are [Unknown].
//
// Query first, always: by one edition, a payment that has been made is revoked.
//
// The newest documentation has GET; QFPay's own QA programs, older editions and
// public client code have POST, and so has this, like every other call under
// /trade: net/http may repeat a GET by itself, and proxies may log or answer it.
func (c *Client) Close(ctx context.Context, q Close) error {
	if err := q.check(); err != nil {
		return invalid(callClose, err)
	}
	body, err := c.do(ctx, call{
		name:   callClose,
		method: http.MethodPost,
		path:   "/trade/v1/close",
		params: q.params(),
	})
	if refusal, ok := errors.AsType[*Error](err); ok && dead(refusal.Respcd) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := closed(body); err != nil {
		return garbage(callClose, err)
	}
	return nil
}

// closed reads a reply that says yes: the close of a trade has a number of its own.
func closed(body []byte) error {
	var reply struct {
		Syssn line `json:"syssn"`
	}
	if err := decode(body, &reply); err != nil {
		return err
	}
	if reply.Syssn == "" {
		return errors.New("not closed: the reply has no syssn, as for a trade that cannot be closed")
	}
	return nil
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

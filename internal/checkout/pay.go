package checkout

import (
	"context"
	"encoding/json"
	"errors"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// pay makes an order payable that this callback has claimed. The claim is durable
// before the gateway hears of the order, and what makes it payable before the
// payer's browser does: an order that we forgot cannot be paid.
func (c *Checkout) pay(ctx context.Context, ticket Ticket, a attempt, openID string) outcome {
	began := c.Now()
	answer, err := c.Orders.Pay(ctx, c.payment(ticket, a, openID))
	took := c.Now().Sub(began)
	fields := append(orders.IntentFields(ticket.Order, ticket.Intent), zap.Float64("seconds", took.Seconds()))
	if err != nil {
		return c.unprepared(ctx, ticket, err, append(fields, orders.FailureFields(err)...))
	}
	prepared, err := c.prepared(ticket, a, answer)
	if err != nil {
		return c.unremembered(err, fields)
	}
	prepared.Took = took
	return c.remember(ctx, ticket, prepared, fields)
}

// remember makes the order payable, durably, before the payer hears where to pay.
func (c *Checkout) remember(ctx context.Context, ticket Ticket, prepared orders.Prepared, fields []zap.Field) outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	order, err := c.Orders.Prepare(ctx, ticket.Order, prepared)
	if err != nil {
		return c.unremembered(err, append(fields, zap.String("syssn", prepared.Syssn)))
	}
	if order.Status != ledger.StatusPending {
		return seeReturn{}
	}
	return payAt(order.PayURL)
}

// payment is what the gateway is asked for. The payer is "" where nobody vouches.
func (c *Checkout) payment(ticket Ticket, a attempt, openID string) qfpay.Payment {
	payment := qfpay.Payment{
		OutTradeNo: ticket.Order,
		Amount:     ticket.Intent.Amount,
		Currency:   ticket.Intent.Currency,
		OpenID:     openID,
		GoodsName:  qfpay.Truncate(ticket.Intent.Description, qfpay.MaxGoodsName),
		Time:       c.Now(),
		NotifyURL:  c.NotificationURL(a.site),
		LimitPay:   c.LimitPay,
		Params:     c.Params,
		Method:     a.method,
		RealName:   (*qfpay.RealName)(ticket.RealName),
	}
	if a.method != qfpay.MethodJSAPI {
		payment.ReturnURL = string(a.site) + c.returnPath(ticket.Order)
	}
	if a.method == qfpay.MethodWeChat {
		payment.Site, payment.SiteName, payment.ClientIP = string(a.site)+"/", c.Shop.Merchant, a.client
	}
	return payment
}

// prepared is what the ledger keeps of the gateway's answer: where the payer
// pays, and what is needed there.
func (c *Checkout) prepared(ticket Ticket, a attempt, answer *qfpay.Prepared) (prepared orders.Prepared, err error) {
	prepared.Syssn = answer.Syssn
	switch {
	case a.method != qfpay.MethodJSAPI:
		prepared.PayURL = answer.PayURL
	case c.WeChat != nil:
		prepared.PayURL = c.callbackPath(ticket.Order)
		prepared.PayParams, err = json.Marshal(answer.PayParams)
	default:
		prepared.PayURL, err = c.payURL(a.site, ticket, answer.PayParams)
	}
	return prepared, err
}

// payURL is the pay page's address with everything it asks for.
func (c *Checkout) payURL(site Origin, ticket Ticket, params qfpay.PayParams) (string, error) {
	return qfpay.PayPageRequest{
		Page:         c.PayPage,
		PayParams:    params,
		MerchantName: c.Shop.Merchant,
		Amount:       ticket.Intent.Amount,
		Currency:     ticket.Intent.Currency,
		GoodsName:    ticket.Intent.Description,
		RedirectURL:  string(site) + c.returnPath(ticket.Order),
	}.URL()
}

// unprepared decides what follows a failed payment call. A clear no ends the
// order. Anything else leaves it open, and it is never sent again: what would
// have made it payable did not reach a browser.
func (c *Checkout) unprepared(ctx context.Context, ticket Ticket, err error, fields []zap.Field) outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	failure, answered := errors.AsType[*qfpay.Error](err)
	if !answered || failure.Outcome != qfpay.Refused {
		c.Log.Warn("the outcome of the payment call is unknown: the order stays open", fields...)
		if err := c.Orders.Unconfirmed(ctx, ticket.Order, err); err != nil {
			return c.unremembered(err, fields)
		}
		return unknownYet{}
	}
	switch {
	case failure.Duplicate():
		c.Log.Error("the gateway already has a payment of this number, from somewhere else: the order fails", fields...)
	case failure.Fault == qfpay.FaultShop || failure.Fault == qfpay.FaultRequest:
		c.Log.Error("the gateway refused the payment, and will refuse others too", fields...)
	default:
		c.Log.Warn("the gateway did not accept the payment", fields...)
	}
	if err := c.Orders.Refused(ctx, ticket.Order, failure); err != nil {
		c.Log.Warn("the refusal could not be stored: the order stays open", append(fields, zap.Error(err))...)
	}
	kind, wait := gatewayProblem(err)
	return refused{kind: kind, wait: wait, isEnded: true}
}

// unremembered leaves an order to the reconciler that the gateway may have taken.
func (c *Checkout) unremembered(err error, fields []zap.Field) outcome {
	c.Log.Error("the payment was created but could not be stored: the payer was not sent on to pay it",
		append(fields, zap.Error(err))...)
	return unknownYet{}
}

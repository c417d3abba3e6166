package qfpayjsapi

import (
	"context"
	"encoding/json"
	"errors"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// pay makes the order payable. Before the gateway hears of the order, its intent
// is in storage, on the index. When the gateway has answered, the intent becomes
// one of the order's facts, and with it that the order is prepared, before the
// payer's browser gets what makes the order payable: an order that we forgot
// cannot be paid.
func (h *Handler) pay(ctx context.Context, site origin, ticket checkout.Ticket, openID string) turn {
	if refused := h.claimInvoice(ctx, ticket); refused != nil {
		h.withdraw(ctx, ticket)
		return *refused
	}
	began := h.now()
	prepared, err := h.gateway.Pay(ctx, h.payment(site, ticket, openID))
	fields := append(orderFields(ticket.Order, ticket.Intent), h.seconds(began))
	if err != nil {
		return h.unprepared(ctx, ticket, err, append(fields, failureFields(err)...))
	}
	fields = append(fields, zap.String("syssn", prepared.Syssn))
	fact, err := h.prepared(site, ticket, prepared)
	if err == nil {
		err = h.ledger.Prepare(ctx, ticket.Order, ticket.Intent, fact)
	}
	if err != nil {
		return h.unremembered(err, fields)
	}
	h.countStatus(ledger.Order{ID: ticket.Order, Intent: ticket.Intent})
	h.logger.Info("payment", append(fields, zap.String("respcd", "0000"))...)
	h.account.wakeAt(ticket.Order, fact.At.Add(enquiryTimes[0]))
	return turn{payURL: fact.PayURL}
}

// unremembered leaves an order to the app that the gateway may have taken.
func (h *Handler) unremembered(err error, fields []zap.Field) turn {
	h.logger.Error("the payment was asked for and could not be remembered; the payer was not sent to pay it",
		append(fields, zap.Error(err))...)
	return turn{unknown: true}
}

// prepared is what the ledger keeps of the gateway's answer: where the payer
// pays, and what is needed there.
func (h *Handler) prepared(site origin, ticket checkout.Ticket, answer *qfpay.Prepared) (fact ledger.Prepared, err error) {
	fact = ledger.Prepared{At: h.now().UTC(), Syssn: answer.Syssn}
	switch {
	case h.Hosted:
		fact.PayURL = answer.PayURL
	case h.wechat != nil:
		fact.PayURL = h.callbackPath(ticket.Order)
		fact.PayParams, err = json.Marshal(answer.PayParams)
	default:
		fact.PayURL, err = h.payURL(site, ticket, answer.PayParams)
	}
	return fact, err
}

func (h *Handler) payment(site origin, ticket checkout.Ticket, openID string) qfpay.Payment {
	payment := qfpay.Payment{
		OutTradeNo: ticket.Order,
		Amount:     ticket.Intent.Amount,
		Currency:   ticket.Intent.Currency,
		OpenID:     openID,
		GoodsName:  qfpay.Truncate(ticket.Intent.Description, qfpay.MaxGoodsName),
		Time:       h.now(),
		NotifyURL:  h.notifyURL(site),
		LimitPay:   h.LimitPay,
		Params:     h.Params,
		Hosted:     h.Hosted,
		RealName:   (*qfpay.RealName)(ticket.RealName),
	}
	if h.Hosted {
		payment.ReturnURL = string(site) + h.returnPath(ticket.Order)
	}
	return payment
}

// payURL is the pay page's address with everything it asks for.
func (h *Handler) payURL(site origin, ticket checkout.Ticket, params qfpay.PayParams) (string, error) {
	return qfpay.PayPageRequest{
		Page:         h.PayPage,
		PayParams:    params,
		MerchantName: h.MerchantName,
		Amount:       ticket.Intent.Amount,
		Currency:     ticket.Intent.Currency,
		GoodsName:    ticket.Intent.Description,
		RedirectURL:  string(site) + h.returnPath(ticket.Order),
	}.URL()
}

// unprepared decides what follows a failed payment call. A clear no ends the
// order. Anything else leaves it open, and it is never sent again: what would
// have made it payable did not reach a browser.
func (h *Handler) unprepared(ctx context.Context, ticket checkout.Ticket, err error, fields []zap.Field) turn {
	if err := h.begin(ctx, ticket.Order, ticket.Intent); err != nil {
		return h.unremembered(err, fields)
	}
	var failure *qfpay.Error
	if !errors.As(err, &failure) || failure.Outcome != qfpay.Refused || failure.Duplicate() {
		h.logger.Warn("the outcome of the payment call is unknown; the order stays open", fields...)
		return h.elsewhere(ctx, ticket)
	}
	kind, wait := gatewayProblem(err)
	switch failure.Fault {
	case qfpay.FaultShop, qfpay.FaultRequest:
		h.logger.Error("the gateway refused the payment, and will refuse others", fields...)
	default:
		h.logger.Warn("the gateway took no payment", fields...)
	}
	failed := ledger.Failed{At: h.now().UTC(), Call: failure.Call, Respcd: failure.Respcd, Message: failure.Message}
	if err := h.ledger.Record(ctx, ticket.Order, failed); err != nil {
		h.logger.Warn("remembering the refusal failed; the order stays open", append(orderFields(ticket.Order, ticket.Intent), zap.Error(err))...)
	} else {
		h.tell(ledger.Order{ID: ticket.Order, Intent: ticket.Intent, Failed: &failed}, "order.closed", nil)
	}
	return turn{problem: kind, wait: wait, newOrder: true}
}

// elsewhere looks whether another node prepared the same order while we
// believed to have the lock.
func (h *Handler) elsewhere(ctx context.Context, ticket checkout.Ticket) turn {
	if next, known := h.recall(ctx, ticket); known && next.problem == "" {
		return next
	}
	return turn{unknown: true}
}

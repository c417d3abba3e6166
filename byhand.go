package qfpayjsapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// lookUp asks the gateway about an order and its open refunds, by hand.
func (b *books) lookUp(ctx context.Context, order ledger.Order) (ledger.Order, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attendLimit)
	defer cancel()
	order, err := b.askInTurn(ctx, order)
	if err != nil {
		return order, err
	}
	refunds, err := b.refunds(ctx, order.ID)
	if err != nil {
		return order, err
	}
	for _, open := range refunds.Open() {
		if _, err := b.askRefund(ctx, order, open); err != nil {
			return order, err
		}
	}
	return b.ledger.Find(ctx, order.ID)
}

// closeByHand ends an order that nobody has paid.
func (b *books) closeByHand(ctx context.Context, order ledger.Order) (ledger.Order, error) {
	if order.Status() != ledger.StatusPending {
		return order, deny(http.StatusConflict, "the order is %s: only a pending one can be closed", order.Status())
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attendLimit)
	defer cancel()
	order, err := b.close(ctx, order)
	if err != nil {
		return order, gatewayDenial(err)
	}
	if order.Paid != nil {
		return order, deny(http.StatusConflict, "the order was paid meanwhile: it cannot be closed, but refunded")
	}
	return order, b.ledger.Announce(ctx, order.ID, *order.Closed) // another node may be the one that tells the shop
}

// gatewayDenial says that the gateway would not, or could not be asked.
func gatewayDenial(err error) error {
	var failure *qfpay.Error
	if errors.As(err, &failure) {
		return denial{http.StatusBadGateway, failure.Error()}
	}
	return err
}

package qfpayjsapi

import (
	"context"
	"fmt"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// wrapUp does what is left to do about an order that is not pending any more:
// it follows refunds to their end and tells the shop of all that happened. It
// takes the order off the index when nothing is left.
func (c *clerk) wrapUp(ctx context.Context, id string, history ledger.History) (next time.Time, err error) {
	order, err := history.Order(id)
	if err != nil {
		return time.Time{}, err
	}
	if order.Status() == ledger.StatusPending {
		return time.Time{}, fmt.Errorf("the list of the facts of %s lacks what is known to be there", id)
	}
	refunds, err := history.Refunds()
	if err != nil {
		return time.Time{}, err
	}
	if order, err = c.flagKnownRefunds(ctx, order, refunds); err != nil {
		return time.Time{}, err
	}
	events, err := orderEvents(order, history, refunds)
	if err != nil {
		return time.Time{}, err
	}
	told, err := c.tellAll(ctx, id, events, history)
	if err != nil {
		return time.Time{}, err
	}
	followed, err := c.followRefunds(ctx, order, refunds.Open())
	if err != nil {
		return time.Time{}, err
	}
	if next := earlier(told, followed); !next.IsZero() {
		return next, nil
	}
	return time.Time{}, c.finish(ctx, id, history)
}

// tellDisputes tells the shop what the gateway vouches for that was not ordered.
// It does not wait for the order's end: of an order that is paid, but wrongly,
// the gateway lets nobody make one.
func (c *clerk) tellDisputes(ctx context.Context, order ledger.Order) (next time.Time, err error) {
	history, err := c.ledger.History(ctx, order.ID)
	if err != nil {
		return time.Time{}, err
	}
	events, err := disputeEvents(order, history)
	if err != nil {
		return time.Time{}, err
	}
	return c.tellAll(ctx, order.ID, events, history)
}

func (c *clerk) lookAtOrphan(ctx context.Context, subject string) (next time.Time, err error) {
	orphan, err := c.ledger.FindOrphan(ctx, subject)
	if err != nil {
		return time.Time{}, err
	}
	history, err := c.ledger.History(ctx, subject)
	if err != nil {
		return time.Time{}, err
	}
	told := event{key: "orphaned", kind: "payment.orphaned", at: orphan.At, data: orphanData(orphan), log: orphanFields(orphan)}
	if next, err = c.tellAll(ctx, subject, []event{told}, history); err != nil || !next.IsZero() {
		return next, err
	}
	return time.Time{}, c.finish(ctx, subject, history)
}

// finish takes a subject off the index, unless news came while the shop was
// told the old ones. What the look here is too early for stands on the index by
// itself, until somebody finishes who has been told.
func (c *clerk) finish(ctx context.Context, subject string, told ledger.History) error {
	grown, err := c.ledger.Grown(ctx, subject, told)
	if err != nil {
		return err
	}
	if grown {
		c.account.wake(subject)
		return nil
	}
	return c.ledger.Finish(ctx, subject, told)
}

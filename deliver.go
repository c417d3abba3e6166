package qfpayjsapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

// event is something that the shop is told. It follows from facts: nothing is
// queued that could be lost.
type event struct {
	key  string // names the event in the ledger, and with the order in webhook-id
	kind string // order.paid, …
	at   time.Time
	data map[string]any
	log  []zap.Field // that name what it is about
}

// addEndpoints adds those that are not there yet.
func (c *clerk) addEndpoints(endpoints []*webhook.Endpoint) {
	for _, endpoint := range endpoints {
		if !slices.ContainsFunc(c.endpoints, func(e *webhook.Endpoint) bool { return e.ID() == endpoint.ID() }) {
			c.endpoints = append(c.endpoints, endpoint)
		}
	}
}

func (c *clerk) closeIdle() {
	for _, endpoint := range c.endpoints {
		endpoint.CloseIdle()
	}
}

// wrapUp does what is left to do about an order that is not pending any more:
// it follows refunds to their end and tells the shop of all that happened. It
// takes the order off the index when nothing is left.
func (c *clerk) wrapUp(ctx context.Context, id string) (next time.Time, err error) {
	history, err := c.ledger.History(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
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

// earlier returns the earlier time; the zero time stands for never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
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

// tellAll makes the attempts that are due, and returns when the next one is: the
// zero time if the shop knows all.
func (c *clerk) tellAll(ctx context.Context, subject string, events []event, history ledger.History) (next time.Time, err error) {
	for _, event := range events {
		for _, endpoint := range c.endpoints {
			delivery, err := history.Delivery(event.key, endpoint.ID())
			if err != nil {
				return time.Time{}, err
			}
			again, err := c.tellOne(ctx, subject, event, endpoint, delivery)
			if err != nil {
				return time.Time{}, err
			}
			next = earlier(next, again)
		}
	}
	return next, nil
}

// finish takes a subject off the index, unless news came while the shop was
// told the old ones. Whoever brings news announces them after storing them:
// either the look here finds them, or the announcement outlives the removal.
func (c *clerk) finish(ctx context.Context, subject string, told ledger.History) error {
	if err := c.ledger.Acknowledge(ctx, subject); err != nil {
		return err
	}
	grown, err := c.ledger.Grown(ctx, subject, told)
	if err != nil {
		return err
	}
	if grown {
		c.account.wake(subject)
		return nil
	}
	return c.ledger.Finish(ctx, subject)
}

// tellOne makes an attempt if it is due. The zero time means that the endpoint
// need not be told any more.
func (c *clerk) tellOne(ctx context.Context, subject string, event event, endpoint *webhook.Endpoint, delivery ledger.Delivery) (next time.Time, err error) {
	if delivery.Done != nil {
		return time.Time{}, nil
	}
	message := webhook.Message{ID: messageID(subject, event.key), Type: event.kind, Timestamp: event.at, Data: event.data}
	due, ok := dueAttempt(message.ID, event, delivery)
	if !ok {
		return time.Time{}, c.giveUp(ctx, subject, event, endpoint, delivery)
	}
	if c.gone.has(endpoint) {
		return c.hold(ctx, subject, event, endpoint, delivery)
	}
	if c.now().Before(due) {
		return due, nil
	}
	began := c.now()
	result := endpoint.Send(ctx, message, began)
	if ctx.Err() != nil {
		return c.now(), ctx.Err() // we stopped, not they: the attempt does not count
	}
	attempt := ledger.Attempt{At: c.now().UTC(), Status: result.Status}
	if result.Err != nil {
		attempt.Error = result.Err.Error()
	}
	if result.RetryAfter > 0 {
		attempt.NotBefore = attempt.At.Add(result.RetryAfter)
	}
	if err := c.ledger.RecordAttempt(ctx, subject, delivery, attempt); err != nil {
		return time.Time{}, err
	}
	delivery.Attempts = append(delivery.Attempts, attempt)
	fields := append(slices.Clone(event.log), zap.String("event", event.kind), zap.Stringer("endpoint", endpoint),
		zap.Int("attempt", len(delivery.Attempts)), zap.Int("status", result.Status), c.seconds(began))
	switch {
	case result.Delivered:
		c.countWebhook("delivered")
		c.logger.Info("webhook", fields...)
		return time.Time{}, c.ledger.RecordDelivered(ctx, subject, delivery,
			ledger.Delivered{At: attempt.At, Attempts: len(delivery.Attempts), Status: result.Status})
	case result.Disabled:
		c.logger.Error("a webhook answered 410, Gone, and is told nothing more until the configuration is loaded again; its events wait for that",
			append(fields, zap.Duration("at_most", webhook.Span))...)
		c.countWebhook("gone")
		c.gone.add(endpoint)
		return c.hold(ctx, subject, event, endpoint, delivery)
	default:
		c.countWebhook("failed")
		c.logger.Warn("webhook not delivered", append(fields, zap.Error(result.Err))...)
		if due, ok = dueAttempt(message.ID, event, delivery); !ok {
			return time.Time{}, c.giveUp(ctx, subject, event, endpoint, delivery)
		}
		return due, nil
	}
}

// hold keeps an event for an endpoint that wants nothing more. It may be a
// mistake that the operator mends, so the event waits as long as one that
// cannot be delivered.
func (c *clerk) hold(ctx context.Context, subject string, event event, endpoint *webhook.Endpoint, delivery ledger.Delivery) (next time.Time, err error) {
	if c.now().After(event.at.Add(webhook.Span)) {
		return time.Time{}, c.giveUp(ctx, subject, event, endpoint, delivery)
	}
	return c.now().Add(holdInterval), nil
}

const holdInterval = time.Hour

// gone are the endpoints that answered 410 since the configuration was loaded.
type gone struct {
	mu  sync.Mutex
	ids map[string]bool
}

func (g *gone) has(endpoint *webhook.Endpoint) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ids[endpoint.ID()]
}

func (g *gone) add(endpoint *webhook.Endpoint) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ids == nil {
		g.ids = make(map[string]bool)
	}
	g.ids[endpoint.ID()] = true
}

// dueAttempt is when the next attempt is due; false when none is left.
func dueAttempt(id string, event event, delivery ledger.Delivery) (due time.Time, ok bool) {
	last, notBefore := event.at, time.Time{}
	if made := len(delivery.Attempts); made > 0 {
		last, notBefore = delivery.Attempts[made-1].At, delivery.Attempts[made-1].NotBefore
	}
	due, ok = webhook.Next(id, len(delivery.Attempts)+1, last)
	if due.Before(notBefore) {
		due = notBefore
	}
	return due, ok
}

func (c *clerk) giveUp(ctx context.Context, subject string, event event, endpoint *webhook.Endpoint, delivery ledger.Delivery) error {
	c.countWebhook("given_up")
	status := 0
	if made := len(delivery.Attempts); made > 0 {
		status = delivery.Attempts[made-1].Status
	}
	c.logger.Error("a webhook could not be delivered and is given up", append(slices.Clone(event.log),
		zap.String("event", event.kind), zap.Stringer("endpoint", endpoint),
		zap.Int("attempts", len(delivery.Attempts)), zap.Int("status", status))...)
	return c.ledger.RecordDelivered(ctx, subject, delivery,
		ledger.Delivered{At: c.now().UTC(), Attempts: len(delivery.Attempts), Status: status, GaveUp: true})
}

// messageID is the same over all attempts, restarts and nodes.
func messageID(subject, key string) string {
	return "msg_" + strings.ReplaceAll(subject, ".", "_") + "_" + key
}

// orderEvents derives what the shop is told from what happened.
func orderEvents(order ledger.Order, history ledger.History, refunds ledger.Refunds) ([]event, error) {
	var events []event
	add := func(key, kind string, at time.Time, more map[string]any) {
		data := eventData(order)
		maps.Copy(data, more)
		events = append(events, event{key, kind, at, data, orderFields(order.ID, order.Intent)})
	}
	if order.Failed != nil && order.Closed == nil {
		add("closed", "order.closed", order.Failed.At, map[string]any{"status": ledger.StatusFailed})
	}
	if order.Closed != nil {
		add("closed", "order.closed", order.Closed.At, map[string]any{"status": ledger.StatusClosed})
	}
	if order.Paid != nil {
		add("paid", "order.paid", order.Paid.At, map[string]any{"status": ledger.StatusPaid})
	}
	for _, number := range slices.Sorted(maps.Keys(refunds.Done)) {
		refund := refunds.Done[number]
		add("refund-"+number, "order.refunded", refund.At, map[string]any{"refund": refundData(refund, refunds)})
	}
	if order.Refunded != nil && refunds.Given() < order.Intent.Amount { // by refunds that only the whole tells of
		add("refunded", "order.refunded", order.Refunded.At, nil)
	}
	disputes, err := disputeEvents(order, history)
	return append(events, disputes...), err
}

// disputeEvents are those about what the gateway vouches for that was not
// ordered.
func disputeEvents(order ledger.Order, history ledger.History) (events []event, err error) {
	disputes, err := history.Disputes()
	for _, number := range slices.Sorted(maps.Keys(disputes)) {
		dispute, data := disputes[number], eventData(order)
		maps.Copy(data, disputeData(dispute))
		events = append(events, event{"disputed-" + number, "payment.disputed", dispute.At, data, orderFields(order.ID, order.Intent)})
	}
	return events, err
}

// eventData is what webhooks and Caddy events say of an order: money in minor
// units with the currency beside it, what the payer told the shop, and nothing
// else of the payer.
func eventData(order ledger.Order) map[string]any {
	items := make([]map[string]any, len(order.Intent.Lines))
	for i, line := range order.Intent.Lines {
		items[i] = map[string]any{"item": line.Item, "name": line.Name, "quantity": line.Quantity, "price": line.Price}
	}
	data := map[string]any{
		"order":          order.ID,
		"status":         order.Status(),
		"amount":         order.Intent.Amount,
		"currency":       order.Intent.Currency,
		"display_amount": checkout.Decimal(order.Intent.Amount, order.Intent.Currency),
		"description":    order.Intent.Description,
		"ref":            order.Intent.Ref,
		"items":          items,
	}
	if len(order.Intent.Fields) > 0 {
		data["fields"] = order.Intent.Fields
	}
	if invoice := order.Intent.Invoice; invoice != nil {
		data["invoice"] = invoice.ID
	}
	if order.Paid != nil {
		data["syssn"] = order.Paid.Syssn
		data["paid_at"] = paidAt(order)
		data["late"] = order.Late()
	}
	return data
}

func disputeData(dispute ledger.Disputed) map[string]any {
	return map[string]any{"gateway": map[string]any{"syssn": dispute.Syssn, "amount": dispute.Amount, "currency": dispute.Currency}}
}

func orphanData(orphan ledger.Orphan) map[string]any {
	return map[string]any{
		"syssn": orphan.Syssn, "out_trade_no": orphan.OutTradeNo,
		"amount": orphan.Amount, "currency": orphan.Currency, "notify_type": orphan.NotifyType,
	}
}

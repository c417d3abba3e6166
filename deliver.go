package qfpayjsapi

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/webhook"
)

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

// tellAll makes the attempts that are due, and returns when the next one is: the
// zero time if the shop knows all.
func (c *clerk) tellAll(ctx context.Context, subject string, events []event, history ledger.History) (next time.Time, err error) {
	for _, event := range events {
		for _, endpoint := range c.endpoints {
			delivery, err := history.Delivery(event.key, endpoint.ID())
			if err != nil {
				return time.Time{}, err
			}
			again, err := c.tellOne(ctx, errand{subject, event, endpoint, delivery})
			if err != nil {
				return time.Time{}, err
			}
			next = earlier(next, again)
		}
	}
	return next, nil
}

// errand is an event of which one endpoint is to be told.
type errand struct {
	subject  string // the order or orphan
	event    event
	endpoint *webhook.Endpoint
	delivery ledger.Delivery
}

func (e errand) message() webhook.Message {
	return webhook.Message{ID: messageID(e.subject, e.event.key), Type: e.event.kind, Timestamp: e.event.at, Data: e.event.data}
}

// last is the attempt that was made last: as of the event itself, if there was
// none.
func (e errand) last() ledger.Attempt {
	if made := len(e.delivery.Attempts); made > 0 {
		return e.delivery.Attempts[made-1]
	}
	return ledger.Attempt{At: e.event.at}
}

// due is when the next attempt is due; false when none is left.
func (e errand) due() (due time.Time, ok bool) {
	last := e.last()
	due, ok = webhook.Next(e.message().ID, len(e.delivery.Attempts)+1, last.At)
	if due.Before(last.NotBefore) {
		due = last.NotBefore
	}
	return due, ok
}

// fields are those by which the log names it.
func (e errand) fields(more ...zap.Field) []zap.Field {
	return append(append(slices.Clone(e.event.log), zap.String("event", e.event.kind), zap.Stringer("endpoint", e.endpoint)), more...)
}

// tellOne makes an attempt if it is due. The zero time means that the endpoint
// need not be told any more.
func (c *clerk) tellOne(ctx context.Context, e errand) (next time.Time, err error) {
	if e.delivery.Done != nil {
		return time.Time{}, nil
	}
	switch due, ok := e.due(); {
	case !ok:
		return time.Time{}, c.giveUp(ctx, e)
	case c.gone.has(e.endpoint):
		return c.hold(ctx, e)
	case c.now().Before(due):
		return due, nil
	}
	began := c.now()
	result := e.endpoint.Send(ctx, e.message(), began)
	if ctx.Err() != nil {
		return c.now(), ctx.Err() // we stopped, not they: the attempt does not count
	}
	attempt := attemptOf(result, c.now())
	if err := c.ledger.RecordAttempt(ctx, e.subject, e.delivery, attempt); err != nil {
		return time.Time{}, err
	}
	e.delivery.Attempts = append(e.delivery.Attempts, attempt)
	return c.conclude(ctx, e, result, c.seconds(began))
}

func attemptOf(result webhook.Result, at time.Time) ledger.Attempt {
	attempt := ledger.Attempt{At: at.UTC(), Status: result.Status}
	if result.Err != nil {
		attempt.Error = result.Err.Error()
	}
	if result.RetryAfter > 0 {
		attempt.NotBefore = attempt.At.Add(result.RetryAfter)
	}
	return attempt
}

// conclude decides what follows from how the last attempt ended.
func (c *clerk) conclude(ctx context.Context, e errand, result webhook.Result, took zap.Field) (next time.Time, err error) {
	made := len(e.delivery.Attempts)
	fields := e.fields(zap.Int("attempt", made), zap.Int("status", result.Status), took)
	switch {
	case result.Delivered:
		c.countWebhook("delivered")
		c.logger.Info("webhook", fields...)
		return time.Time{}, c.ledger.RecordDelivered(ctx, e.subject, e.delivery, ledger.Delivered{At: e.last().At, Attempts: made, Status: result.Status})
	case result.Disabled:
		c.countWebhook("gone")
		c.logger.Error("a webhook answered 410, Gone, and is told nothing more until the configuration is loaded again; its events wait for that",
			append(fields, zap.Duration("at_most", webhook.Span))...)
		c.gone.add(e.endpoint)
		return c.hold(ctx, e)
	}
	c.countWebhook("failed")
	c.logger.Warn("webhook not delivered", append(fields, zap.Error(result.Err))...)
	next, ok := e.due()
	if !ok {
		return time.Time{}, c.giveUp(ctx, e)
	}
	return next, nil
}

// hold keeps an event for an endpoint that wants nothing more. It may be a
// mistake that the operator mends, so the event waits as long as one that
// cannot be delivered.
func (c *clerk) hold(ctx context.Context, e errand) (next time.Time, err error) {
	if c.now().After(e.event.at.Add(webhook.Span)) {
		return time.Time{}, c.giveUp(ctx, e)
	}
	return c.now().Add(holdInterval), nil
}

const holdInterval = time.Hour

func (c *clerk) giveUp(ctx context.Context, e errand) error {
	c.countWebhook("given_up")
	made, status := len(e.delivery.Attempts), e.last().Status
	c.logger.Error("a webhook could not be delivered and is given up", e.fields(zap.Int("attempts", made), zap.Int("status", status))...)
	return c.ledger.RecordDelivered(ctx, e.subject, e.delivery, ledger.Delivered{At: c.now().UTC(), Attempts: made, Status: status, GaveUp: true})
}

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

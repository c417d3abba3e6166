package qfpayjsapi

import (
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/outbox"
)

// observer tells Caddy's metrics and event handlers what happens to orders. It is
// told everything once, by whoever made it durable.
type observer struct{ ctx caddy.Context }

// Called implements orders.Observer.
func (o *observer) Called(shop, call string, took time.Duration, err error) {
	observe(shop, call, took, err)
}

// Notified implements checkout.Observer.
func (o *observer) Notified(shop, outcome string) {
	notificationsTotal.WithLabelValues(shop, outcome).Inc()
}

// Changed implements orders.Observer.
func (o *observer) Changed(change orders.Change) {
	countChange(&change)
	if change.Event != "" {
		o.emit(change.Event, change.Data)
	}
}

// Open implements orders.Observer.
func (o *observer) Open(open map[string]int) {
	app, err := o.ctx.AppIfConfigured("qfpay_jsapi")
	if err != nil {
		return
	}
	for _, shop := range app.(*App).shopNames("") {
		openOrders.set(shop, open[shop])
	}
}

// Compared is told how a nightly comparison ended.
func (o *observer) Compared(shop string, made orders.Comparison) {
	countComparison(shop, made)
	found := backoffice.ViewComparison(made)
	data := map[string]any{
		"shop": shop, "day": found.To, "trades": found.Trades, "here": found.Here,
		"differences": found.Differences, "findings": found.Findings,
	}
	if found.Problem != "" {
		data["problem"] = found.Problem
	}
	o.emit(orders.EventCompared, data)
}

// Attempted implements outbox.Observer.
func (o *observer) Attempted(d ledger.Delivery, kind, outcome string) {
	total := webhooksTotal
	if kind == "mail" {
		total = mailsTotal
	}
	total.WithLabelValues(d.Shop, outcome).Inc()
}

// emit tells Caddy's event handlers. Requests may outlive the configuration they
// came in with, whose events nobody hears any more: theirs go to the configuration
// that is active then.
func (o *observer) emit(event string, data map[string]any) {
	ctx := o.ctx
	if ctx.Err() != nil {
		ctx = caddy.ActiveContext()
	}
	if app, err := ctx.AppIfConfigured("events"); err == nil {
		app.(*caddyevents.App).Emit(ctx, event, data)
	}
}

// countChange counts what has happened to an order.
func countChange(change *orders.Change) {
	o, shop := &change.Order, change.Shop
	if change.StatusChanged {
		ordersTotal.WithLabelValues(shop, string(o.Status), known(o.Method)).Inc()
	}
	switch change.Kind {
	case "paid":
		paidTotal.WithLabelValues(shop, listed(o.Intent.Currency), known(o.Method)).Add(float64(o.Intent.Amount))
	case "disputed":
		disputesTotal.WithLabelValues(shop).Inc()
	case "refund_stuck":
		stuckTotal.WithLabelValues(shop).Inc()
	case "orphaned":
		orphansTotal.WithLabelValues(shop).Inc()
	}
	if change.Refund != nil {
		refundedTotal.WithLabelValues(shop, listed(o.Intent.Currency), known(o.Method)).Add(float64(max(change.Refund.Amount, 0)))
	}
}

// countComparison counts how a comparison ended, and what it found.
func countComparison(shop string, made orders.Comparison) {
	outcome := "same"
	switch {
	case made.Problem != "":
		outcome = "failed"
	case made.Differences() > 0:
		outcome = "differs"
	}
	comparisonsTotal.WithLabelValues(shop, outcome).Inc()
	for _, found := range made.Findings {
		differencesTotal.WithLabelValues(found.Shop, string(found.Kind)).Inc()
	}
}

// Interface guards
var (
	_ orders.Observer   = (*observer)(nil)
	_ outbox.Observer   = (*observer)(nil)
	_ checkout.Observer = (*observer)(nil)
)

package qfpayjsapi

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/wechat"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// The metrics belong to the process: every configuration has a registry of its
// own, with which it registers them, and their values go on from one to the
// next. Labels hold the ledger's name and words of the lists below, never what
// comes from outside.
var (
	ordersTotal = counters("orders_total",
		"Orders by the statuses that they came to; pending is the first of each.", "name", "status")
	paidTotal = counters("paid_minor_units_total",
		"Money of paid orders, in minor units of the currency (cents; whole yen).", "name", "currency")
	refundedTotal = counters("refunded_minor_units_total",
		"Money of refunds, in minor units of the currency (cents; whole yen).", "name", "currency")
	gatewayRequestsTotal = counters("gateway_requests_total",
		"Calls to the gateway, and to WeChat for openids, by how they ended.", "name", "call", "outcome")
	gatewaySeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    metricsPrefix + "gateway_request_duration_seconds",
		Help:    "How long those calls took.",
		Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60},
	}, []string{"name", "call", "outcome"})
	notificationsTotal = counters("notifications_total",
		"Notifications of the gateway by what became of them.", "name", "outcome")
	disputesTotal = counters("disputes_total",
		"Orders for which the gateway vouched for another amount or currency.", "name")
	orphansTotal = counters("orphans_total",
		"Payments that the gateway vouched for and that are no order of the ledger.", "name")
	webhooksTotal = counters("webhook_deliveries_total",
		"Attempts to tell a webhook by how they ended, and events given up.", "name", "outcome")
	openOrders = newOpenGauge()

	collectors = []prometheus.Collector{
		ordersTotal, paidTotal, refundedTotal, gatewayRequestsTotal, gatewaySeconds,
		notificationsTotal, disputesTotal, orphansTotal, webhooksTotal, openOrders,
	}
)

// The values of the labels.
var (
	orderStatuses = []ledger.Status{
		ledger.StatusPending, ledger.StatusPaid, ledger.StatusFailed, ledger.StatusClosed,
		ledger.StatusPartiallyRefunded, ledger.StatusRefunded,
	}
	gatewayCalls         = []string{"openid", "wechat_openid", "payment", "query", "close", "refund"}
	gatewayOutcomes      = []string{"ok", "refused", "denied", "busy", "unreachable", "unknown", "cancelled"}
	notificationOutcomes = []string{"stored", "ignored", "forged", "malformed", "not_stored"}
	webhookOutcomes      = []string{"delivered", "failed", "gone", "given_up"}
)

const metricsPrefix = "caddy_qfpay_jsapi_"

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricsPrefix + name, Help: help}, labels)
}

// registerMetrics makes a configuration show the metrics. Its other blocks may
// have done so already.
func registerMetrics(ctx caddy.Context) error {
	for _, collector := range collectors {
		err := ctx.GetMetricsRegistry().Register(collector)
		if already := (prometheus.AlreadyRegisteredError{}); err != nil && !errors.As(err, &already) {
			return err
		}
	}
	return nil
}

// showZeros lets a ledger's counters begin at 0 rather than with the first
// event, which would look like no increase.
func showZeros(name, currency string) {
	for _, status := range orderStatuses {
		ordersTotal.WithLabelValues(name, string(status))
	}
	for _, call := range gatewayCalls {
		for _, outcome := range gatewayOutcomes {
			gatewayRequestsTotal.WithLabelValues(name, call, outcome)
		}
	}
	for _, outcome := range notificationOutcomes {
		notificationsTotal.WithLabelValues(name, outcome)
	}
	for _, outcome := range webhookOutcomes {
		webhooksTotal.WithLabelValues(name, outcome)
	}
	paidTotal.WithLabelValues(name, currency)
	refundedTotal.WithLabelValues(name, currency)
	disputesTotal.WithLabelValues(name)
	orphansTotal.WithLabelValues(name)
}

// countStatus counts an order that came to its status, once in this process:
// requests may learn the same at the same moment.
func (b *books) countStatus(order ledger.Order) {
	status := order.Status()
	if !b.account.first("counted " + order.ID + " " + string(status)) {
		return
	}
	ordersTotal.WithLabelValues(b.name, string(status)).Inc()
	if status == ledger.StatusPaid {
		paidTotal.WithLabelValues(b.name, listed(order.Intent.Currency)).Add(float64(order.Intent.Amount))
	}
}

// countNews counts what the shop is told of an order.
func (b *books) countNews(order ledger.Order, event string) {
	if event != "payment.disputed" {
		b.countStatus(order)
	} else if b.account.first("counted " + order.ID + " disputed") {
		disputesTotal.WithLabelValues(b.name).Inc()
	}
}

// countRefund counts the money of a refund that the ledger did not know.
func (b *books) countRefund(order ledger.Order, refund ledger.Refund) {
	if b.account.first("counted " + order.ID + " refund " + refund.Syssn) {
		refundedTotal.WithLabelValues(b.name, listed(order.Intent.Currency)).Add(float64(max(refund.Amount, 0)))
	}
}

// countOrphan counts a payment that is no order of ours.
func (b *books) countOrphan(orphan ledger.Orphan) {
	if b.account.first("counted orphan " + orphan.Syssn) {
		orphansTotal.WithLabelValues(b.name).Inc()
	}
}

func (b *books) countNotification(outcome string) {
	notificationsTotal.WithLabelValues(b.name, outcome).Inc()
}

func (b *books) countWebhook(outcome string) { webhooksTotal.WithLabelValues(b.name, outcome).Inc() }

// observe notes how a call to the gateway ended.
func observe(name, call string, began time.Time, err error) {
	outcome := outcomeOf(err)
	gatewayRequestsTotal.WithLabelValues(name, call, outcome).Inc()
	gatewaySeconds.WithLabelValues(name, call, outcome).Observe(time.Since(began).Seconds())
}

// outcomeOf is one of [gatewayOutcomes].
func outcomeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if errors.Is(err, context.Canceled) {
		return "cancelled"
	}
	if failure, ok := errors.AsType[*wechat.Error](err); ok {
		return outcomeWord(failure.Outcome == wechat.Refused, faultOf(err))
	}
	if failure, ok := errors.AsType[*qfpay.Error](err); ok {
		return outcomeWord(failure.Outcome == qfpay.Refused, faultOf(err))
	}
	return "unknown"
}

func outcomeWord(refused bool, fault string) string {
	switch {
	case !refused:
		return "unknown"
	case fault == qfpay.FaultShop.String():
		return "denied"
	case fault == qfpay.FaultBusy.String():
		return "busy"
	case fault == qfpay.FaultSilent.String():
		return "unreachable"
	default:
		return "refused"
	}
}

// listed keeps the currencies of labels to those that the gateway takes.
func listed(currency string) string {
	if _, taken := qfpay.MinorUnits(currency); !taken {
		return "other"
	}
	return currency
}

// openGauge is the number of open orders of each ledger, as the node knows it
// that looks after them. It goes when nobody has counted for a while: another
// node does then, or storage is down.
type openGauge struct {
	desc *prometheus.Desc

	mu     sync.Mutex
	counts map[string]openCount
}

type openCount struct {
	orders int
	at     time.Time
}

// openCountAge is how long a count holds; it is made every [rescanInterval].
const openCountAge = 30 * time.Second

func newOpenGauge() *openGauge {
	return &openGauge{
		desc:   prometheus.NewDesc(metricsPrefix+"open_orders", "Orders with which something is left to do: to be paid or ended, or to be told.", []string{"name"}, nil),
		counts: make(map[string]openCount),
	}
}

// set notes what is on the index of a ledger now.
func (g *openGauge) set(name string, subjects []string) {
	orders := len(slices.DeleteFunc(slices.Clone(subjects), ledger.IsOrphan))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts[name] = openCount{orders, time.Now()}
}

// Describe implements prometheus.Collector.
func (g *openGauge) Describe(descs chan<- *prometheus.Desc) { descs <- g.desc }

// Collect implements prometheus.Collector.
func (g *openGauge) Collect(metrics chan<- prometheus.Metric) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, count := range g.counts {
		if time.Since(count.at) > openCountAge {
			delete(g.counts, name)
			continue
		}
		metrics <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, float64(count.orders), name)
	}
}

// Interface guards
var _ prometheus.Collector = (*openGauge)(nil)

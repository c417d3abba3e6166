package qfpayjsapi

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// The metrics belong to the process: every configuration has a registry of its
// own, with which it registers them, and their values go on from one to the
// next. Labels hold the shop's name and words of the lists below, never what
// comes from outside.
var (
	ordersTotal = counters("orders_total",
		"Orders by the statuses that they came to; pending is the first of each.", beginWithStatuses, "status", "method")
	paidTotal = counters("paid_minor_units_total",
		"Money of paid orders, in minor units of the currency (cents; whole yen).", beginWithCurrency, "currency", "method")
	refundedTotal = counters("refunded_minor_units_total",
		"Money of refunds, in minor units of the currency (cents; whole yen).", beginWithCurrency, "currency", "method")
	stuckTotal = counters("stuck_refunds_total",
		"Refunds whose outcome the gateway has not told for a day.", beginWithNothingMore)
	gatewayRequestsTotal = counters("gateway_requests_total",
		"Calls to the gateway, and to WeChat for openids, by how they ended.", beginWithCalls, "call", "outcome")
	gatewaySeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    metricsPrefix + "gateway_request_duration_seconds",
		Help:    "How long those calls took.",
		Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60},
	}, []string{"name", "call", "outcome"})
	notificationsTotal = counters("notifications_total",
		"Notifications of the gateway by what became of them.", beginWith(notificationOutcomes), "outcome")
	disputesTotal = counters("disputes_total",
		"Orders for which the gateway vouched for another amount or currency.", beginWithNothingMore)
	orphansTotal = counters("orphans_total",
		"Payments that the gateway vouched for and that are no order of the shop.", beginWithNothingMore)
	webhooksTotal = counters("webhook_deliveries_total",
		"Attempts to tell a webhook by how they ended, and events given up.", beginWith(webhookOutcomes), "outcome")
	mailsTotal = counters("mail_deliveries_total",
		"Attempts to send an email by how they ended, and emails given up.", beginWith(mailOutcomes), "outcome")
	comparisonsTotal = counters("comparisons_total",
		"Days that were compared with the gateway's own list of trades, by how that ended.", beginWith(comparisonOutcomes), "outcome")
	differencesTotal = counters("comparison_differences_total",
		"Differences that these comparisons found, by what differs.", beginWith(orders.FindingKinds()), "kind")
	openOrders = newOpenGauge()

	collectors = []prometheus.Collector{
		ordersTotal, paidTotal, refundedTotal, stuckTotal, gatewayRequestsTotal, gatewaySeconds,
		notificationsTotal, disputesTotal, orphansTotal, webhooksTotal, mailsTotal, comparisonsTotal, differencesTotal, openOrders,
	}
)

// The values of the labels.
var (
	gatewayCalls         = []string{"openid", "wechat_openid", "payment", "query", "close", "refund"}
	gatewayOutcomes      = []string{"ok", "refused", "denied", "busy", "unreachable", "unknown", "cancelled"}
	notificationOutcomes = []string{"stored", "ignored", "forged", "malformed", "not_stored"}
	comparisonOutcomes   = []string{"same", "differs", "failed"}
	webhookOutcomes      = []string{"delivered", "failed", "gone", "given_up"}
	mailOutcomes         = []string{"delivered", "failed", "given_up"}
)

const metricsPrefix = "caddy_qfpay_jsapi_"

// registerMetrics makes a configuration show the metrics, unless it does already.
func registerMetrics(ctx caddy.Context) error {
	for _, collector := range collectors {
		err := ctx.GetMetricsRegistry().Register(collector)
		if already := (prometheus.AlreadyRegisteredError{}); err != nil && !errors.As(err, &already) {
			return err
		}
	}
	return nil
}

// observe notes how a call to the gateway ended.
func observe(name, call string, took time.Duration, err error) {
	outcome := outcomeOf(err)
	gatewayRequestsTotal.WithLabelValues(name, call, outcome).Inc()
	gatewaySeconds.WithLabelValues(name, call, outcome).Observe(took.Seconds())
}

// outcomeOf is one of [gatewayOutcomes].
func outcomeOf(err error) string {
	outcome, fault := remote.Ended(err)
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case outcome != remote.Refused:
		return "unknown"
	case fault == remote.FaultShop:
		return "denied"
	case fault == remote.FaultBusy:
		return "busy"
	case fault == remote.FaultSilent:
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

// known keeps the methods of labels to those that there are.
func known(method string) string {
	if !slices.Contains(qfpay.Methods(), qfpay.Method(method)) {
		return "other"
	}
	return method
}

// openGauge is the number of open orders of each shop, as every node counts it in
// the ledger. It goes when nobody has counted for a while, as when the ledger is
// down.
type openGauge struct {
	desc *prometheus.Desc

	mu     sync.Mutex
	counts map[string]openCount
}

type openCount struct {
	orders int
	at     time.Time
}

// openCountAge is how long a count holds; it is made every 15 s.
const openCountAge = 60 * time.Second

func newOpenGauge() *openGauge {
	return &openGauge{
		desc:   prometheus.NewDesc(metricsPrefix+"open_orders", "Orders with which something is left to do: to be paid or ended, or a refund to be followed.", []string{"name"}, nil),
		counts: make(map[string]openCount),
	}
}

// set notes how many orders of a shop are open now.
func (g *openGauge) set(name string, orders int) {
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

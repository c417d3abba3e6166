package qfpayjsapi

import (
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// tally counts by labels, of which the first is the shop's name. The counts of a
// shop begin at 0 rather than with the first event, which would look like no
// increase. Those zeros are made when somebody asks for them: a shop in which
// nothing happens holds no memory for each.
type tally struct {
	*prometheus.CounterVec
	desc   *prometheus.Desc
	begins func(beginning) [][]string // the labels behind the name with which a shop begins

	mu      sync.Mutex // held while a count begins, and while all are collected
	counted sync.Map   // by labels
}

// beginning is what the labels of a shop's counts may be.
type beginning struct {
	currency string
	methods  []qfpay.Method
}

// shown are the beginnings of the shops whose counts are shown from 0, by name. A
// shop has one at a time: of two, each would show the counts without a currency.
var shown sync.Map

// showZeros has the counters of all shops begin at 0, in the methods of all their
// blocks. A configuration that is rejected before it starts changes nothing.
func (a *App) showZeros() {
	for name, blocks := range a.shops {
		var methods []qfpay.Method
		for _, h := range blocks {
			methods = append(methods, h.methods()...)
		}
		slices.Sort(methods)
		shown.Store(name, beginning{blocks[0].Currency, slices.Compact(methods)})
	}
}

func counters(name, help string, begins func(beginning) [][]string, labels ...string) *tally {
	labels = append([]string{"name"}, labels...)
	return &tally{
		CounterVec: prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricsPrefix + name, Help: help}, labels),
		desc:       prometheus.NewDesc(metricsPrefix+name, help, labels, nil),
		begins:     begins,
	}
}

// WithLabelValues returns a counter, which is there from then on.
func (t *tally) WithLabelValues(values ...string) prometheus.Counter {
	key := strings.Join(values, "\xff")
	if _, counted := t.counted.Load(key); !counted {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.counted.Store(key, nil)
	}
	return t.CounterVec.WithLabelValues(values...)
}

// Collect implements prometheus.Collector.
func (t *tally) Collect(metrics chan<- prometheus.Metric) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.CounterVec.Collect(metrics)
	shown.Range(func(shop, begin any) bool {
		for _, labels := range t.begins(begin.(beginning)) {
			values := append([]string{shop.(string)}, labels...)
			if _, counted := t.counted.Load(strings.Join(values, "\xff")); !counted {
				metrics <- prometheus.MustNewConstMetric(t.desc, prometheus.CounterValue, 0, values...)
			}
		}
		return true
	})
}

// beginWith are the words of a label with which every shop begins.
func beginWith[T ~string](words []T) func(beginning) [][]string {
	labels := make([][]string, len(words))
	for i, word := range words {
		labels[i] = []string{string(word)}
	}
	return func(beginning) [][]string { return labels }
}

func beginWithStatuses(begin beginning) (labels [][]string) {
	for _, method := range begin.methods {
		for _, status := range ledger.Statuses() {
			labels = append(labels, []string{string(status), string(method)})
		}
	}
	return labels
}

func beginWithCurrency(begin beginning) (labels [][]string) {
	for _, method := range begin.methods {
		labels = append(labels, []string{begin.currency, string(method)})
	}
	return labels
}

func beginWithNothingMore(beginning) [][]string { return [][]string{{}} }

func beginWithCalls(beginning) (labels [][]string) {
	for _, call := range gatewayCalls {
		for _, outcome := range gatewayOutcomes {
			labels = append(labels, []string{call, outcome})
		}
	}
	return labels
}

// Interface guard
var _ prometheus.Collector = (*tally)(nil)

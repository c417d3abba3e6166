package qfpayjsapi

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

func TestMetricsAreRegisteredOnceAfterAChangeOfCurrency(t *testing.T) {
	t.Cleanup(func() { shown.Delete(t.Name()) })
	shown.Store(t.Name(), beginning{"HKD", []qfpay.Method{qfpay.MethodJSAPI}})
	shown.Store(t.Name(), beginning{"USD", []qfpay.Method{qfpay.MethodJSAPI, qfpay.MethodPayMe}})
	registry := prometheus.NewRegistry()
	registry.MustRegister(counters("test_total", "A count.", beginWithNothingMore), counters("test_of_money_total", "A count.", beginWithCurrency, "currency", "method"))
	_, err := registry.Gather()
	require.NoError(t, err)
}

package qfpayjsapi

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// The placeholders {http.qfpay_jsapi.*}, for access logs.

func noteStation(r *http.Request, station string) {
	setPlaceholder(r, "http.qfpay_jsapi.station", station)
}

func noteOrder(r *http.Request, order ledger.Order) {
	noteIntent(r, order.ID, order.Intent)
	setPlaceholder(r, "http.qfpay_jsapi.status", string(order.Status()))
}

func noteIntent(r *http.Request, order string, intent ledger.Intent) {
	setPlaceholder(r, "http.qfpay_jsapi.order", order)
	setPlaceholder(r, "http.qfpay_jsapi.amount", checkout.Decimal(intent.Amount, intent.Currency))
	setPlaceholder(r, "http.qfpay_jsapi.currency", intent.Currency)
}

func setPlaceholder(r *http.Request, name, value string) {
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Set(name, value)
	}
}

package qfpayjsapi

import (
	"net/http"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// The placeholders {http.qfpay_jsapi.*}, for access logs.

func noteStation(r *http.Request, station string) {
	setPlaceholder(r, "station", station)
}

func noteOrder(r *http.Request, order ledger.Order) {
	noteIntent(r, order.ID, order.Intent)
	setPlaceholder(r, "status", string(order.Status()))
}

func noteIntent(r *http.Request, order string, intent ledger.Intent) {
	setPlaceholder(r, "order", order)
	setPlaceholder(r, "amount", checkout.Decimal(intent.Amount, intent.Currency))
	setPlaceholder(r, "currency", intent.Currency)
}

func setPlaceholder(r *http.Request, name, value string) {
	if replacer, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		replacer.Set("http.qfpay_jsapi."+name, value)
	}
}

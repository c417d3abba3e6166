package backoffice

import (
	"slices"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// Row is what lists say of an order.
type Row struct {
	ledger.Row
	DisplayAmount   string `json:"display_amount"`
	DisplayRefunded string `json:"display_refunded"`
}

// net is what came in for an order, less what went back.
func (r Row) net() int64 {
	if !r.Status.Paid() {
		return 0
	}
	return r.Amount - r.Refunded
}

// inZone is a row with its times in a zone.
func inZone(row ledger.Row, zone *time.Location) ledger.Row {
	row.At, row.PaidAt, row.FulfilledAt = row.At.In(zone), row.PaidAt.In(zone), row.FulfilledAt.In(zone)
	return row
}

func newRow(row ledger.Row) Row {
	row.Damaged = row.Damaged || !slices.Contains(ledger.Statuses(), row.Status)
	return Row{row, DisplayAmount(row.Amount, row.Currency), DisplayAmount(row.Refunded, row.Currency)}
}

// DisplayAmount is money as people write it; of an unknown currency, as it came.
func DisplayAmount(minor int64, currency string) string { return qfpay.Decimal(minor, currency) }

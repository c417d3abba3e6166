package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// figures are what somebody counts of a day: orders that were paid, and minor units.
type figures struct{ orders, taken, refunded int }

// exported counts in the CSV file.
func (d *day) exported(from, to string) (f figures) {
	d.t.Helper()
	text := strings.TrimPrefix(d.command("export", "--from", from, "--to", to), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(d.t, err)
	column := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for _, row := range rows[1:] {
		f.orders++
		f.taken += cents(d.t, column(row, "amount"))
		f.refunded += cents(d.t, column(row, "refunded"))
	}
	return f
}

// traded counts what the gateway has.
func (d *day) traded() (f figures) {
	for _, trade := range d.trades() {
		switch {
		case trade.State != "paid":
		case trade.OrderType == "refund":
			f.refunded += trade.Amount
		default:
			f.orders++
			f.taken += trade.Amount
		}
	}
	return f
}

// measured counts in the metrics.
func (d *day) measured() figures {
	d.t.Helper()
	reply, err := http.Get("http://" + d.admin + "/metrics")
	require.NoError(d.t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(d.t, err)
	sum := func(series string) (sum int) {
		for _, line := range regexp.MustCompile(`(?m)^caddy_qfpay_jsapi_`+series+`.*} (\S+)$`).FindAllStringSubmatch(string(text), -1) {
			value, err := strconv.ParseFloat(line[1], 64)
			require.NoError(d.t, err)
			sum += int(value)
		}
		return sum
	}
	return figures{sum(`orders_total{.*status="paid"`), sum(`paid_minor_units_total{`), sum(`refunded_minor_units_total{`)}
}

// hooked counts what the shop's own program was told, which logs it.
func (d *day) hooked() (f figures) {
	log, err := os.ReadFile(d.log)
	require.NoError(d.t, err)
	for line := range bytes.Lines(log) {
		var entry struct{ Webhook string }
		var event struct {
			Type string
			Data struct {
				Amount int
				Refund struct{ Amount int }
			}
		}
		if json.Unmarshal(line, &entry) != nil || json.Unmarshal([]byte(entry.Webhook), &event) != nil {
			continue
		}
		switch event.Type {
		case "order.paid":
			f.orders++
			f.taken += event.Data.Amount
		case "order.refunded":
			f.refunded += event.Data.Refund.Amount
		}
	}
	return f
}

// mailed counts the mails to an address, or to all, with such a subject, of which a
// group is the amount.
func (d *day) mailed(to, subject string) (f figures) {
	for _, mail := range d.mails.Mails() {
		found := regexp.MustCompile(subject).FindStringSubmatch(mail.Subject)
		if found != nil && strings.HasSuffix(mail.To[0].Address, to) {
			f.orders++
			for _, amount := range found[1:] {
				f.taken += cents(d.t, amount)
			}
		}
	}
	return f
}

func cents(t testing.TB, decimal string) int {
	t.Helper()
	amount, err := strconv.ParseFloat(decimal, 64)
	require.NoError(t, err)
	return int(amount*100 + 0.5)
}

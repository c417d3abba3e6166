package cluster

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// row is an order as the export of the admin API shows it.
type row struct {
	Order, Status   string
	Amount          int64
	Refunded        int64
	Refunding, Late bool
}

func (r row) isPaid() bool { return r.Status == "paid" || strings.HasSuffix(r.Status, "refunded") }
func (r row) isOver() bool { return r.Status == "failed" || r.Status == "closed" }

// yesterday is where all exports begin: it may be midnight meanwhile.
func yesterday() string { return time.Now().UTC().Add(-24 * time.Hour).Format(time.DateOnly) }

// export is all orders by their ids, as a node's admin API has them.
func (n *node) export(t testing.TB) map[string]row {
	t.Helper()
	answer, err := http.Get("http://" + n.admin + "/qfpay_jsapi/export?from=" + yesterday())
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	rows := make(map[string]row)
	for lines := json.NewDecoder(answer.Body); ; {
		var r row
		err := lines.Decode(&r)
		if errors.Is(err, io.EOF) {
			return rows
		}
		require.NoError(t, err)
		rows[r.Order] = r
	}
}

// exportCSV is what the command writes for a spreadsheet.
func (n *node) exportCSV(t testing.TB) (all sums) {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(binary, "qfpay-jsapi", "export", "--from", yesterday(), "--address", n.admin)
	command.Env = append(os.Environ(), asNode+"="+n.name, "HOME="+n.folder)
	_, err = command.StdinPipe()
	require.NoError(t, err)
	var wrong bytes.Buffer
	command.Stderr = &wrong
	text, err := command.Output()
	require.NoError(t, err, wrong.String())
	table, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	require.NoError(t, err)
	column := make(map[string]int)
	for i, name := range table[0] {
		column[name] = i
	}
	for _, line := range table[1:] {
		if (row{Status: line[column["status"]]}).isPaid() {
			all.add(sums{1, minor(t, line[column["amount"]]), minor(t, line[column["refunded"]])})
		}
	}
	return all
}

func minor(t testing.TB, decimal string) int64 {
	t.Helper()
	amount, err := strconv.ParseInt(strings.Replace(decimal, ".", "", 1), 10, 64) // two digits, always
	require.NoError(t, err)
	return amount
}

// detail is what the admin API shows of one order.
type detail struct {
	Events []struct {
		Event, About string
		At           time.Time
	}
}

func (n *node) show(t testing.TB, order string) (shown detail) {
	t.Helper()
	answer, err := http.Get("http://" + n.admin + "/qfpay_jsapi/orders/" + order)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&shown))
	return shown
}

// at is when something happened to an order.
func (d detail) at(event, about string) (at time.Time) {
	for _, e := range d.Events {
		if e.Event == event && e.About == about {
			at = e.At
		}
	}
	return at
}

// record is all that the ledger has of an order.
type record struct {
	ledger.Order
	refunds    ledger.Refunds
	events     []ledger.Event
	deliveries []ledger.Delivery
}

// view reads the database past the nodes, in one transaction.
func view[T any](c *cluster, read func(*ledger.Tx) (T, error)) T {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if c.opened == nil {
		open, _ := ledger.EngineNamed(c.engine)
		opened, err := open(ctx, c.ledger, zap.NewNop())
		require.NoError(c.t, err)
		c.opened = opened
		c.t.Cleanup(func() { _ = opened.Close() })
	}
	value, err := ledger.View(ctx, c.opened, read)
	require.NoError(c.t, err)
	return value
}

// records are all orders by their ids, as the database has them.
func (c *cluster) records() map[string]record { return view(c, readRecords) }

// period is that of all orders.
func period() ledger.Period {
	today := ledger.DayOf(time.Now())
	return ledger.Period{First: today.Previous(), Last: today}
}

func readRecords(tx *ledger.Tx) (map[string]record, error) {
	all := make(map[string]record)
	rows, err := tx.Rows(ledger.Search{Period: period(), Shops: []string{shopName}}, ledger.Page{Limit: 1 << 20})
	for _, row := range rows {
		var r record
		if r.Order, err = tx.Order(row.Order); err != nil {
			return nil, err
		}
		if r.refunds, err = tx.Refunds(row.Order); err != nil {
			return nil, err
		}
		if r.events, err = tx.Events(row.Order); err != nil {
			return nil, err
		}
		if r.deliveries, err = tx.Deliveries(row.Order); err != nil {
			return nil, err
		}
		all[row.Order] = r
	}
	return all, err
}

// dailySums are what the ledger keeps for lists.
func (c *cluster) dailySums() (all sums) {
	days := view(c, func(tx *ledger.Tx) ([]ledger.DaySum, error) {
		return tx.Sums(ledger.Search{Period: period(), Shops: []string{shopName}})
	})
	for _, day := range days {
		all.add(sums{int(day.Paid), day.Gross, day.Refunded})
	}
	return all
}

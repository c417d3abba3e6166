package cluster

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// row is an order as the export of the admin API shows it.
type row struct {
	Order, Status    string
	Amount, Refunded int64
	Refunding        bool
}

func (r row) isPaid() bool { return r.Status == "paid" || strings.HasSuffix(r.Status, "refunded") }
func (r row) isOver() bool { return r.Status == "failed" || r.Status == "closed" }

// export is all orders by their ids, from the ledger as a node sees it.
func (n *node) export(t testing.TB) map[string]row {
	t.Helper()
	yesterday := time.Now().UTC().Add(-24 * time.Hour).Format(time.DateOnly) // it may be midnight meanwhile
	answer, err := http.Get("http://" + n.admin + "/qfpay_jsapi/export?from=" + yesterday)
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

// detail is what the admin API shows of one order.
type detail struct {
	Facts []struct {
		Fact string
		At   time.Time
		Data struct{ Number, Syssn string }
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

// factAt is when the ledger learned something of an order.
func (d detail) factAt(name string) (at time.Time) {
	for _, fact := range d.Facts {
		if fact.Fact == name {
			at = fact.At
		}
	}
	return at
}

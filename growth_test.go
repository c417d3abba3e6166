package qfpayjsapi

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// BenchmarkGrowth compares a ledger of ten settled orders with one of a million,
// on the disk. The two take turns, so that what else the machine does hits both
// alike, and what counts is the ratio of their medians.
func BenchmarkGrowth(b *testing.B) {
	small, large := openArchive(b, 10), openArchive(b, 1_000_000)
	for _, test := range []struct {
		name string
		time func(*archive, *testing.B) time.Duration
	}{
		{"callback", (*archive).timeCallback},
		{"notification", (*archive).timeNotification},
		{"status", (*archive).timeStatus},
	} {
		b.Run(test.name, func(b *testing.B) {
			var few, many []time.Duration
			inTurn := []func(){
				func() { few = append(few, test.time(small, b)) },
				func() { many = append(many, test.time(large, b)) },
			}
			for b.Loop() {
				for _, measure := range inTurn {
					measure()
				}
				slices.Reverse(inTurn) // neither always comes after the other
			}
			b.ReportMetric(0, "ns/op") // of both ledgers, preparations included: says nothing
			b.ReportMetric(microseconds(middle(few)), "µs/10")
			b.ReportMetric(microseconds(middle(many)), "µs/1M")
			b.ReportMetric(microseconds(middle(many))/microseconds(middle(few)), "ratio")
		})
	}
}

func middle(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// archive is a shop whose ledger holds settled orders.
type archive struct{ *testShop }

func openArchive(b *testing.B, settled int) *archive {
	b.Helper()
	file := filepath.Join(b.TempDir(), "ledger.db")
	newLedger(b, file)
	fill(b, file, shopName("TESTAPPCODE"), settled)
	return &archive{openTestShopOn(b, openLedger(b, file), "", nil)}
}

// fill writes what paid orders leave of which the shop was told, over a hundred
// days.
func fill(b *testing.B, file, shop string, settled int) {
	b.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(b, err)
	defer db.Close()
	tx, err := db.BeginTx(b.Context(), nil)
	require.NoError(b, err)
	row := prepareRows(b, tx)
	lines, err := json.Marshal([]ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 1, Price: 12800}})
	require.NoError(b, err)
	payURL := "https://o2-hk.qfapi.com/q/direct?" + strings.Repeat("x", 600)
	today := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	for i := range settled {
		at := today.AddDate(0, 0, -(i % 100)).Add(-time.Duration(i) * time.Millisecond)
		order, text, syssn := ledger.NewID(at), at.Format("2006-01-02 15:04:05.000000Z"), 1_000_000_000+i
		row(0, order, shop, "TESTAPPCODE@localhost", text, text, text, string(lines), syssn, text, payURL, text)
		for _, kind := range []string{"claimed", "prepared", "paid"} {
			row(1, order, shop, text, kind)
		}
		row(2, shop, order, "msg_"+order+"_paid", text, text)
	}
	require.NoError(b, tx.Commit())
	_, err = db.Exec(`INSERT INTO sums SELECT shop, substr(started_at, 1, 14) || printf('%02d', substr(started_at, 15, 2) / 15 * 15) || ':00.000000Z', currency,
		COUNT(*), COUNT(*), SUM(amount), 0, 0 FROM orders GROUP BY 1, 2, 3`)
	require.NoError(b, err)
}

// prepareRows returns what writes a row: of an order, an event or a delivery.
func prepareRows(b *testing.B, tx *sql.Tx) func(table int, values ...any) {
	statements := make([]*sql.Stmt, 3)
	for i, text := range []string{
		`INSERT INTO orders (id, shop, account, status, method, payer, started_at, claimed_at, expires_at, amount, currency, description, ref, locale, lines, fields,
			invoice, invoice_uses, invoice_token, syssn, prepared_at, pay_url, pay_params, paid_at, late, disputed, foreign_trade, holds_stock, refunded, note)
			VALUES (?, ?, ?, 'paid', 'jsapi', '', ?, ?, ?, 12800, 'HKD', 'Cat food 猫粮', 'INV-7', 'zh-Hant', ?, '', '', 0, '', ?, ?, ?, '', ?, 0, 0, 0, 0, 0, '')`,
		`INSERT INTO events (subject, shop, at, kind, about, data) VALUES (?, ?, ?, ?, '', '')`,
		`INSERT INTO deliveries (shop, subject, endpoint, message_id, kind, at, body, status, attempts, attempted_at, last_status, last_error)
			VALUES (?, ?, 'endpoint', ?, 'order.paid', ?, '', 'delivered', 1, ?, 204, '')`,
	} {
		var err error
		statements[i], err = tx.Prepare(text)
		require.NoError(b, err)
	}
	return func(table int, values ...any) {
		if _, err := statements[table].Exec(values...); err != nil {
			b.Fatal(err)
		}
	}
}

// prepare is a payer of their own who went through WeChat's authorization.
func (a *archive) prepare(b *testing.B) (callback string) {
	b.Helper()
	clear(a.jar)
	return a.authorize(b, "/pay/cat-food")
}

func (a *archive) timeCallback(b *testing.B) time.Duration {
	return a.timeAnswer(b, a.request(a.prepare(b)), http.StatusFound)
}

func (a *archive) timeNotification(b *testing.B) time.Duration {
	callback := a.prepare(b)
	a.visit(b, callback)
	require.NoError(b, a.simulator.Pay(orderIn(callback)))
	return a.timeAnswer(b, asCaddyWould(a.notification(orderIn(callback))), http.StatusOK)
}

func (a *archive) timeStatus(b *testing.B) time.Duration {
	callback := a.prepare(b)
	a.visit(b, callback)
	require.NoError(b, a.simulator.Pay(orderIn(callback)))
	require.Equal(b, http.StatusOK, a.receive(b, a.notification(orderIn(callback))))
	return a.timeAnswer(b, a.request("/pay/status/"+orderIn(callback)), http.StatusOK)
}

func (a *archive) timeAnswer(b *testing.B, r *http.Request, status int) time.Duration {
	b.Helper()
	w := httptest.NewRecorder()
	began := time.Now()
	err := a.ServeHTTP(w, r, nobody)
	took := time.Since(began)
	require.NoError(b, err)
	require.Equal(b, status, w.Code)
	return took
}

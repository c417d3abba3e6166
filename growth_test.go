package qfpayjsapi

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// BenchmarkGrowth compares a ledger of ten settled orders with one of 100,000,
// on Caddy's file storage. The two take turns, so that what else the machine
// does hits both alike, and what counts is the ratio of their medians.
func BenchmarkGrowth(b *testing.B) {
	small, large := openArchive(b, 10), openArchive(b, 100_000)
	for _, test := range []struct {
		name string
		time func(*archive, *testing.B) time.Duration
	}{
		{"callback", (*archive).timeCallback},
		{"notification", (*archive).timeNotification},
		{"start-up", (*archive).timeStartUp},
	} {
		b.Run(test.name, func(b *testing.B) {
			var few, many []time.Duration
			turns := []func(){
				func() { few = append(few, test.time(small, b)) },
				func() { many = append(many, test.time(large, b)) },
			}
			for b.Loop() {
				for _, turn := range turns {
					turn()
				}
				slices.Reverse(turns) // neither always comes after the other
			}
			b.ReportMetric(0, "ns/op") // of both ledgers, preparations included: says nothing
			b.ReportMetric(microseconds(middle(few)), "µs/10")
			b.ReportMetric(microseconds(middle(many)), "µs/100k")
			b.ReportMetric(microseconds(middle(many))/microseconds(middle(few)), "ratio")
		})
	}
}

func middle(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// archive is a counter whose ledger holds settled orders.
type archive struct {
	*counter
	config map[string]any
}

// today is when the benchmark's own orders are made, by their counter's clock.
var today = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

func openArchive(b *testing.B, settled int) *archive {
	b.Helper()
	root := b.TempDir()
	b.Setenv("TEST_QFPAY_CLIENT_KEY", "TESTKEY") // one that is written out is warned of at every start
	config := map[string]any{
		"client_key": "{env.TEST_QFPAY_CLIENT_KEY}",
		"storage":    map[string]any{"module": "file_system", "root": root},
	}
	for i := range settled {
		writeSettled(b, filepath.Join(root, "qfpay_jsapi", accountName("TESTAPPCODE", "")), settledAt(i))
	}
	return &archive{openCounter(b, config), config}
}

// settledAt spreads orders over a hundred days, the same day among them.
func settledAt(i int) time.Time {
	return today.AddDate(0, 0, -(i % 100)).Add(-time.Duration(i) * 100 * time.Millisecond)
}

// writeSettled leaves what a paid order leaves of which the shop was told. It
// does not wait for the disk, as the ledger does after every fact.
func writeSettled(b *testing.B, root string, at time.Time) (order string) {
	order = checkout.NewOrder(at)
	folder := filepath.Join(root, "orders", at.In(qfpay.HongKong).Format("2006/01/02"), order)
	require.NoError(b, os.MkdirAll(folder, 0o700))
	const syssn = "20261123000200020000000001"
	payURL := "https://o2-hk.qfapi.com/q/direct?" + strings.Repeat("x", 600)
	intent := ledger.Intent{
		At: at, Sent: at.Add(2 * time.Second), Amount: 12800, Currency: "HKD", Description: "Cat food 猫粮", Ref: "INV-7",
		Lines: []ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 1, Price: 12800}},
	}
	for name, fact := range map[string]any{
		"prepared":                         ledger.Prepared{At: at.Add(3 * time.Second), Syssn: syssn, PayURL: payURL, Intent: &intent},
		"paid":                             ledger.Paid{At: at.Add(20 * time.Second), PaidAt: at.Add(19 * time.Second), Syssn: syssn, Source: "notification"},
		"attempt-0123456789abcdef-paid-01": ledger.Attempt{At: at.Add(21 * time.Second), Status: http.StatusNoContent},
		"delivered-0123456789abcdef-paid":  ledger.Delivered{At: at.Add(21 * time.Second), Attempts: 1, Status: http.StatusNoContent},
	} {
		text, err := json.Marshal(fact)
		require.NoError(b, err)
		require.NoError(b, os.WriteFile(filepath.Join(folder, name+".json"), text, 0o600))
	}
	return order
}

// prepare is a payer of their own who went through WeChat's authorization.
func (a *archive) prepare(b *testing.B) (callback string) {
	b.Helper()
	clear(a.jar)
	return a.authorize(b, "/pay/cat-food")
}

// leave takes an order off the index, so that no round finds more open orders
// than the one before.
func (a *archive) leave(b *testing.B, order string) {
	b.Helper()
	require.NoError(b, a.ledger.Finish(b.Context(), order, nil))
}

func (a *archive) timeCallback(b *testing.B) time.Duration {
	callback := a.prepare(b)
	defer a.leave(b, orderIn(callback))
	r := httptest.NewRequest(http.MethodGet, callback, nil)
	for name, value := range a.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return a.timeAnswer(b, r, http.StatusFound)
}

func (a *archive) timeNotification(b *testing.B) time.Duration {
	callback := a.prepare(b)
	defer a.leave(b, orderIn(callback))
	a.visit(b, callback)
	require.NoError(b, a.simulator.Pay(orderIn(callback)))
	return a.timeAnswer(b, a.report(b, orderIn(callback)), http.StatusOK)
}

// report is what the gateway posts about a paid order.
func (a *archive) report(b *testing.B, order string) *http.Request {
	b.Helper()
	trade, known := a.simulator.Trade(order)
	require.True(b, known)
	body, err := json.Marshal(map[string]any{
		"status": "1", "notify_type": "payment", "respcd": trade.Respcd(), "cancel": trade.Cancel(),
		"out_trade_no": order, "syssn": trade.Syssn, "txamt": fmt.Sprint(trade.Amount), "txcurrcd": trade.Currency,
		"paydtm": trade.PayDtm.In(qfpay.HongKong).Format(time.DateTime),
	})
	require.NoError(b, err)
	r := httptest.NewRequest(http.MethodPost, "/pay/notify", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-QF-SIGN", fmt.Sprintf("%X", md5.Sum([]byte(string(body)+"TESTKEY"))))
	return r
}

func (a *archive) timeAnswer(b *testing.B, r *http.Request, status int) time.Duration {
	b.Helper()
	r, w := asCaddyWould(r), httptest.NewRecorder()
	began := time.Now()
	err := a.ServeHTTP(w, r, nobody)
	took := time.Since(began)
	require.NoError(b, err)
	require.Equal(b, status, w.Code)
	return took
}

// timeStartUp is from the configuration to the clerk's first look at the
// index, on which one order waits.
func (a *archive) timeStartUp(b *testing.B) time.Duration {
	callback := a.prepare(b)
	defer a.leave(b, orderIn(callback))
	a.visit(b, callback)
	due := newAgenda()
	began := time.Now()
	h, err := provision(b, a.config)
	if err == nil {
		(&clerk{books: h.books, logger: h.logger}).scan(b.Context(), due, nil)
	}
	took := time.Since(began)
	require.NoError(b, err)
	require.True(b, due.has(orderIn(callback)))
	return took
}

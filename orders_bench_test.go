package qfpayjsapi

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// BenchmarkOrders measures what the owner waits for with 100,000 orders in a
// month, on Caddy's file storage: lists, pages and exports. Days are looked at
// for the first time when they have no digest, and ever after from the digests.
func BenchmarkOrders(b *testing.B) {
	month := openBusyMonth(b, 100_000)
	const november, day = "from=2026-11-01&to=2026-11-30", "day=2026-11-11"
	for _, test := range []struct {
		name  string
		fresh bool // no digests are there
		look  func(*audience, *http.Request) error
		query string
		want  string
	}{
		{"API-list-day/first", true, month.api(listOrders), day + "&limit=1000", `"next":`},
		{"API-list-day/again", false, month.api(listOrders), day + "&limit=1000", `"next":`},
		{"page-day/again", false, month.page, day, "Orders found: 3,33"},
		{"page-month/first", true, month.page, november, "Orders found: 100,000"},
		{"page-month/again", false, month.page, november, "Orders found: 100,000"},
		{"page-month-search/again", false, month.page, november + "&status=paid&q=" + month.some, "Orders found: 1<"},
		{"API-export-month/again", false, month.api(exportOrders), november, "INV-7"},
		{"page-CSV-month/again", false, month.page, november + "&format=csv", "INV-7"},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if test.fresh {
					b.StopTimer()
					require.NoError(b, os.RemoveAll(filepath.Join(month.root, "days")))
					b.StartTimer()
				}
				heard := &audience{ResponseRecorder: httptest.NewRecorder()}
				require.NoError(b, test.look(heard, httptest.NewRequest(http.MethodGet, "/orders?"+test.query, nil)))
				require.True(b, bytes.Contains(heard.Body.Bytes(), []byte(test.want)), heard.Body)
			}
		})
	}
}

// busyMonth is a month with many orders, and what the owner sees it with.
type busyMonth struct {
	*Orders
	root string // of the ledger
	some string // one of the orders
}

func openBusyMonth(b *testing.B, orders int) busyMonth {
	b.Helper()
	b.Setenv("TEST_QFPAY_CLIENT_KEY", "TESTKEY") // one that is written out is warned of
	folder := b.TempDir()
	root := filepath.Join(folder, "qfpay_jsapi", accountName("TESTAPPCODE", ""))
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, qfpay.HongKong)
	var some string
	for i := range orders {
		some = writeSettled(b, root, begin.Add(time.Duration(i)*(30*24*time.Hour/time.Duration(orders))))
	}
	h, err := provision(b, map[string]any{
		"client_key": "{env.TEST_QFPAY_CLIENT_KEY}",
		"storage":    map[string]any{"module": "file_system", "root": folder},
	})
	require.NoError(b, err)
	h.now = func() time.Time { return begin.AddDate(0, 1, 5) }
	app := &App{clerks: map[string]*clerk{h.Name: {books: h.books}}, shops: []*Handler{h}, now: h.now}
	return busyMonth{&Orders{InsecureWithoutAuth: true, app: app, logger: zap.NewNop()}, root, some}
}

func (m busyMonth) page(w *audience, r *http.Request) error {
	return m.ServeHTTP(w, asCaddyWould(r), nobody)
}

func (m busyMonth) api(answer func(*App, http.ResponseWriter, *http.Request) error) func(*audience, *http.Request) error {
	return func(w *audience, r *http.Request) error { return answer(m.app, w, r) }
}

// audience keeps the beginning of an answer.
type audience struct{ *httptest.ResponseRecorder }

func (a *audience) Write(text []byte) (int, error) {
	if a.Body.Len() < 1<<20 {
		return a.ResponseRecorder.Write(text)
	}
	return len(text), nil
}

package backoffice

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// BenchmarkOffice measures what the owner waits for with 100,000 orders in a month:
// lists, pages and exports, the first time as ever after. "first" opens the
// database again for every look.
func BenchmarkOffice(b *testing.B) {
	file := filepath.Join(b.TempDir(), "ledger.db")
	some := fillMonth(b, file, 100_000)
	const november, day = "from=2026-11-01&to=2026-11-30", "day=2026-11-11"
	api := func(answer func(*Office, http.ResponseWriter, *http.Request) error) func(*Office, http.ResponseWriter, *http.Request) error {
		return answer
	}
	page := func(o *Office, w http.ResponseWriter, r *http.Request) error { return testPages(o).ServeHTTP(w, r) }
	for _, test := range []struct {
		name, query string
		look        func(*Office, http.ResponseWriter, *http.Request) error
		want        string
	}{
		{"API-list-day", day, api((*Office).ListOrders), `"next":`},
		{"API-list-day-1000", day + "&limit=1000", api((*Office).ListOrders), `"next":`},
		{"page-day", day, page, "Orders found: 3,33"},
		{"page-month", november, page, "Orders found: 100,000"},
		{"page-month-search", november + "&status=paid&q=" + some, page, "Orders found: 1<"},
		{"API-export-month", november, api((*Office).ExportOrders), "INV-7"},
		{"page-CSV-month", november + "&format=csv", page, "INV-7"},
	} {
		for _, when := range []string{"first", "again"} {
			b.Run(test.name+"/"+when, func(b *testing.B) {
				office := openOffice(b, file)
				for b.Loop() {
					if when == "first" {
						b.StopTimer()
						require.NoError(b, office.Ledgers[0].Close())
						office = openOffice(b, file)
						b.StartTimer()
					}
					heard := &audience{ResponseRecorder: httptest.NewRecorder()}
					require.NoError(b, test.look(office, heard, httptest.NewRequest(http.MethodGet, "/orders?"+test.query, nil)))
					require.True(b, bytes.Contains(heard.Body.Bytes(), []byte(test.want)), heard.Body)
				}
			})
		}
	}
}

func openOffice(t testing.TB, file string) *Office {
	t.Helper()
	opened, err := ledger.OpenSQLite(t.Context(), file, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = opened.Close() })
	return &Office{
		Ledgers: []Ledger{{opened, []string{"harbour"}, nil}},
		Service: func(string) Service { return nil },
		Now:     func() time.Time { return november.AddDate(0, 1, 5) },
	}
}

// november is when the month of the tests begins.
var november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.FixedZone("UTC+8", 8*60*60))

// fillMonth writes paid orders, spread over November, and returns the number of one.
func fillMonth(b *testing.B, file string, count int) (some string) {
	b.Helper()
	opened, err := ledger.OpenSQLite(b.Context(), file, nil)
	require.NoError(b, err)
	for at := 0; at < count; at += 1000 {
		require.NoError(b, opened.Update(b.Context(), func(tx *ledger.Tx) error {
			for i := at; i < min(at+1000, count); i++ {
				started := november.Add(time.Duration(i) * (30 * 24 * time.Hour / time.Duration(count)))
				some = ulid.MustNew(ulid.Timestamp(started), ulid.DefaultEntropy()).String()
				if err := putPaid(tx, "harbour", some, started); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	require.NoError(b, opened.Close())
	return some
}

func putPaid(tx *ledger.Tx, shop, id string, started time.Time) error {
	if err := claim(tx, shop, id, started); err != nil {
		return err
	}
	o, err := tx.Order(id)
	if err != nil {
		return err
	}
	o.Status, o.Syssn, o.Prepared, o.PaidAt = ledger.StatusPaid, "2026"+id, started.Add(time.Second), started.Add(time.Minute)
	return tx.Save(o)
}

func claim(tx *ledger.Tx, shop, id string, started time.Time) error {
	_, err := tx.Claim(ledger.Order{
		ID: id, Shop: shop, Method: "jsapi", Account: "TESTAPPCODE https://gateway.example", Claimed: started, Expires: started.Add(15 * time.Minute),
		Intent: ledger.Intent{
			At: started, Amount: 25600, Currency: "HKD", Description: "Cat food 猫粮 × 2", Ref: "INV-7",
			Lines:  []ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 2, Price: 12800}},
			Fields: ledger.Fields{"phone": {"sentinel-of-a-phone"}},
		},
	})
	return err
}

// audience keeps the beginning of an answer.
type audience struct{ *httptest.ResponseRecorder }

func (a *audience) Write(text []byte) (int, error) {
	if a.Body.Len() < 1<<20 {
		return a.ResponseRecorder.Write(text)
	}
	return len(text), nil
}

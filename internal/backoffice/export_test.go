package backoffice

import (
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// told adds an order that was started so long after the month began, and of which
// the payer told the shop.
func (d *desk) told(shop string, after time.Duration, fields ledger.Fields) (order string) {
	d.t.Helper()
	order = started(after)
	at := november.Add(after)
	d.update(0, func(tx *ledger.Tx) error {
		_, err := tx.Claim(ledger.Order{ID: order, Shop: shop, Account: "account", Claimed: at, Expires: at, Intent: ledger.Intent{
			At: at, Amount: 12800, Currency: "HKD", Description: "Cat food", Fields: fields,
		}})
		return err
	})
	return order
}

// table is an export as CSV, a line for each order by the names of the columns.
func (d *desk) table(query string) (lines []map[string]string) {
	d.t.Helper()
	status, text := d.ask((*Office).ExportOrders, "/export?format=csv&"+query, "")
	require.Equal(d.t, http.StatusOK, status, text)
	text, marked := strings.CutPrefix(text, "\ufeff")
	require.True(d.t, marked, "the mark of UTF-8")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(d.t, err)
	for _, row := range rows[1:] {
		line := make(map[string]string)
		for i, name := range rows[0] {
			line[name] = row[i]
		}
		lines = append(lines, line)
	}
	return lines
}

func TestAnExportHasWhatPayersToldWhereItIsAskedFor(t *testing.T) {
	d := openDesk(t, "harbour")
	d.Fields = func(string) []string { return []string{"address", "extra"} }
	order := d.told("harbour", time.Minute, ledger.Fields{"address": {"1 Peak Road\nCentral"}, "extra": {"ribbon", "=card()"}, "phone": {"0912345678"}, "size": {"L", "XL"}})
	nothing := d.told("harbour", 2*time.Minute, nil)
	broken := d.told("harbour", 3*time.Minute, ledger.Fields{"address": {"gone"}})
	d.damage(0, `UPDATE orders SET fields = 'no JSON' WHERE id = ?`, broken)

	lines := d.table("fields=true")
	require.Len(t, lines, 3)
	assert.Equal(t, "1 Peak Road Central", lines[0]["field.address"])
	assert.Equal(t, "ribbon; '=card()", lines[0]["field.extra"])
	assert.Equal(t, "phone: 0912345678; size: L; XL", lines[0]["other_fields"])
	assert.Equal(t, []string{nothing, "", ""}, []string{lines[1]["order"], lines[1]["field.address"], lines[1]["damaged"]})
	assert.Equal(t, "yes", lines[2]["damaged"])
	assert.NotContains(t, d.table("")[0], "other_fields")

	_, text := d.ask((*Office).ExportOrders, "/export?fields=true&format=jsonl&q="+order, "")
	assert.Contains(t, text, `"fields":{"address":"1 Peak Road\nCentral","extra":["ribbon","=card()"],"phone":"0912345678","size":["L","XL"]}`)
	for query, says := range map[string]string{"fields=yes": "fields is true or false", "format=xls": "format is csv or jsonl"} {
		status, text := d.ask((*Office).ExportOrders, "/export?"+query, "")
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Contains(t, text, says)
	}
}

func TestThePagesCSVIsThatOfTheAdminAPI(t *testing.T) {
	d := openDesk(t, "harbour")
	d.Fields = func(string) []string { return []string{"phone"} }
	d.paid(0, "harbour", time.Minute)
	list := d.page("q=").Body.String()
	for query, tells := range map[string]bool{"format=csv&q=": false, "format=csv&q=&fields=true": true} {
		_, text := d.ask((*Office).ExportOrders, "/export?"+query, "")
		page := d.page(query)
		assert.Equal(t, page.Body.String(), text)
		assert.Equal(t, tells, strings.Contains(text, "sentinel-of-a-phone"), query)
		assert.Equal(t, "no-store", page.Header().Get("Cache-Control"))
		assert.Contains(t, list, `href="?`+strings.ReplaceAll(query, "&", "&amp;")+`"`)
	}
	assert.Equal(t, http.StatusBadRequest, d.page("format=csv&fields=yes").Code)
	d.Fields = nil
	assert.NotContains(t, d.page("q=").Body.String(), "fields=true", "where nothing is asked for")
}

// A bookkeeper sees what was bought, and which money is on its way back.
func TestAnExportHasItemsAndRefundsInProgress(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	d.update(0, func(tx *ledger.Tx) error {
		o, err := tx.Order(order)
		if err != nil {
			return err
		}
		o.CheckAt = november
		for number, status := range map[string]ledger.RefundStatus{"n1": ledger.RefundSent, "n2": ledger.RefundWaiting, "n3": ledger.RefundRefused} {
			if err := tx.SaveRefund(ledger.Refund{Order: order, Number: number, RefundID: number, Amount: 1050, Currency: "HKD", Status: status, Requested: november}); err != nil {
				return err
			}
		}
		return tx.Save(o)
	})
	d.told("harbour", 2*time.Minute, nil) // an amount without items
	lines := d.table("")
	assert.Equal(t, []string{"2 × Cat food 猫粮", "0.00", "21.00"}, []string{lines[0]["items"], lines[0]["refunded"], lines[0]["refund_pending"]})
	assert.Equal(t, []string{"256.00", "0.00"}, []string{lines[0]["net"], lines[1]["net"]}, "nothing came in for one that is not paid")
	assert.Equal(t, []string{"", "0.00"}, []string{lines[1]["items"], lines[1]["refund_pending"]})
	_, text := d.ask((*Office).ExportOrders, "/export?q="+order, "")
	for _, part := range []string{`"items":[{"item":"cat-food","name":"Cat food 猫粮","quantity":2,"price":12800}]`, `"refund_pending":2100`, `"refunding":true`} {
		assert.Contains(t, text, part)
	}
	for _, query := range []string{"q=", "order=" + order} {
		assert.Contains(t, d.page(query).Body.String(), "Refund of HK$21.00 in progress", query)
	}
	d.damage(0, `UPDATE orders SET lines = 'no JSON' WHERE id = ?`, order)
	assert.Equal(t, "yes", d.table("")[0]["damaged"])
}

func TestFieldsComeInTheOrderOfTheForm(t *testing.T) {
	d := openDesk(t, "harbour")
	d.Fields = func(string) []string { return []string{"name", "address", "gift"} }
	order := d.told("harbour", time.Minute, ledger.Fields{"address": {"1 Peak Road"}, "name": {"Ann"}, "size": {"L"}, "colour": {"red"}})
	page := d.page("order=" + order).Body.String()
	for _, pair := range [][2]string{{">Ann<", ">1 Peak Road<"}, {">1 Peak Road<", ">red<"}, {">red<", ">L<"}} {
		assert.Less(t, strings.Index(page, pair[0]), strings.Index(page, pair[1]), pair)
	}
	assert.NotContains(t, page, "gift", "which was left empty")
}

func TestShopsAreCalledAsPayersKnowThem(t *testing.T) {
	d := openDesk(t, "harbour peak")
	order := d.paid(0, "harbour", time.Minute)
	d.Merchant = func(shop string) string { return map[string]string{"harbour": "Harbour Pets"}[shop] }
	for _, query := range []string{"", "q=", "order=" + order, "order=" + order + "&print=1"} {
		assert.Contains(t, d.page(query).Body.String(), "<bdi>Harbour Pets</bdi>", query)
	}
	assert.Equal(t, "peak", d.shopName("peak"), "one that is not configured any more")
	d.Merchant = func(string) string { return "Harbour Pets" }
	assert.Equal(t, "Harbour Pets (peak)", d.shopName("peak"), "two of one name")
}

func TestTheHistoryIsToldInTheOwnersLanguage(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	d.update(0, func(tx *ledger.Tx) error {
		_, err := tx.AddEvent(ledger.Event{Subject: order, Shop: "harbour", At: november, Kind: "paid", Data: map[string]any{
			"source": "notification", "late": true, "stock": "short", "amount": 12800, "currency": "HKD", "syssn": "2026", "call": "query",
		}})
		return err
	})
	b := &browser{desk: d, header: http.Header{"Accept-Language": {"zh-CN"}}}
	_, history, _ := strings.Cut(b.get("?order="+order), "<ol>")
	for _, word := range []string{"source", "notification", "late", "stock", "syssn", "true", "short", "currency"} {
		assert.NotContains(t, history, word)
	}
	assert.Contains(t, history, "<dt>来源</dt><dd><bdi>通知</bdi></dd>")
	assert.Contains(t, history, "128.00 HKD")
}

func TestSpreadsheetsSpoilNoNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"20261123000020123456": "'20261123000020123456",
		"123456789012":         "'123456789012",
		"12345678901":          "12345678901",
		"0":                    "0",
		"007":                  "'007",
		"12.50":                "'12.50",
		"1E5":                  "'1E5",
		"3/4":                  "'3/4",
		"2026-11-23":           "'2026-11-23",
		"10:30":                "'10:30",
		"9876 5432":            "'9876 5432",
		"":                     "",
		"INV-42":               "INV-42",
		"1 Peak Road":          "1 Peak Road",
		"E5":                   "E5",
	} {
		assert.Equal(t, want, unspoilt(text), text)
	}
	cells := columns{}.cells(exported{Row: Row{Row: ledger.Row{Syssn: "20261123000020123456", Ref: "0815"}, DisplayAmount: "128.00"}})
	assert.Contains(t, cells, "'20261123000020123456")
	assert.Contains(t, cells, "'0815")
	assert.Contains(t, cells, "128.00", "money is a number")
}

// inBerlin is a desk whose first ledger has a shop in Hong Kong and one in Berlin.
func inBerlin(t *testing.T) *desk {
	d := openDesk(t, "harbour")
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	hongKong, err := time.LoadLocation("Asia/Hong_Kong")
	require.NoError(t, err)
	d.Ledgers[0].Zone = hongKong
	d.Ledgers = append(d.Ledgers, Ledger{d.Ledgers[0].Ledger, []string{"spree"}, berlin})
	d.files = append(d.files, d.files[0])
	return d
}

func TestDaysAndTimesAreThoseOfTheShopsZone(t *testing.T) {
	d := inBerlin(t)
	// 23:30 of October 31 in Berlin is 06:30 of November 1 in Hong Kong.
	late := time.Date(2026, 10, 31, 22, 30, 0, 0, time.UTC).Sub(november)
	berlin, hongKong := d.paid(1, "spree", late), d.paid(0, "harbour", late)

	of, _ := d.listed("day=2026-10-31")
	assert.Equal(t, []string{berlin}, of)
	of, _ = d.listed("day=2026-11-01")
	assert.Equal(t, []string{hongKong}, of)
	for _, query := range []string{"day=2026-10-31", "day=2026-10-31&status=paid"} {
		search, err := ReadSearch(mustQuery(query), d.today())
		require.NoError(t, err)
		sums, err := d.Sums(t.Context(), search)
		require.NoError(t, err)
		require.Len(t, sums, 1)
		assert.EqualValues(t, 1, sums[0].Orders, query)
	}

	_, text := d.shown(berlin)
	assert.Contains(t, text, `"at":"2026-10-31T23:30:00+01:00"`)
	_, text = d.shown(hongKong)
	assert.Contains(t, text, `"at":"2026-11-01T06:30:00+08:00"`)
	started := map[string]string{}
	for _, line := range d.table("from=2026-10-31&to=2026-11-01") {
		started[line["order"]] = line["started"]
	}
	assert.Equal(t, map[string]string{berlin: "2026-10-31 23:30:00", hongKong: "2026-11-01 06:30:00"}, started)

	page := d.page("order=" + berlin).Body.String()
	assert.Contains(t, page, ">2026-10-31 23:30</time>")
	assert.Contains(t, page, `href="?day=2026-10-31"`)
	assert.Contains(t, page, "Days and times are those of Europe/Berlin.")
	assert.Contains(t, d.page("").Body.String(), "Days and times are those of Asia/Hong_Kong, Europe/Berlin.")
}

func TestTodayIsThatOfTheShopThatIsAskedFor(t *testing.T) {
	d := inBerlin(t)
	d.Now = func() time.Time { return time.Date(2026, 10, 31, 22, 45, 0, 0, time.UTC) }
	order := d.paid(1, "spree", d.Now().Add(-time.Minute).Sub(november))
	of, _ := d.listed("name=spree")
	assert.Equal(t, []string{order}, of)
	w := httptest.NewRecorder()
	require.NoError(t, testPages(d.Office).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/orders?name=spree&q=", nil)))
	assert.Contains(t, w.Body.String(), `value="2026-10-31"`)
}

func mustQuery(text string) url.Values {
	query, err := url.ParseQuery(text)
	if err != nil {
		panic(err)
	}
	return query
}

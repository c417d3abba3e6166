package backoffice

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// desk is an office on ledgers of its own, at which tests sit.
type desk struct {
	*Office
	t     testing.TB
	files []string
}

// openDesk opens an office with a ledger for each list of shops.
func openDesk(t testing.TB, shops ...string) *desk {
	d := &desk{Office: &Office{Now: func() time.Time { return november.Add(time.Hour) }}, t: t}
	d.Service = func(string) Service { return nil }
	for _, in := range shops {
		file := filepath.Join(t.TempDir(), "ledger.db")
		d.files = append(d.files, file)
		d.Ledgers = append(d.Ledgers, Ledger{openOffice(t, file).Ledgers[0].Ledger, strings.Fields(in), nil})
	}
	return d
}

func (d *desk) update(ledgerNumber int, step func(*ledger.Tx) error) {
	d.t.Helper()
	require.NoError(d.t, d.Ledgers[ledgerNumber].Update(d.t.Context(), step))
}

// started is the number of an order that was started so long after the month began.
func started(after time.Duration) string {
	return ulid.MustNew(ulid.Timestamp(november.Add(after)), ulid.DefaultEntropy()).String()
}

// paid adds a paid order.
func (d *desk) paid(ledgerNumber int, shop string, after time.Duration) (order string) {
	d.t.Helper()
	order = started(after)
	d.update(ledgerNumber, func(tx *ledger.Tx) error { return putPaid(tx, shop, order, november.Add(after)) })
	return order
}

// pending adds an order that was claimed.
func (d *desk) pending(ledgerNumber int, shop string, after time.Duration) (order string) {
	d.t.Helper()
	order = started(after)
	d.update(ledgerNumber, func(tx *ledger.Tx) error { return claim(tx, shop, order, november.Add(after)) })
	return order
}

// damage changes a database with another tool.
func (d *desk) damage(ledgerNumber int, statement string, args ...any) {
	d.t.Helper()
	db, err := sql.Open("sqlite", d.files[ledgerNumber])
	require.NoError(d.t, err)
	defer db.Close()
	_, err = db.Exec(statement, args...)
	require.NoError(d.t, err)
}

// ask sends a request of the admin API, and returns what came of it.
func (d *desk) ask(do func(*Office, http.ResponseWriter, *http.Request) error, address, body string) (status int, text string) {
	d.t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, address, strings.NewReader(body))
	if body != "" {
		r.Method = http.MethodPost
		r.Header.Set("Content-Type", "application/json")
	}
	r.SetPathValue("order", strings.TrimPrefix(r.URL.Path, "/orders/"))
	if err := do(d.Office, w, r); err != nil {
		denied := DenialOf(err)
		return denied.Status, denied.Text
	}
	return w.Code, w.Body.String()
}

func (d *desk) listed(query string) (orders []string, next string) {
	d.t.Helper()
	status, text := d.ask((*Office).ListOrders, "/orders?"+query, "")
	require.Equal(d.t, http.StatusOK, status, text)
	var page OrdersPage
	require.NoError(d.t, json.Unmarshal([]byte(text), &page))
	for _, row := range page.Orders {
		orders = append(orders, row.Order)
	}
	return orders, page.Next
}

func (d *desk) shown(order string) (detail Detail, text string) {
	d.t.Helper()
	status, text := d.ask((*Office).ShowOrder, "/orders/"+order, "")
	require.Equal(d.t, http.StatusOK, status, text)
	require.NoError(d.t, json.Unmarshal([]byte(text), &detail))
	return detail, text
}

func (d *desk) page(query string) *httptest.ResponseRecorder {
	d.t.Helper()
	w := httptest.NewRecorder()
	require.NoError(d.t, testPages(d.Office).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/orders?"+query, nil)))
	return w
}

func TestListsOfSeveralLedgersAreOneList(t *testing.T) {
	d := openDesk(t, "harbour peak", "other")
	first, second, third := d.paid(0, "harbour", time.Minute), d.paid(1, "other", 2*time.Minute), d.paid(0, "peak", 3*time.Minute)
	fourth := d.pending(1, "other", 4*time.Minute)
	all, _ := d.listed("")
	assert.Equal(t, []string{fourth, third, second, first}, all, "the newest first")
	few, next := d.listed("limit=2")
	assert.Equal(t, []string{fourth, third}, few)
	few, next = d.listed("limit=2&before=" + next)
	assert.Equal(t, []string{second, first}, few)
	assert.Empty(t, next)
	of, _ := d.listed("name=peak")
	assert.Equal(t, []string{third}, of, "of the shops in one ledger, one alone")
	of, _ = d.listed("status=paid&q=" + strings.ToLower(second))
	assert.Equal(t, []string{second}, of)
	_, text := d.ask((*Office).ListOrders, "/orders?status=failed,closed", "")
	assert.JSONEq(t, `{"orders":[]}`, text)
	page := d.page("q=").Body.String()
	for _, part := range []string{"Orders found: 4", "<dt>Gross</dt><dd>HK$768.00</dd>", "3 of 4", "<bdi>peak</bdi>"} {
		assert.Contains(t, page, part)
	}
	assert.Contains(t, d.page("status=paid&name=other").Body.String(), "Orders found: 1")
}

func TestOrdersAreListedByTheirWayOfPaying(t *testing.T) {
	d := openDesk(t, "harbour")
	inWeChat, inAlipay := d.paid(0, "harbour", time.Minute), d.paid(0, "harbour", 2*time.Minute)
	d.damage(0, "UPDATE orders SET method = 'alipayhk' WHERE id = ?", inAlipay)
	for query, want := range map[string][]string{
		"method=jsapi": {inWeChat}, "method=alipayhk": {inAlipay}, "method=payme,alipayhk": {inAlipay}, "method=jsapi&method=alipayhk": {inAlipay, inWeChat}, "method=": {inAlipay, inWeChat},
	} {
		found, _ := d.listed(query)
		assert.Equal(t, want, found, query)
	}
	status, text := d.ask((*Office).ListOrders, "/orders?method=cash", "")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, text, `"cash" is not a method`)
	_, text = d.ask((*Office).ListOrders, "/orders?method=alipayhk", "")
	assert.Contains(t, text, `"method":"alipayhk"`)
	page := d.page("method=alipayhk").Body.String()
	for _, part := range []string{"Orders found: 1", `<option value="alipayhk" selected>AlipayHK`, "<bdi>AlipayHK</bdi>", "method=alipayhk"} {
		assert.Contains(t, page, part)
	}
	csv := d.page("format=csv&method=alipayhk").Body.String()
	assert.Contains(t, csv, inAlipay+",paid,")
	assert.Contains(t, csv, ",alipayhk,harbour,")
	assert.NotContains(t, csv, inWeChat)
}

func TestAnOfficeOfOneShopKnowsNoOrdersOfOthers(t *testing.T) {
	d := openDesk(t, "harbour peak")
	theirs := d.paid(0, "peak", time.Minute)
	d.Service = func(string) Service { t.Fatal("a shop was asked for what is not its own"); return nil }
	d.Stocked = func(shop string) []StockedItem {
		return map[string][]StockedItem{"peak": {{"bowl", "Bowl"}}}[shop]
	}
	one, err := d.Only("harbour")
	require.NoError(t, err)
	d.Office = one
	for name, do := range map[string]func(*Office, http.ResponseWriter, *http.Request) error{
		"show": (*Office).ShowOrder, "query": (*Office).QueryOrder, "close": (*Office).CloseOrder, "refund": (*Office).RefundOrder, "fulfil": (*Office).FulfilOrder,
	} {
		body := map[string]string{"show": "", "query": "{}", "close": "{}", "refund": `{"refund_id":"a"}`, "fulfil": `{"note":"SF 1"}`}[name]
		status, text := d.ask(do, "/orders/"+theirs, body)
		assert.Equal(t, http.StatusNotFound, status, name)
		assert.Equal(t, "unknown order", text, name)
	}
	all, _ := d.listed("")
	assert.Empty(t, all)
	status, text := d.ask((*Office).ListOrders, "/orders?name=peak", "")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, `there is no shop called "peak"`, text)

	_, text = d.ask((*Office).ListStock, "/stock", "")
	assert.JSONEq(t, `{"stock":[]}`, text)
	_, err = one.setStock(t.Context(), "bowl", 1)
	assert.Equal(t, http.StatusNotFound, DenialOf(err).Status)
}

func TestDamagedOrdersAreShownAsDamagedAndTheRestAsTheyAre(t *testing.T) {
	d := openDesk(t, "harbour")
	whole := d.paid(0, "harbour", time.Minute)
	for i, change := range []string{
		"status = 'lost'", "amount = 'much'", "started_at = 'never'", "paid_at = x'00ff'", "description = x'00'", "currency = '???'", "late = 'maybe'", "refunded = 1.5",
	} {
		order := d.paid(0, "harbour", time.Duration(i+2)*time.Minute)
		d.damage(0, "UPDATE orders SET "+change+" WHERE id = ?", order)
	}
	status, text := d.ask((*Office).ListOrders, "/orders", "")
	require.Equal(t, http.StatusOK, status, text)
	var page OrdersPage
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	require.Len(t, page.Orders, 9)
	assert.Equal(t, whole, page.Orders[8].Order)
	assert.False(t, page.Orders[8].Damaged)
	assert.Equal(t, "256.00", page.Orders[8].DisplayAmount)
	damaged := 0
	for _, row := range page.Orders {
		if row.Damaged {
			damaged++
		}
	}
	assert.GreaterOrEqual(t, damaged, 5, "%s", text)
	for _, query := range []string{"", "from=2026-11-01&to=2026-11-30", "status=paid", "q=" + whole} {
		shown := d.page(query)
		assert.Equal(t, http.StatusOK, shown.Code, query)
		assert.Contains(t, shown.Body.String(), whole, query)
	}
	assert.Contains(t, d.page("q=").Body.String(), `<span class="flag warn">Damaged</span>`)
	csv := d.page("format=csv").Body.String()
	assert.Equal(t, 10, strings.Count(csv, "\n"), csv)
	assert.Contains(t, csv, ",harbour,yes\n")
	status, text = d.ask((*Office).ExportOrders, "/export", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, 9, strings.Count(text, "\n"))
	for _, row := range page.Orders {
		detail, _ := d.shown(row.Order)
		assert.Equal(t, row.Order, detail.Order)
		assert.Equal(t, http.StatusOK, d.page("order="+row.Order).Code)
	}
}

func TestAnOrderWhoseLinesAreDamagedIsShownAndGivesNothingBack(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	detail, _ := d.shown(order)
	assert.EqualValues(t, 25600, detail.Left)
	d.damage(0, "UPDATE orders SET lines = 'x' WHERE id = ?", order)
	detail, _ = d.shown(order)
	assert.True(t, detail.Damaged)
	assert.Empty(t, detail.Items)
	assert.Zero(t, detail.Left)
}

func TestAnOrderIsShownWithItsEventsRefundsAndDeliveries(t *testing.T) {
	d := openDesk(t, "harbour")
	d.Endpoint = func(shop, id string) string {
		return map[string]string{"harbour e1": "https://program.example"}[shop+" "+id]
	}
	order := d.paid(0, "harbour", time.Minute)
	at := november.Add(time.Hour)
	d.update(0, func(tx *ledger.Tx) error {
		for _, event := range []ledger.Event{
			{Kind: "claimed"}, {Kind: "paid", Data: map[string]any{"source": "notification"}},
			{Kind: "refund_requested", About: "r1", Data: map[string]any{"amount": 5600}},
		} {
			event.Subject, event.Shop, event.At = order, "harbour", at
			if _, err := tx.AddEvent(event); err != nil {
				return err
			}
		}
		for i, status := range []ledger.RefundStatus{ledger.RefundDone, ledger.RefundSent, ledger.RefundWaiting, ledger.RefundRefused} {
			refund := ledger.Refund{
				Order: order, Number: order + string(status), Account: "a", RefundID: "r" + string(status), Amount: 100, Currency: "HKD",
				Status: status, Requested: at.Add(time.Duration(i) * time.Second),
			}
			switch status {
			case ledger.RefundSent:
				refund.Respcd, refund.Message = "1143", "still under way after a day"
			case ledger.RefundRefused:
				refund.Respcd, refund.Message = "1265", "not now"
			}
			if err := tx.SaveRefund(refund); err != nil {
				return err
			}
		}
		for _, endpoint := range []string{"e1", "e2"} {
			d := ledger.Delivery{Shop: "harbour", Subject: order, Endpoint: endpoint, MessageID: "m", Kind: "order.paid", At: at, Body: json.RawMessage(`{"fields":1}`), NextAt: at}
			if err := tx.AddDelivery(d); err != nil {
				return err
			}
		}
		return nil
	})
	detail, text := d.shown(order)
	assert.Equal(t, "harbour", detail.Shop)
	assert.Contains(t, text, `"name":"harbour"`)
	assert.Len(t, detail.Items, 1)
	assert.EqualValues(t, 25300, detail.Left, "less what went back and what may")
	require.Len(t, detail.Events, 3)
	assert.Equal(t, EventView{"refund_requested", "r1", at.In(time.FixedZone("", 8*60*60)), map[string]any{"amount": 5600.}}, detail.Events[2])
	assert.Contains(t, text, `"event":"claimed","at":"2026-11-01T01:00:00+08:00","data":{}`)
	var refunds []string
	for _, refund := range detail.Refunds {
		refunds = append(refunds, refund.Status+" "+refund.Reason+InBrackets(refund.Respcd))
	}
	assert.Equal(t, []string{"done ", "pending still under way after a day (respcd 1143)", "pending waits for another refund of this payment", "refused not now (respcd 1265)"}, refunds)
	require.Len(t, detail.Deliveries, 2)
	assert.Equal(t, DeliveryView{"order.paid", "https://program.example", "due", 0, 0, at.In(time.FixedZone("", 8*60*60))}, detail.Deliveries[0])
	assert.Equal(t, "e2", detail.Deliveries[1].Endpoint, "one that is not in the configuration any more")
	page := d.page("order=" + order).Body.String()
	for _, part := range []string{"WeChat confirmed the payer", "A refund was requested", "https://program.example", "waits for another refund of this payment", "still under way after a day", "Payment method</dt><dd><bdi>Inside WeChat", "sentinel-of-a-phone"} {
		assert.Contains(t, page, part)
	}
}

func TestWhatPayersToldTheShopIsInNoList(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	_, listed := d.ask((*Office).ListOrders, "/orders", "")
	_, exported := d.ask((*Office).ExportOrders, "/export", "")
	_, table := d.ask((*Office).ExportOrders, "/export?format=csv", "")
	for _, text := range []string{listed, exported, table, d.page("q=").Body.String(), d.page("format=csv").Body.String()} {
		assert.Contains(t, text, order)
		assert.NotContains(t, text, "sentinel-of-a-phone")
	}
	_, shown := d.shown(order)
	assert.Contains(t, shown, `"fields":{"phone":"sentinel-of-a-phone"}`)
	assert.Contains(t, d.page("order="+order).Body.String(), "sentinel-of-a-phone")
}

func TestSumsAreThoseOfTheOrdersHoweverTheyAreLookedFor(t *testing.T) {
	d := openDesk(t, "harbour")
	for i := range 40 {
		after := time.Duration(i) * 17 * time.Hour
		if i%3 == 0 {
			d.pending(0, "harbour", after)
			continue
		}
		order := d.paid(0, "harbour", after)
		if i%5 == 0 {
			d.update(0, func(tx *ledger.Tx) error {
				o, err := tx.Order(order)
				if err != nil {
					return err
				}
				o.Status, o.Refunded = ledger.StatusPartiallyRefunded, 5600
				return tx.Save(o)
			})
		}
	}
	var search Search
	search.Period = ledger.Period{First: ledger.DayOf(november), Last: ledger.DayOf(november.AddDate(0, 0, 29))}
	kept, err := d.Sums(t.Context(), search)
	require.NoError(t, err)
	search.Status = ledger.Statuses()
	added, err := d.Sums(t.Context(), search)
	require.NoError(t, err)
	assert.Equal(t, kept, added)
	assert.NotEmpty(t, kept)
	assert.Equal(t, 30, strings.Count(d.page("from=2026-11-01&to=2026-11-30").Body.String(), `<tr><th scope="row">`), "a chart shows each day")
	assert.Equal(t, 11, strings.Count(d.page("from=2026-01-01&to=2026-11-30").Body.String(), `<tr><th scope="row">`), "or each month")
	assert.NotContains(t, d.page("q=").Body.String(), "<svg", "one day makes no chart")
}

func TestAnOrderCountsOnTheDayInTheZoneOfTheShop(t *testing.T) {
	d := openDesk(t, "harbour")
	before, after := d.paid(0, "harbour", -time.Millisecond), d.paid(0, "harbour", 0)
	of, _ := d.listed("day=2026-10-31")
	assert.Equal(t, []string{before}, of)
	of, _ = d.listed("day=2026-11-01")
	assert.Equal(t, []string{after}, of)
}

func TestADeadlineOfTheLedgerIsSaid(t *testing.T) {
	d := openDesk(t, "harbour")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(nil)
	_, err := d.Rows(ctx, Search{}, ledger.Page{Limit: 1})
	assert.Equal(t, http.StatusServiceUnavailable, DenialOf(err).Status)
}

func TestAPageWhoseAddressCannotBeReadShowsNoLongerList(t *testing.T) {
	d := openDesk(t, "harbour")
	order := d.paid(0, "harbour", time.Minute)
	for _, query := range []string{"status=pending;x", "q=50%", "status=pending%zz", "format=csv&status=pending;"} {
		page := d.page(query)
		assert.Equal(t, http.StatusBadRequest, page.Code, query)
		assert.NotContains(t, page.Body.String(), order, query)
	}
}

package qfpayjsapi_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// office asks the admin API.
func (s *shop) office(method, path, body string) (status int, answer map[string]any) {
	s.t.Helper()
	status, text := s.officeText(method, path, body)
	require.NoError(s.t, json.Unmarshal([]byte(text), &answer), text)
	return status, answer
}

func (s *shop) officeText(method, path, body string) (status int, text string) {
	s.t.Helper()
	request, err := http.NewRequest(method, "http://"+s.admin+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if method == http.MethodPost || method == http.MethodPut {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(raw)
}

// sold is a paid order of two bags of cat food.
func (s *shop) sold(query string) (order string) {
	s.t.Helper()
	payer := s.payer(wechat)
	_, order = payer.prepare("/pay/cat-food?quantity=2" + query)
	require.NoError(s.t, s.gateway.Pay(order))
	require.Contains(s.t, payer.get("/pay/return/"+order).body, "Payment received")
	return order
}

func listed(page map[string]any) (orders []string) {
	for _, row := range page["orders"].([]any) {
		orders = append(orders, row.(map[string]any)["order"].(string))
	}
	return orders
}

func TestTheOwnerListsShowsAndRefundsAnOrder(t *testing.T) {
	shop := openShop(t, withBlock("field phone"))
	first := shop.sold("&ref=INV-7")
	_, unpaid := shop.payer(wechat).prepare("/pay/dog-treats")

	status, page := shop.office("GET", "/qfpay_jsapi/orders", "")
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, []string{unpaid, first}, listed(page), "the newest first")
	row := page["orders"].([]any)[1].(map[string]any)
	assert.Equal(t, "paid", row["status"])
	assert.EqualValues(t, 25600, row["amount"])
	assert.Equal(t, "256.00", row["display_amount"])
	assert.Equal(t, "HKD", row["currency"])
	assert.Equal(t, "INV-7", row["ref"])

	_, page = shop.office("GET", "/qfpay_jsapi/orders?status=paid", "")
	assert.Equal(t, []string{first}, listed(page))
	_, page = shop.office("GET", "/qfpay_jsapi/orders?q=inv-7", "")
	assert.Equal(t, []string{first}, listed(page))
	_, page = shop.office("GET", "/qfpay_jsapi/orders?day=2020-01-01", "")
	assert.Empty(t, listed(page))
	_, page = shop.office("GET", "/qfpay_jsapi/orders?limit=1", "")
	assert.Equal(t, []string{unpaid}, listed(page))
	_, page = shop.office("GET", "/qfpay_jsapi/orders?limit=1&before="+page["next"].(string), "")
	assert.Equal(t, []string{first}, listed(page))
	assert.NotContains(t, page, "next")

	status, answer := shop.office("POST", "/qfpay_jsapi/orders/"+first+"/refund", `{"refund_id":"r1","amount":5600}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "done", answer["status"])
	assert.Equal(t, "56.00", answer["display_amount"])
	_, again := shop.office("POST", "/qfpay_jsapi/orders/"+first+"/refund", `{"refund_id":"r1","amount":5600}`)
	assert.Equal(t, answer, again)
	status, answer = shop.office("POST", "/qfpay_jsapi/orders/"+first+"/refund", `{"refund_id":"r2","amount":20001}`)
	assert.Equal(t, http.StatusConflict, status)
	assert.Equal(t, "at most HKD 200.00 is left to refund of this order", answer["error"])
	status, _ = shop.office("POST", "/qfpay_jsapi/orders/"+first+"/refund", `{"refund_id":"r2"}`)
	assert.Equal(t, http.StatusOK, status)

	_, detail := shop.office("GET", "/qfpay_jsapi/orders/"+first, "")
	assert.Equal(t, "refunded", detail["status"])
	assert.EqualValues(t, 25600, detail["refunded"])
	assert.EqualValues(t, 0, detail["left"])
	assert.Len(t, detail["refunds"], 2)
	var events []string
	for _, event := range detail["events"].([]any) {
		events = append(events, event.(map[string]any)["event"].(string))
	}
	assert.Equal(t, []string{"claimed", "prepared", "paid", "refund_requested", "refunded", "refund_requested", "refunded"}, events)
	assert.Empty(t, detail["deliveries"], "nobody is told")
	trade, _ := shop.gateway.Trade(first)
	assert.EqualValues(t, 25600, trade.Refunded)
}

func TestWhatIsForThePayerAloneIsNotShownToTheOwner(t *testing.T) {
	shop := openShop(t, withBlock("field phone"))
	payer := shop.payer(wechat)
	start := payer.post("/pay/cat-food", map[string][]string{"phone": {"sentinel-of-a-phone"}})
	callback := payer.oauth(start.location)
	require.Equal(t, http.StatusFound, payer.get(callback).status)
	_, text := shop.officeText("GET", "/qfpay_jsapi/orders/"+orderOf(t, callback), "")
	for _, hidden := range []string{"paySign", "q/direct", "openid"} {
		assert.NotContains(t, text, hidden)
	}
	assert.Contains(t, text, "sentinel-of-a-phone", "what the payer told the shop is for the owner")
	_, list := shop.officeText("GET", "/qfpay_jsapi/orders", "")
	assert.Contains(t, list, orderOf(t, callback))
	assert.NotContains(t, list, "sentinel-of-a-phone", "but in no list")
}

func TestTheOwnerAsksAndClosesByHand(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	status, detail := shop.office("POST", "/qfpay_jsapi/orders/"+order+"/query", "{}")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "paid", detail["status"])
	status, answer := shop.office("POST", "/qfpay_jsapi/orders/"+order+"/close", "{}")
	assert.Equal(t, http.StatusConflict, status)
	assert.Equal(t, "the order is paid: only a pending one can be closed", answer["error"])

	_, other := shop.payer(wechat).prepare("/pay/cat-food")
	status, detail = shop.office("POST", "/qfpay_jsapi/orders/"+other+"/close", "{}")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "closed", detail["status"])
	assert.ErrorIs(t, shop.gateway.Pay(other), qfpaytest.ErrNotOpen)

	_, third := shop.payer(wechat).prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(third))
	closes := shop.gateway.Calls("close")
	status, answer = shop.office("POST", "/qfpay_jsapi/orders/"+third+"/close", "{}")
	assert.Equal(t, http.StatusConflict, status)
	assert.Equal(t, "the order was paid in the meantime: it cannot be closed, but it can be refunded", answer["error"])
	assert.Equal(t, closes, shop.gateway.Calls("close"), "it might revoke the payment")
	_, detail = shop.office("GET", "/qfpay_jsapi/orders/"+third, "")
	assert.Equal(t, "paid", detail["status"])
}

func TestTheExportIsAllOfThePeriod(t *testing.T) {
	shop := openShop(t)
	first, second := shop.sold(""), shop.sold("")
	status, text := shop.officeText("GET", "/qfpay_jsapi/export", "")
	require.Equal(t, http.StatusOK, status)
	var orders []string
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		var row map[string]any
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		orders = append(orders, row["order"].(string))
	}
	assert.Equal(t, []string{first, second}, orders, "the oldest first")
}

func TestTheOwnerMakesAnInvoice(t *testing.T) {
	shop := openShop(t, withBlock("invoice_key 0123456789abcdef0123456789abcdef"))
	status, answer := shop.office("POST", "/qfpay_jsapi/invoices", `{"amount":9900,"text":"Vet visit","ref":"V-1"}`)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, answer["error"], "the link needs the site's public_url")
	status, answer = shop.office("POST", "/qfpay_jsapi/invoices", `{"amount":9900,"text":"Vet visit","ref":"V-1","public_url":"`+shop.url+`"}`)
	require.Equal(t, http.StatusOK, status, answer)
	_, order := shop.payer(wechat).prepare(strings.TrimPrefix(answer["url"].(string), shop.url))
	trade, _ := shop.gateway.Trade(order)
	assert.EqualValues(t, 9900, trade.Amount)
	for body, want := range map[string]string{
		`{"amount":0,"text":"x","public_url":"` + shop.url + `"}`:                                         "amount is out of range",
		`{"amount":1,"text":"","public_url":"` + shop.url + `"}`:                                          "text must be one line",
		`{"amount":1,"text":"x","expires":"2020-01-01T00:00:00Z","public_url":"` + shop.url + `"}`:        "expires is in the past",
		`{"amount":1,"text":"x","currency":"EUR","public_url":"` + shop.url + `"}`:                        "currency must be HKD",
		`{"amount":1,"text":"x","name":"other","public_url":"` + shop.url + `"}`:                          "no shop takes invoices",
		`{"amount":1,"text":"x","public_url":"ftp://x"}`:                                                  "the link needs the site's public_url",
		`{"amount":1.5,"text":"x"}`:                                                                       "amount must be a whole number",
		`{"amount":1,"text":"x","colour":"red"}`:                                                          "unknown field",
		`{"amount":1,"text":"x"} {}`:                                                                      "more than one JSON value",
		`{"amount":1,"text":"` + strings.Repeat("x", 300) + `","public_url":"` + shop.url + `"}`:          "text must be one line",
		`{"amount":1,"text":"x","uses":-1,"public_url":"` + shop.url + `"}`:                               "uses is out of range",
		`{"amount":1,"text":"x","id":"a b","public_url":"` + shop.url + `"}`:                              "jti must be",
		`{"amount":1,"text":"` + strings.Repeat("x", 17<<10) + `","public_url":"` + shop.url + `"}`:       "too large",
		`{"amount":1,"text":"x","ref":"` + strings.Repeat("r", 65) + `","public_url":"` + shop.url + `"}`: "ref must be one line",
	} {
		status, answer := shop.office("POST", "/qfpay_jsapi/invoices", body)
		assert.GreaterOrEqual(t, status, 400)
		assert.Contains(t, answer["error"], want)
	}
}

func TestABackupIsMadeWhilePaymentsRun(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	file := filepath.Join(t.TempDir(), "copy.db")
	status, answer := shop.office("POST", "/qfpay_jsapi/backup", `{"file":"`+file+`"}`)
	require.Equal(t, http.StatusOK, status, answer)
	assert.Equal(t, file, answer["file"])
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.EqualValues(t, info.Size(), answer["bytes"])
	restored, err := ledger.OpenSQLite(t.Context(), file, nil)
	require.NoError(t, err)
	defer restored.Close()
	require.NoError(t, restored.View(t.Context(), func(tx *ledger.Tx) error {
		copied, err := tx.Order(order)
		assert.Equal(t, ledger.StatusPaid, copied.Status)
		return err
	}))
	status, answer = shop.office("POST", "/qfpay_jsapi/backup", `{"file":"`+file+`"}`)
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, answer["error"], "already exists")
	shop.sold("")
}

func TestOrphansAreListed(t *testing.T) {
	shop := openShop(t)
	shop.notify(notification("NOT-OURS", nil))
	_, page := shop.office("GET", "/qfpay_jsapi/orphans", "")
	require.Len(t, page["orphans"], 1)
	assert.Equal(t, "NOT-OURS", page["orphans"].([]any)[0].(map[string]any)["out_trade_no"])
}

func TestTheAdminAPISaysWhatIsWrong(t *testing.T) {
	shop := openShop(t)
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/qfpay_jsapi/orders", "{}", 405, "method not allowed: use GET"},
		{"GET", "/qfpay_jsapi/orders/" + order + "/refund", "", 405, "method not allowed: use POST"},
		{"GET", "/qfpay_jsapi/orders/01M821FMT07W1N4ZJ6X0Q3V5YB", "", 404, "unknown order"},
		{"GET", "/qfpay_jsapi/orders/..%2f..", "", 404, "unknown order"},
		{"GET", "/qfpay_jsapi/orders?day=yesterday", "", 400, `"yesterday" is not a day such as 2026-11-23`},
		{"GET", "/qfpay_jsapi/orders?from=2026-11-02&to=2026-11-01", "", 400, "the period ends on 2026-11-01 before it begins"},
		{"GET", "/qfpay_jsapi/orders?from=1999-11-02&to=2026-11-01", "", 400, "the period is longer than"},
		{"GET", "/qfpay_jsapi/orders?status=lost", "", 400, `"lost" is not a status: there are`},
		{"GET", "/qfpay_jsapi/orders?limit=0", "", 400, "limit must be from 1 to 1000"},
		{"GET", "/qfpay_jsapi/orders?limit=1001", "", 400, "limit must be from 1 to 1000"},
		{"GET", "/qfpay_jsapi/orders?limit=many", "", 400, "limit must be from 1 to 1000"},
		{"GET", "/qfpay_jsapi/orders?before=x", "", 400, "before is not an order's number"},
		{"GET", "/qfpay_jsapi/orders?stauts=paid", "", 400, `unknown parameter "stauts" in the address, which takes day, from, to, status, method, fulfilled, q, name, limit, before`},
		{"GET", "/qfpay_jsapi/orders?status=paid;x", "", 400, "the parameters in the address cannot be read"},
		{"GET", "/qfpay_jsapi/export?q=50%", "", 400, "the parameters in the address cannot be read"},
		{"GET", "/qfpay_jsapi/orders?day=2026-11-23&day=2026-11-24", "", 400, "the address has the parameter day twice"},
		{"GET", "/qfpay_jsapi/export?limit=1", "", 400, `unknown parameter "limit" in the address, which takes day, from, to, status, method, fulfilled, q, name`},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund?amount=2800", `{"refund_id":"a"}`, 400, `unknown parameter "amount" in the address, which takes none`},
		{"GET", "/qfpay_jsapi/orders?name=other", "", 404, `there is no shop called "other"`},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund", `{"refund_id":"a"}`, 409, "the order is pending: only a paid one can be refunded"},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund", `{}`, 400, "refund_id is required"},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund", `{"refund_id":"a","amount":0}`, 400, "amount must be positive"},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund", `{"refund_id":"a","amount":"1"}`, 400, "amount must be a whole number of minor units"},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund", `{"refund_id":"a","amount":null}`, 400, "amount must be a whole number of minor units"},
		{"POST", "/qfpay_jsapi/backup", `{}`, 400, "file must be an absolute path"},
		{"POST", "/qfpay_jsapi/backup", `{"file":"/backup.db","name":"other"}`, 404, `there is no shop called "other"`},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund", `{"refund_id":"a","amount":28.5}`, 400, "amount must be a whole number of minor units"},
		{"POST", "/qfpay_jsapi/orders/" + order + "/refund", `{"refund_id":1}`, 400, "the body cannot be read"},
		{"POST", "/qfpay_jsapi/invoices", `{}`, 409, "no shop takes invoices, or none of this name and path: set invoice_key"},
	} {
		status, answer := shop.office(test.method, test.path, test.body)
		assert.Equal(t, test.status, status, test.path)
		assert.Contains(t, answer["error"], test.want, test.path)
	}
}

// A browser asks nobody before it posts a form of another site to this machine,
// but does before it posts JSON. Caddy itself compares Host and Origin.
func TestTheAdminAPIChangesNothingForAFormOfAnotherSite(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	_, pending := shop.payer(wechat).prepare("/pay/dog-treats")
	asked := shop.gateway.Calls("query")
	for _, contentType := range []string{
		"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonl", "text/plain; application/json",
	} {
		for path, body := range map[string]string{
			"/qfpay_jsapi/orders/" + order + "/refund":  `{"refund_id":"a"}`,
			"/qfpay_jsapi/orders/" + pending + "/close": `{}`,
			"/qfpay_jsapi/orders/" + pending + "/query": ``,
			"/qfpay_jsapi/orders/" + order + "/fulfil":  `{"note":"SF 1"}`,
			"/qfpay_jsapi/compare":                      `{}`,
			"/qfpay_jsapi/doctor":                       ``,
			"/qfpay_jsapi/invoices":                     `{"amount":1,"text":"x"}`,
			"/qfpay_jsapi/backup":                       `{"file":"` + filepath.Join(t.TempDir(), "copy.db") + `"}`,
		} {
			assert.Equal(t, http.StatusUnsupportedMediaType, shop.postAs(contentType, path, body), "%s as %s", path, contentType)
		}
	}
	shop.refusesOthers(pending)
	assert.Zero(t, shop.gateway.Calls("refund"))
	assert.Zero(t, shop.gateway.Calls("close"))
	assert.Equal(t, asked, shop.gateway.Calls("query"))

	assert.Equal(t, http.StatusUnsupportedMediaType, shop.postAs("", "/qfpay_jsapi/orders/"+order+"/refund", `{"refund_id":"a"}`))
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
		assert.Equal(t, http.StatusOK, shop.postAs(contentType, "/qfpay_jsapi/orders/"+pending+"/query", "{}"), contentType)
	}
	for _, action := range []string{"query", "close"} {
		assert.Equal(t, http.StatusOK, shop.postAs("", "/qfpay_jsapi/orders/"+pending+"/"+action, ""), "what needs no body needs no type")
	}
}

// refusesOthers checks what Caddy refuses before the module sees it: requests that a
// browser makes for another site, and those to a name that leads to this machine.
func (s *shop) refusesOthers(pending string) {
	s.t.Helper()
	for name, change := range map[string]func(*http.Request){
		"another site":                   func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"a page without an origin":       func(r *http.Request) { r.Header.Set("Origin", "null") },
		"a page that reads no answer":    func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "no-cors") },
		"another name":                   func(r *http.Request) { r.Host = "evil.example" },
		"another name, and its own site": func(r *http.Request) { r.Host = "evil.example"; r.Header.Set("Origin", "http://evil.example") },
	} {
		for path, method := range map[string]string{"/qfpay_jsapi/orders/" + pending + "/close": http.MethodPost, "/qfpay_jsapi/orders": http.MethodGet} {
			request, err := http.NewRequest(method, "http://"+s.admin+path, nil)
			require.NoError(s.t, err)
			change(request)
			response, err := http.DefaultClient.Do(request)
			require.NoError(s.t, err)
			text, err := io.ReadAll(response.Body)
			require.NoError(s.t, errors.Join(err, response.Body.Close()))
			assert.Contains(s.t, []int{http.StatusBadRequest, http.StatusForbidden}, response.StatusCode, "%s: %s", name, path)
			assert.NotContains(s.t, string(text), pending, "%s: %s", name, path)
		}
	}
}

// postAs posts a body to the admin API under a type; "" for none.
func (s *shop) postAs(contentType, path, body string) (status int) {
	s.t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://"+s.admin+path, strings.NewReader(body))
	require.NoError(s.t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	return response.StatusCode
}

func TestTheAdminAPISurvivesReloadsAndRejectedOnes(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	shop.block += "invoice_key {env.TEST_QFPAY_UNSET}\n"
	require.Error(t, shop.tryToLoad())
	_, page := shop.office("GET", "/qfpay_jsapi/orders", "")
	assert.Equal(t, []string{order}, listed(page), "a rejected configuration does not disturb it")
	shop.block = ""
	shop.load()
	_, page = shop.office("GET", "/qfpay_jsapi/orders", "")
	assert.Equal(t, []string{order}, listed(page))
	shop.without = true
	shop.load()
	status, answer := shop.office("GET", "/qfpay_jsapi/orders", "")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "the running configuration has no qfpay_jsapi directive", answer["error"])
}

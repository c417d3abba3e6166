package qfpayjsapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	qfpayjsapi "github.com/caddy-qfpay/qfpay-jsapi"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/backoffice"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/orders"
)

// todays is a day that has not ended: the simulator's clock is the one on the wall.
func todays() (day ledger.Day, body string) {
	day = ledger.DayOf(time.Now())
	return day, `{"from":"` + day.String() + `","to":"` + day.String() + `"}`
}

func TestAComparisonByRequestSettlesAndSaysWhatDiffers(t *testing.T) {
	shop := openShop(t)
	shop.sold("")
	_, order := shop.payer(wechat).prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(order))
	day, body := todays()
	status, found := shop.office("POST", "/qfpay_jsapi/compare", body)
	require.Equal(t, http.StatusOK, status, found)
	assert.Equal(t, []any{day.String(), day.String(), 2.0, 2.0, 1.0}, []any{found["from"], found["to"], found["trades"], found["here"], found["differences"]})
	require.Len(t, found["findings"], 1)
	trade, _ := shop.gateway.Trade(order)
	finding := found["findings"].([]any)[0].(map[string]any)
	delete(finding, "name")
	assert.Equal(t, map[string]any{
		"kind": "paid_there", "order": order, "out_trade_no": order, "syssn": trade.Syssn, "there": 12800.0, "here": 0.0, "currency": "HKD",
		"display_there": "128.00", "display_here": "0.00", "settled": true,
		"text": "the payer has paid, and the order was pending here: it counts as paid now",
	}, finding)
	assert.Equal(t, "paid", shop.statusOf(order)["status"])
	_, found = shop.office("POST", "/qfpay_jsapi/compare", body)
	assert.Equal(t, []any{}, found["findings"])
}

func TestComparisonsThatMakeNoSenseAreRefused(t *testing.T) {
	shop := openShop(t)
	for body, want := range map[string]string{
		`{"from":"2026-01-01","to":"2026-02-01"}`: "at most 31 days",
		`{"from":"2026-02-30"}`:                   `"2026-02-30" is not a day such as 2026-11-23`,
		`{"from":"2026-02-02","to":"2026-02-01"}`: "the period ends on 2026-02-01 before it begins on 2026-02-02",
		`{"from":"2999-01-01"}`:                   "2999-01-01 is in the future",
		`{"name":"nobody"}`:                       `there is no shop called "nobody"`,
		`{"day":"2026-02-01"}`:                    "unknown field",
	} {
		_, answer := shop.office("POST", "/qfpay_jsapi/compare", body)
		assert.Contains(t, answer["error"], want, body)
	}
	assert.Zero(t, shop.gateway.Calls("query"))
}

func TestAComparisonByCommandEndsWithItsOwnExitCode(t *testing.T) {
	shop := openShop(t)
	order := shop.sold("")
	today, _ := todays()
	same := shop.caddy("", "compare", "--from", today.String())
	require.NoError(t, same.err)
	assert.Equal(t, today.String()+": payments and refunds: 1 at the gateway, 1 in the ledger.\n\nNothing differs.\n", same.out)

	require.NoError(t, shop.gateway.PayElsewhere("TILL-1", 500, "HKD"))
	_, err := shop.gateway.RefundElsewhere(order, 800)
	require.NoError(t, err)
	differs := shop.caddy("", "compare", "--from", today.String())
	assert.EqualError(t, differs.err, "exiting with status 3")
	assert.Regexp(t, `(?m)^refund_there +`+order+`  syssn \d+  there HKD 8.00, here nothing$`, differs.out)
	assert.Regexp(t, `(?m)^unknown_there +no order \(TILL-1\)  syssn \d+  there HKD 5.00, here nothing$`, differs.out)
	assert.Contains(t, differs.out, "\nDifferences: 2.\n")

	var found backoffice.CompareAnswer
	shop.caddyJSON(&found, "compare") // without days, yesterday's
	assert.Equal(t, today.Previous().String(), found.From)
	assert.Equal(t, found.From, found.To)
}

func TestANightsComparisonIsCountedAndTold(t *testing.T) {
	shop := openShop(t, ownName)
	shop.global = "events {\n on payments.compared listener\n}"
	shop.load()
	order := shop.sold("")
	_, err := shop.gateway.RefundElsewhere(order, 800)
	require.NoError(t, err)
	require.NoError(t, shop.gateway.PayElsewhere("TILL-1", 500, "HKD"))
	day, _ := todays()
	qfpayjsapi.CompareAt(t, day.Next().Start().Add(3*time.Hour))
	qfpayjsapi.CompareAt(t, day.Next().Start().Add(4*time.Hour))
	counted := shop.counted()
	assert.Equal(t, 1.0, counted["comparisons_total differs"], "once")
	assert.Equal(t, 1.0, counted["comparison_differences_total refund_there"])
	assert.Equal(t, 1.0, counted["comparison_differences_total unknown_there"])
	told := heardOfComparisons(day)
	require.Len(t, told, 1)
	assert.Equal(t, 2, told[0]["differences"])
	kinds := []orders.FindingKind{}
	for _, found := range told[0]["findings"].([]backoffice.FindingView) {
		kinds = append(kinds, found.Kind)
	}
	assert.ElementsMatch(t, []orders.FindingKind{orders.RefundThere, orders.UnknownThere}, kinds)
}

// heardOfComparisons returns what listeners heard of the comparisons of a day.
func heardOfComparisons(day ledger.Day) (told []map[string]any) {
	heard.Lock()
	defer heard.Unlock()
	for _, event := range heard.events {
		if event.Name() == "payments.compared" && event.Data["day"] == day.String() {
			told = append(told, event.Data)
		}
	}
	return told
}

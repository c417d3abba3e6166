package qfpayjsapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

const (
	metricsPrefix = "caddy_qfpay_jsapi_"
	webhookSecret = "whsec_c2VudGluZWwtb2YtdGhlLXdlYmhvb2stc2VjcmV0"
)

// ownName gives a shop a ledger, and so metrics, that no other test has.
func ownName(s *shop, _ *qfpaytest.Config) {
	s.block += "name shop" + s.url[strings.LastIndex(s.url, ":")+1:] + "\n"
}

// withProgram gives a shop a webhook that is answered with a status.
func withProgram(t *testing.T, status int) set {
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(program.Close)
	return withBlock("webhook " + program.URL + " " + webhookSecret)
}

// series is one line of what Prometheus scrapes.
type series struct {
	metric string
	labels map[string]string
	value  float64
}

var (
	seriesLine = regexp.MustCompile(`(?m)^(` + metricsPrefix + `\w+)\{(.*)\} (\S+)$`)
	label      = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// scrape returns the module's metrics as an address shows them.
func (s *shop) scrape(address string) (all []series) {
	s.t.Helper()
	reply, err := http.Get(address)
	require.NoError(s.t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, reply.StatusCode, string(text))
	for _, line := range seriesLine.FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.ParseFloat(line[3], 64)
		require.NoError(s.t, err)
		one := series{metric: strings.TrimPrefix(line[1], metricsPrefix), labels: map[string]string{}, value: value}
		for _, pair := range label.FindAllStringSubmatch(line[2], -1) {
			one.labels[pair[1]] = pair[2]
		}
		all = append(all, one)
	}
	return all
}

// counted returns a shop's own counters that are not 0, written as in
// `orders_total paid`.
func (s *shop) counted() map[string]float64 {
	s.t.Helper()
	values := map[string]float64{}
	for _, one := range s.scrape("http://" + s.admin + "/metrics") {
		if !s.owns(one) || !strings.HasSuffix(one.metric, "_total") || one.value == 0 {
			continue
		}
		key := []string{one.metric}
		for _, name := range []string{"status", "currency", "call", "outcome", "kind"} {
			if value, ok := one.labels[name]; ok {
				key = append(key, value)
			}
		}
		values[strings.Join(key, " ")] = one.value
	}
	return values
}

func (s *shop) owns(one series) bool {
	return strings.Contains(s.block, "name "+one.labels["name"]+"\n")
}

// openOrders is what the metric says of the shop's, or -1 if it is not shown.
func (s *shop) openOrders() float64 {
	for _, one := range s.scrape("http://" + s.admin + "/metrics") {
		if s.owns(one) && one.metric == "open_orders" {
			return one.value
		}
	}
	return -1
}

func (s *shop) eventuallyCounts(expected map[string]float64) {
	s.t.Helper()
	for range 1000 {
		if assert.ObjectsAreEqual(expected, s.counted()) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	require.Equal(s.t, expected, s.counted())
}

// A day of a shop in which everything happens once that is measured.
func TestMetricsTellWhatHappens(t *testing.T) {
	shop := openShop(t, ownName, withProgram(t, http.StatusOK), withSite("handle /metrics {\nmetrics\n}"))
	payer := shop.payer(wechat)
	expected := map[string]float64{}
	assert.Equal(t, expected, shop.counted(), "counters begin at 0")

	_, paid := payer.prepare("/pay/cat-food")
	require.NoError(t, shop.gateway.Pay(paid))
	trade, _ := shop.gateway.Trade(paid)
	told := notification(paid, map[string]string{"syssn": trade.Syssn})
	for range 3 {
		payer.get("/pay/return/" + paid)
		assert.Equal(t, "SUCCESS", shop.notify(told).body)
	}
	refund := notification("R1", map[string]string{"notify_type": "refund", "orig_out_trade_no": paid, "txamt": "800", "syssn": "202611230002000200R1"})
	shop.notify(refund)
	shop.notify(refund)
	for what, count := range map[string]float64{
		"orders_total pending": 1, "orders_total paid": 1, "orders_total partially_refunded": 1,
		"paid_minor_units_total HKD": 12800, "refunded_minor_units_total HKD": 800,
		"gateway_requests_total openid ok": 1, "gateway_requests_total payment ok": 1, "gateway_requests_total query ok": 1,
		"notifications_total stored": 5, "webhook_deliveries_total delivered": 2,
	} {
		expected[what] = count
	}
	shop.eventuallyCounts(expected)

	shop.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "1203"})
	refused := payer.authorize("/pay/dog-treats")
	assert.Equal(t, http.StatusBadGateway, payer.get(refused).status)
	shop.gateway.ClearFaults()
	expected["orders_total pending"]++
	expected["orders_total failed"]++
	expected["gateway_requests_total openid ok"]++
	expected["gateway_requests_total payment denied"]++
	expected["webhook_deliveries_total delivered"]++
	shop.eventuallyCounts(expected)

	_, unpaid := payer.prepare("/pay/dog-treats?ref=unpaid")
	shop.office("POST", "/qfpay_jsapi/orders/"+unpaid+"/close", "{}")
	expected["orders_total pending"]++
	expected["orders_total closed"]++
	expected["gateway_requests_total openid ok"]++
	expected["gateway_requests_total payment ok"]++
	expected["gateway_requests_total close ok"]++
	expected["gateway_requests_total query ok"] += 2 // before and after
	expected["webhook_deliveries_total delivered"]++
	shop.eventuallyCounts(expected)

	_, disputed := payer.prepare("/pay/cat-food?quantity=3")
	for range 2 {
		shop.notify(notification(disputed, map[string]string{"syssn": "202611230002000200D1"}))
		shop.notify(notification("stranger", map[string]string{"syssn": "202611230002000200S1"}))
	}
	shop.notifySigned(notification(paid, nil), "wrong")
	shop.notify("no JSON")
	shop.notify(notification(paid, map[string]string{"respcd": "1143", "syssn": trade.Syssn}))
	expected["orders_total pending"]++
	expected["gateway_requests_total openid ok"]++
	expected["gateway_requests_total payment ok"]++
	expected["disputes_total"]++
	expected["orphans_total"]++
	expected["notifications_total stored"] += 4
	expected["notifications_total forged"]++
	expected["notifications_total malformed"]++
	expected["notifications_total ignored"]++
	expected["webhook_deliveries_total delivered"] += 2 // of the orphan and of the dispute
	shop.eventuallyCounts(expected)
	require.Eventually(t, func() bool { return shop.openOrders() == 1 }, time.Minute, 100*time.Millisecond, "the disputed order is open, as is counted every 15 s")

	t.Run("the directive metrics shows the same", func(t *testing.T) {
		assert.Equal(t, names(shop.scrape("http://"+shop.admin+"/metrics")), names(shop.scrape(shop.url+"/metrics")))
	})
	t.Run("how orders are paid is a label", func(t *testing.T) {
		of := map[string]string{}
		for _, one := range shop.scrape("http://" + shop.admin + "/metrics") {
			if shop.owns(one) && one.labels["method"] != "" {
				of[one.metric] = one.labels["method"]
			}
		}
		assert.Equal(t, map[string]string{"orders_total": "jsapi", "paid_minor_units_total": "jsapi", "refunded_minor_units_total": "jsapi"}, of)
	})
	t.Run("no label holds an order or a payer", func(t *testing.T) {
		all := shop.scrape("http://" + shop.admin + "/metrics")
		require.NotEmpty(t, all)
		for _, one := range all {
			for name, value := range one.labels {
				assert.Contains(t, []string{"name", "status", "method", "currency", "call", "outcome", "kind", "le"}, name)
				assert.NotRegexp(t, `[0-9A-Z]{26}`, value)
				assert.NotContains(t, value, trade.Params["sub_openid"])
				if name == "status" || name == "method" || name == "call" || name == "outcome" {
					assert.Regexp(t, `^[a-z_]+$`, value)
				}
			}
		}
	})
}

func TestMetricsTellOfAWebhookThatFails(t *testing.T) {
	for status, outcome := range map[int]string{http.StatusInternalServerError: "failed", http.StatusGone: "gone"} {
		t.Run(outcome, func(t *testing.T) {
			shop := openShop(t, ownName, withProgram(t, status))
			shop.buy("/pay/cat-food")
			shop.eventually("it is counted", func() bool { return shop.counted()["webhook_deliveries_total "+outcome] >= 1 })
			assert.Zero(t, shop.counted()["webhook_deliveries_total delivered"])
			assert.Len(t, shop.open(), 1, "the delivery waits")
		})
	}
}

func names(all []series) []string {
	var names []string
	for _, one := range all {
		names = append(names, one.metric)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestMetricsGoOnAcrossReloads(t *testing.T) {
	bought := map[string]float64{
		"orders_total pending": 1, "orders_total paid": 1, "paid_minor_units_total HKD": 12800,
		"gateway_requests_total openid ok": 1, "gateway_requests_total payment ok": 1, "gateway_requests_total query ok": 1,
	}
	twice := map[string]float64{}
	for what, count := range bought {
		twice[what] = 2 * count
	}
	for name, reload := range map[string]func(*shop){
		"to another configuration": func(s *shop) {
			s.block += "item collar 88.00\n"
			s.load()
		},
		"to one without the directive and back": func(s *shop) {
			s.without = true
			s.load()
			s.without = false
			s.load()
		},
		"to one that is rejected while it is provisioned": func(s *shop) {
			good := s.block
			s.block += "invoice_key {env.TEST_NOT_SET}\n"
			require.Error(s.t, s.tryToLoad())
			s.block = good
		},
		"to one that is rejected and lacks the directive": func(s *shop) {
			good := s.site
			s.without = true
			s.site += "}\nhttp://192.0.2.1:1 {\nbind 192.0.2.1\n"
			require.Error(s.t, s.tryToLoad())
			s.without, s.site = false, good
		},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openShop(t, ownName)
			shop.buy("/pay/cat-food")
			shop.eventuallyCounts(bought)
			reload(shop)
			shop.eventuallyCounts(bought)
			shop.buy("/pay/cat-food")
			shop.eventuallyCounts(twice)
		})
	}
}

func TestTheCountersOfAShopBeginAtZeroForEachMethodOfItsBlocks(t *testing.T) {
	shop := openShop(t, ownName)
	assert.Equal(t, []string{"jsapi"}, shop.methodsShown())
	shop.site = shop.beside("name shop", "hosted\nname shop")
	shop.load()
	assert.Equal(t, []string{"hosted", "jsapi"}, shop.methodsShown())

	good := shop.site
	shop.site = shop.beside("name shop", "wallets alipayhk\nname shop") +
		strings.Replace(shop.beside(), "path /toys", "path /other\ninvoice_key {env.TEST_NOT_SET}", 1)
	require.Error(t, shop.tryToLoad())
	shop.site = good
	assert.Equal(t, []string{"hosted", "jsapi"}, shop.methodsShown(), "what was rejected changed nothing")
}

// methodsShown are those for which the shop's orders are counted.
func (s *shop) methodsShown() (methods []string) {
	for _, one := range s.scrape("http://" + s.admin + "/metrics") {
		if s.owns(one) && one.metric == "orders_total" && !slices.Contains(methods, one.labels["method"]) {
			methods = append(methods, one.labels["method"])
		}
	}
	slices.Sort(methods)
	return methods
}

// The dashboard and the alerts ask for nothing that a running Caddy does not
// show.
func TestTheDashboardAndTheAlertsFitTheMetrics(t *testing.T) {
	shop := openShop(t, ownName)
	shop.buy("/pay/cat-food")
	shop.eventually("the open orders are counted", func() bool { return shop.openOrders() >= 0 })
	shown := shop.scrape("http://" + shop.admin + "/metrics")
	for name, expressions := range map[string][]string{"dashboard": dashboardExpressions(t), "alerts": alertExpressions(t)} {
		t.Run(name, func(t *testing.T) {
			require.GreaterOrEqual(t, len(expressions), 8)
			for _, expression := range expressions {
				assertFits(t, shown, expression)
			}
		})
	}
}

var (
	selector = regexp.MustCompile(metricsPrefix + `(\w+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`^(\w+)(=~|!=|=)"([^"]*)"$`)
	grouping = regexp.MustCompile(`\b(?:by|without|on|ignoring) \(([^)]*)\)`)
	legend   = regexp.MustCompile(`\{\{ ?(?:\$labels\.)?(\w+) ?\}\}`)
)

func assertFits(t *testing.T, shown []series, expression string) {
	t.Helper()
	selectors := selector.FindAllStringSubmatch(expression, -1)
	require.NotEmpty(t, selectors, expression)
	known := map[string]bool{}
	for _, found := range selectors {
		values := map[string][]string{}
		for _, one := range shown {
			if one.metric == found[1] {
				for name, value := range one.labels {
					values[name], known[name] = append(values[name], value), true
				}
			}
		}
		require.NotEmpty(t, values, "%s is not shown", found[1])
		for _, part := range strings.FieldsFunc(found[2], func(r rune) bool { return r == ',' }) {
			match := matcher.FindStringSubmatch(part)
			require.NotNil(t, match, part)
			require.Contains(t, values, match[1], expression)
			for wanted := range strings.SplitSeq(match[3], "|") {
				if _, money := qfpay.MinorUnits(wanted); !money && wanted != "$name" {
					assert.Contains(t, values[match[1]], wanted, expression)
				}
			}
		}
	}
	for _, group := range grouping.FindAllStringSubmatch(expression, -1) {
		for name := range strings.SplitSeq(group[1], ", ") {
			assert.True(t, known[name], "%s has no label %s", expression, name)
		}
	}
}

func TestTheDocumentsNameEveryMetric(t *testing.T) {
	shop := openShop(t, ownName)
	shop.buy("/pay/cat-food")
	shop.eventually("the open orders are counted", func() bool { return shop.openOrders() >= 0 })
	text, shown := readDocument(t, "docs/operating.md"), map[string]bool{}
	for _, one := range shop.scrape("http://" + shop.admin + "/metrics") {
		metric := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(one.metric, "")
		shown[metricsPrefix+metric] = true
		assert.Contains(t, text, "`"+metric+"`")
		for name, value := range one.labels {
			if name != "name" && name != "currency" && name != "le" {
				assert.Contains(t, text, "`"+value+"`", metric)
			}
		}
	}
	for _, document := range documents(t) {
		for _, named := range regexp.MustCompile(`\w*qfpay_jsapi_\w+`).FindAllString(readDocument(t, document), -1) {
			assert.True(t, shown[named], "%s names a metric %s that is not shown", document, named)
		}
	}
}

func dashboardExpressions(t *testing.T) (expressions []string) {
	t.Helper()
	text, err := os.ReadFile("examples/grafana-dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Templating struct {
			List []struct{ Name, Type, Definition string }
		}
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	for _, variable := range dashboard.Templating.List {
		if variable.Type == "query" {
			expressions = append(expressions, variable.Definition)
		}
	}
	for _, panel := range dashboard.Panels {
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			assertNamesGroups(t, target.Expr, target.LegendFormat)
			expressions = append(expressions, target.Expr)
		}
	}
	return expressions
}

func alertExpressions(t *testing.T) (expressions []string) {
	t.Helper()
	text, err := os.ReadFile("examples/alerts.yml")
	require.NoError(t, err)
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &alerts))
	require.Len(t, alerts.Groups, 1)
	for _, rule := range alerts.Groups[0].Rules {
		assert.Contains(t, []string{"page", "warn"}, rule.Labels["severity"], rule.Alert)
		assert.NotEmpty(t, rule.Annotations["description"], rule.Alert)
		assertNamesGroups(t, rule.Expr, rule.Annotations["summary"])
		expressions = append(expressions, rule.Expr)
	}
	return expressions
}

// assertNamesGroups looks that a text names only labels that an expression
// leaves.
func assertNamesGroups(t *testing.T, expression, text string) {
	t.Helper()
	group := grouping.FindStringSubmatch(expression)
	for _, named := range legend.FindAllStringSubmatch(text, -1) {
		require.NotNil(t, group, expression)
		assert.Contains(t, strings.Split(group[1], ", "), named[1], fmt.Sprintf("%s: %s", expression, text))
	}
}

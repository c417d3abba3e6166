package cluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/postgrestest"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// A real Prometheus scrapes both nodes while everything happens that the dashboard
// shows. Then it is asked each query of each panel, as Grafana would ask.
func TestTheDashboardShowsWhatHappened(t *testing.T) {
	t.Parallel()
	c := newCluster(t, withNotifications, withPatience)
	c.more = "mail smtp://" + startMailbox(t) + " {\nfrom shop@example.com\nto owner@example.com\n}"
	c.keepIn(postgrestest.Start(t))
	c.start()
	p := startPrometheus(t, c.one.admin, c.two.admin)
	c.sellForTheDashboard()

	wanted := map[string]map[string]span{
		"Taken in this period":       {"HKD": about(6 * 128.00)},
		"Refunded in this period":    {"HKD": about(6 * 28.00)},
		"Open orders":                {shopName: about(1)},
		"Disputes":                   {"disputes": about(1)},
		"Orphans":                    {"orphans": about(1)},
		"Stuck refunds":              {"stuck refunds": about(0)},
		"Orders by status, per hour": {"pending": about(8), "paid": about(6), "failed": about(1), "closed": about(0), "partially_refunded": about(6), "refunded": about(0)},
		"Open orders over time":      {shopName: about(1)},
		"Calls to the gateway, per second": {
			"openid ok": perSecond(8), "payment ok": perSecond(7), "payment denied": perSecond(1), "query ok": {perSecond(6).least, 1}, "refund ok": perSecond(6),
		},
		"Calls to the gateway: 95 of 100 are answered within": {"openid": someTime, "payment": someTime, "query": someTime, "refund": someTime},
		"Notifications, per hour":                             {"stored": about(14), "ignored": about(0), "forged": about(0), "malformed": about(0), "not_stored": about(0)},
		"Webhooks, per hour":                                  {"delivered": about(15), "failed": about(0), "gone": about(0), "given_up": about(0)},
		"Mails, per hour":                                     {"delivered": about(8), "failed": about(0), "given_up": about(0)},
		"Comparisons, per day":                                {"same": about(0), "differs": about(0), "failed": about(0)},
	}
	panels := readPanels(t)
	require.Len(t, panels, len(wanted))
	for _, one := range panels {
		require.Contains(t, wanted, one.Title)
		p.requireShows(one, ".*", wanted[one.Title])
		p.requireShows(one, "("+shopName+"|another)", wanted[one.Title])
		p.requireShows(one, "another", nil)
	}
}

// sellForTheDashboard sells at both nodes, for long enough that Prometheus sees the
// counts grow.
func (c *cluster) sellForTheDashboard() {
	for range 3 {
		for _, n := range c.front.nodes {
			p := c.payer()
			order := p.prepare(c.t, n)
			p.get(n, "/pay/return/"+order) // which asks the gateway
			require.NoError(c.t, c.gateway.Pay(order))
			eventually(c.t, "the order is paid", func() bool { return p.status(n, order) == "paid" })
			require.Equal(c.t, http.StatusOK, n.refund(order, "broken-bag", 2800))
		}
		time.Sleep(2 * scrapeInterval)
	}
	c.gateway.Inject(qfpaytest.Fault{Call: "payment", Kind: qfpaytest.Respcd, Respcd: "1203"})
	p := c.payer()
	callback, failed := p.start(c.t, c.one)
	p.get(c.one, callback)
	require.NoError(c.t, c.gateway.PayElsewhere(failed, 100, "HKD"), "another amount: a dispute")
	require.NoError(c.t, c.gateway.PayElsewhere("at-the-till", 4200, "HKD"), "an orphan")
	p.prepare(c.t, c.two)
}

// span is what a value may be.
type span struct{ least, most float64 }

// about allows for what Prometheus adds to an increase: it guesses how it went on
// until the next scrape.
func about(value float64) span { return span{0.99 * value, 1.25 * value} }

func perSecond(perHour float64) span { return about(perHour / time.Hour.Seconds()) }

var someTime = span{0.0001, 20}

// panel is one of the dashboard.
type panel struct {
	Title   string
	Targets []struct{ Expr, LegendFormat string }
}

func readPanels(t testing.TB) []panel {
	t.Helper()
	text, err := os.ReadFile("../examples/grafana-dashboard.json")
	require.NoError(t, err)
	var dashboard struct{ Panels []panel }
	require.NoError(t, json.Unmarshal(text, &dashboard))
	return dashboard.Panels
}

const scrapeInterval = time.Second

// prometheusServer is a real one, of Debian's package.
type prometheusServer struct {
	t       testing.TB
	address string
}

// startPrometheus returns when all targets have been scraped.
func startPrometheus(t testing.TB, targets ...string) *prometheusServer {
	t.Helper()
	folder, p := t.TempDir(), &prometheusServer{t, freeAddress(t)}
	config := filepath.Join(folder, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: %s, scrape_timeout: %[1]s}
scrape_configs: [{job_name: caddy, static_configs: [{targets: ["%s"]}]}]
`, scrapeInterval, strings.Join(targets, `", "`)), 0o600))
	log, err := os.Create(filepath.Join(folder, "prometheus.log"))
	require.NoError(t, err)
	defer log.Close()
	process := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "data"), "--web.listen-address="+p.address)
	process.Stdout, process.Stderr = log, log
	require.NoError(t, process.Start(), "this test needs Prometheus (on Debian: apt-get install prometheus)")
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	eventually(t, "Prometheus has scraped all nodes", func() bool {
		return p.ask("count(count by (instance) (caddy_qfpay_jsapi_orders_total))", "")[""] == float64(len(targets))
	})
	return p
}

// requireShows waits until a panel shows what is wanted, and nothing else. name is
// what the dashboard's variable stands for.
func (p *prometheusServer) requireShows(one panel, name string, wanted map[string]span) {
	p.t.Helper()
	fill := strings.NewReplacer("$name", name, "$__range", "1h", "$__rate_interval", "1h")
	for deadline := time.Now().Add(patience); ; time.Sleep(scrapeInterval) {
		shown := make(map[string]float64)
		for _, target := range one.Targets {
			maps.Copy(shown, p.ask(fill.Replace(target.Expr), target.LegendFormat))
		}
		if within(shown, wanted) {
			return
		}
		require.True(p.t, time.Now().Before(deadline), "%s shows %v of %s, not %v", one.Title, shown, name, wanted)
	}
}

func within(shown map[string]float64, wanted map[string]span) bool {
	for name, value := range shown {
		if span, known := wanted[name]; !known || value < span.least || value > span.most {
			return false
		}
	}
	return len(shown) == len(wanted)
}

var label = regexp.MustCompile(`\{\{(\w+)\}\}`)

// ask returns the values of a query by their legends, without those that Grafana
// cannot draw. There are none before Prometheus is ready.
func (p *prometheusServer) ask(query, legend string) map[string]float64 {
	p.t.Helper()
	reply, err := http.Get("http://" + p.address + "/api/v1/query?" + url.Values{"query": {query}}.Encode())
	if err != nil {
		return nil
	}
	defer reply.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if reply.StatusCode == http.StatusServiceUnavailable {
		return nil
	}
	require.NoError(p.t, json.NewDecoder(reply.Body).Decode(&answer))
	require.Empty(p.t, answer.Error, query)
	values := make(map[string]float64)
	for _, one := range answer.Data.Result {
		name := label.ReplaceAllStringFunc(legend, func(label string) string { return one.Metric[strings.Trim(label, "{}")] })
		value, err := strconv.ParseFloat(one.Value[1].(string), 64)
		require.NoError(p.t, err)
		assert.NotContains(p.t, values, name, "%s: the legend is the same", query)
		if !math.IsNaN(value) {
			values[name] = value
		}
	}
	return values
}

// startMailbox starts a mail server that takes everything.
func startMailbox(t testing.TB) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go takeMails(connection)
		}
	}()
	return listener.Addr().String()
}

func takeMails(connection net.Conn) {
	defer connection.Close()
	say := func(words string) { _, _ = fmt.Fprint(connection, words+"\r\n") }
	say("220 ready")
	inside := false // a mail
	for lines := bufio.NewScanner(connection); lines.Scan(); {
		switch line := lines.Text(); {
		case inside && line != ".":
		case line == "DATA":
			inside = true
			say("354 go on")
		case line == "QUIT":
			say("221 bye")
			return
		default:
			inside = false
			say("250 ok")
		}
	}
}

package qfpayjsapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var (
	localAddress = regexp.MustCompile(`(localhost|127\.0\.0\.1|//):\d+`)
	bindLine     = regexp.MustCompile(`(?m)^\tdefault_bind .*`)
)

// openExample runs a Caddyfile of examples/ with other ports and another ledger. It
// returns the addresses that took the place of those in the file.
func openExample(t *testing.T, name string) (shop *shop, addresses map[string]string) {
	t.Helper()
	text := readDocument(t, "examples/"+name)
	addresses = make(map[string]string)
	text = localAddress.ReplaceAllStringFunc(text, func(address string) string {
		name, port, _ := strings.Cut(address, ":")
		if addresses["localhost:"+port] == "" {
			addresses["localhost:"+port] = freeAddress(t)
			_, free, _ := strings.Cut(addresses["localhost:"+port], ":")
			addresses["127.0.0.1:"+port] = "localhost:" + free // the site's other name
			addresses["//:"+port] = "//:" + free               // and any
		}
		return addresses[name+":"+port]
	})
	shop = shopAt(t)
	require.Regexp(t, bindLine, text, "it is reachable from this machine alone")
	text = bindLine.ReplaceAllString(text, "$0\nadmin "+shop.admin+"\npersist_config off\nlog {\noutput file "+filepath.Join(t.TempDir(), "log")+"\n}")
	text = strings.NewReplacer("demo-data", t.TempDir(), "qfpay_simulator {", "qfpay_simulator {\nstrict").Replace(text)
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": name})
	require.NoError(t, err)
	require.NoError(t, caddy.Load(config, true))
	t.Cleanup(func() { require.NoError(t, caddy.Stop()) })
	return shop, addresses
}

// shopAt is a shop whose address is not known yet.
func shopAt(t *testing.T) *shop { return &shop{t: t, admin: freeAddress(t)} }

// confirmAction is where the button of a hosted payment leads.
var confirmAction = regexp.MustCompile(`action="(/pay/callback/[^"]+)"`)

// walletButton is one of a page of wallets.
var walletButton = regexp.MustCompile(`name="wallet" value="([a-z]+)"`)

// buy goes from a pay link, or the form behind it, to the receipt. The
// simulator's wallet is told to pay, whichever page it was reached by.
func (p *payer) buy(link string, form url.Values, simulator string) {
	p.t.Helper()
	page := p.post(link, form)
	order := ""
	for page.location != "" {
		address, err := url.QueryUnescape(page.location)
		require.NoError(p.t, err)
		if found := orderInPath.FindStringSubmatch(address); found != nil {
			order = found[1]
		}
		page = p.get(page.location)
	}
	if action := confirmAction.FindStringSubmatch(page.body); action != nil {
		order = orderOf(p.t, action[1])
		pressed := url.Values{}
		if wallet := walletButton.FindStringSubmatch(page.body); wallet != nil {
			pressed.Set("wallet", wallet[1])
		}
		page = p.land(p.post(action[1], pressed))
	}
	require.NotEmpty(p.t, order, page.body)
	require.Less(p.t, p.post(simulator+"/control/trades/"+order+"/pay", nil).status, 400, page.body)
	p.shop.eventually("the receipt is shown", func() bool {
		return strings.Contains(p.land(p.get("/pay/return/"+order)).body, "Payment received")
	})
}

func TestEveryExampleSells(t *testing.T) {
	catFood := map[string]string{"localhost:8080/pay/cat-food": "localhost:8090"}
	for name, sales := range map[string]map[string]string{
		"../Caddyfile.example":       catFood,
		"gateway-account.caddyfile":  catFood,
		"official-account.caddyfile": catFood,
		"hosted.caddyfile":           catFood,
		"wallets.caddyfile":          catFood,
		"orders-page.caddyfile":      catFood,
		"load-balancer.caddyfile":    catFood,
		"two-shops.caddyfile":        {"localhost:8080/pay/cat-food": "localhost:8090", "localhost:8081/pay/novel": "localhost:8091"},
	} {
		t.Run(name, func(t *testing.T) {
			shop, addresses := openExample(t, name)
			at := func(address string) string {
				return localAddress.ReplaceAllStringFunc("http://"+address, func(host string) string { return addresses[host] })
			}
			for link, simulator := range sales {
				site, path, _ := strings.Cut(at(link), "/pay/")
				shop.url = site
				agent := desktop
				if name == "wallets.caddyfile" {
					agent = phone
				}
				shop.payer(agent).buy("/pay/"+path, url.Values{"name": {"A. Payer"}, "address": {"1 Harbour Road"}}, at(simulator))
				trades := shop.payer(desktop).get(at(simulator) + "/control/trades")
				assert.Equal(t, 1, strings.Count(trades.body, `"out_trade_no"`), "each account is paid what its own shop sells")
			}
		})
	}
}

func TestEveryExampleIsForThisMachineAndForCommandsBesideIt(t *testing.T) {
	files, err := filepath.Glob("examples/*.caddyfile")
	require.NoError(t, err)
	for _, file := range append(files, "Caddyfile.example") {
		text := readDocument(t, file)
		assert.NotContains(t, text, "admin off", file)
		assert.Equal(t, strings.Count(text, "qfpay_simulator {"), strings.Count(text, "\t\tfile demo-data/"), "%s: a restarted gateway knows its trades", file)
		config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": file})
		require.NoError(t, err)
		var adapted struct {
			Apps struct {
				HTTP struct {
					Servers map[string]struct{ Listen []string }
				}
			}
		}
		require.NoError(t, json.Unmarshal(config, &adapted))
		for _, server := range adapted.Apps.HTTP.Servers {
			for _, address := range server.Listen {
				assert.Regexp(t, `^127\.0\.0\.1:\d+$`, address, file)
			}
		}
	}
}

func TestTheDemoAnswersUnderBothNamesAndSendsOthersThere(t *testing.T) {
	_, addresses := openExample(t, "../Caddyfile.example")
	get := func(port, host string) (status int, body string) {
		address := addresses["localhost:"+port]
		r, err := http.NewRequest(http.MethodGet, "http://"+address, nil)
		require.NoError(t, err)
		_, free, _ := strings.Cut(address, ":")
		r.Host = host + ":" + free
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(text)
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		_, shop := get("8080", host)
		assert.Contains(t, shop, `/pay/cat-food`, host)
		_, gateway := get("8090", host)
		assert.Contains(t, gateway, "Gateway simulator", host)
	}
	for _, port := range []string{"8080", "8090"} {
		status, line := get(port, "my-laptop")
		assert.Equal(t, http.StatusNotFound, status)
		assert.Contains(t, line, "The demo shop is at http://"+addresses["localhost:8080"]+",")
	}
}

func TestEveryExampleIsTried(t *testing.T) {
	files, err := filepath.Glob("examples/*.caddyfile")
	require.NoError(t, err)
	test, err := os.ReadFile("examples_test.go")
	require.NoError(t, err)
	postgres, err := os.ReadFile("cluster/documents_test.go")
	require.NoError(t, err)
	for _, file := range files {
		name := filepath.Base(file)
		assert.True(t, strings.Contains(string(test)+string(postgres), name+`"`), "nobody tries %s", name)
		assert.Contains(t, readDocument(t, "examples/README.md"), "("+name+")")
	}
}

func TestBehindTheLoadBalancerOfTheExampleThePayersOwnAddressCounts(t *testing.T) {
	shop, addresses := openExample(t, "load-balancer.caddyfile")
	shop.url = "http://" + addresses["localhost:8080"]
	attacker, neighbour := shop.payer(desktop), shop.payer(desktop)
	attacker.header, neighbour.header = http.Header{"X-Forwarded-For": {"203.0.113.1"}}, http.Header{"X-Forwarded-For": {"203.0.113.2"}}
	refused := func(p *payer) int {
		callback := p.authorize("/pay/cat-food")
		return p.get(callback + "-not").status
	}
	for range 30 {
		if refused(attacker) == http.StatusTooManyRequests {
			break
		}
	}
	assert.Equal(t, http.StatusTooManyRequests, refused(attacker))
	assert.NotEqual(t, http.StatusTooManyRequests, refused(neighbour))
}

func TestTheWorkflowRunsWhatCIRuns(t *testing.T) {
	var workflow struct {
		On struct {
			Dispatch struct {
				Inputs struct{ Campaign struct{ Options []string } }
			} `yaml:"workflow_dispatch"`
		}
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	require.NoError(t, yaml.Unmarshal([]byte(readDocument(t, ".github/workflows/ci.yml")), &workflow))
	steps := workflow.Jobs["checks"].Steps
	assert.Contains(t, steps[len(steps)-1].Run, ".ci/run")
	campaigns := readDocument(t, ".ci/campaign")
	for _, name := range workflow.On.Dispatch.Inputs.Campaign.Options {
		assert.Regexp(t, `(?m)^\s*`+name+`\b`, campaigns)
	}
}

package qfpayjsapi_test

import (
	"html"
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

	_ "github.com/caddy-qfpay/qfpay-jsapi/simulator"
)

// trial is what xcaddy.md has a stranger make in an empty folder, with other
// ports.
type trial struct {
	*shop
	simulator string
	moved     *strings.Replacer // the ports of the document into those of the trial
}

func openTrial(t *testing.T) *trial {
	t.Helper()
	t.Chdir(t.TempDir())
	home, err := filepath.Abs("home")
	require.NoError(t, err)
	t.Setenv("XDG_DATA_HOME", home)
	try := &trial{shop: &shop{t: t, admin: freeAddress(t)}}
	site, gateway := freeAddress(t), freeAddress(t)
	try.url, try.simulator = "http://"+site, "http://"+gateway
	try.moved = strings.NewReplacer("localhost:8080", site, "localhost:8090", gateway, "localhost:2019", try.admin)
	return try
}

// open does what the document says, up to ./caddy run.
func (try *trial) open(section string) {
	try.t.Helper()
	require.NoError(try.t, os.Mkdir("site", 0o700))
	require.NoError(try.t, os.WriteFile(filepath.Join("site", "index.html"), []byte(blockOf(try.t, section, "html")), 0o600))
	rest, begins := strings.CutPrefix(blockOf(try.t, section, "caddyfile"), "{\n")
	require.True(try.t, begins, "the Caddyfile begins with its options")
	text := "{\nadmin " + try.admin + "\npersist_config off\nlog {\noutput file caddy.log\n}\n" + rest
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(try.moved.Replace(text)), map[string]any{"filename": "Caddyfile"})
	require.NoError(try.t, err)
	require.NoError(try.t, caddy.Load(config, true))
	try.t.Cleanup(func() { require.NoError(try.t, caddy.Stop()) })
}

// blockOf is the only block of a language in a section.
func blockOf(t testing.TB, section, language string) string {
	t.Helper()
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(section, -1)
	require.Len(t, blocks, 1, language)
	return blocks[0][1]
}

// land follows redirects as browsers do.
func (p *payer) land(at reply) reply {
	p.t.Helper()
	for range 10 {
		if at.location == "" {
			return at
		}
		at = p.get(at.location)
	}
	p.t.Fatal("too many redirects")
	return at
}

// pressPay presses the first button of the simulator's wallet.
func (p *payer) pressPay(gateway string, wallet reply) reply {
	p.t.Helper()
	form := url.Values{"action": {"pay"}}
	for _, input := range regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(wallet.body, -1) {
		form.Set(input[1], html.UnescapeString(input[2]))
	}
	return p.post(gateway+"/q/direct", form)
}

func TestAShopBuiltInAnEmptyFolderSells(t *testing.T) {
	section := sectionOf(t, "xcaddy.md", "## A first sale on a page of your own")
	lines := steps(t, "xcaddy.md", "## A first sale on a page of your own")
	control := steps(t, "docs/reference.md", "# The simulator")
	try := openTrial(t)
	try.open(section)

	payer := try.payer(desktop)
	page := payer.get("/")
	require.Equal(t, http.StatusOK, page.status)
	link := regexp.MustCompile(`href="(/pay/[^"]+)">Buy<`).FindStringSubmatch(page.body)
	require.NotNil(t, link, page.body)
	wallet := payer.land(payer.get(link[1]))
	require.Contains(t, wallet.body, `lang="en">Pay<`)
	back := payer.pressPay(try.simulator, wallet)
	try.eventually("the receipt is shown", func() bool {
		return strings.Contains(payer.land(back).body, "Payment received")
	})

	require.Equal(t, "./caddy qfpay-jsapi orders", lines[len(lines)-1])
	listed := try.caddy("", "orders")
	require.NoError(t, listed.err)
	assert.Regexp(t, `paid +jsapi +HKD 128\.00 +Cat food`, listed.out)
	assert.FileExists(t, "ledger.db")

	require.Equal(t, http.StatusOK, payer.get(try.simulator+"/control/").status)
	require.NotEmpty(t, control)
	words := shellWord.FindAllString(try.moved.Replace(control[0]), -1)
	for i := range words {
		words[i] = strings.Trim(words[i], `'"`)
	}
	try.curl(words[1:])
	broken := payer.land(payer.get(link[1]))
	assert.NotContains(t, broken.body, `lang="en">Pay<`, "it was made to fail")
}

package qfpayjsapi_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	qfpayjsapi "github.com/caddy-qfpay/qfpay-jsapi"

	goods "github.com/caddy-qfpay/qfpay-jsapi/internal/shop"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// entry is what the reference says of one subdirective or parameter.
type entry struct {
	name  string
	steps []step
}

// step is a fragment of a block, or a request and what is answered.
type step struct {
	fragment, request string
	status            int
	parts             []string // of the Location or the body
}

var (
	entryHead = regexp.MustCompile("(?m)^### (.*)$")
	entryName = regexp.MustCompile("`([a-z_]+)`")
	entryStep = regexp.MustCompile("(?s)```(caddyfile|http)(?: fragment)?\n(.*?)```\n(?:→ `(\\d+)`([^\n]*))?")
	part      = regexp.MustCompile("`([^`]*)`")
)

// reference reads the document: its subdirectives and its parameters.
func reference(t *testing.T) (subdirectives, parameters []entry) {
	t.Helper()
	return entries(t, sectionOf(t, "docs/reference.md", "# Subdirectives")), entries(t, sectionOf(t, "docs/reference.md", "# Parameters"))
}

func entries(t *testing.T, text string) (all []entry) {
	t.Helper()
	heads := entryHead.FindAllStringSubmatchIndex(text, -1)
	for i, head := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		found := entry{name: entryName.FindStringSubmatch(text[head[2]:head[3]])[1]}
		for _, match := range entryStep.FindAllStringSubmatch(text[head[0]:end], -1) {
			if match[1] == "caddyfile" {
				found.steps = append(found.steps, step{fragment: match[2]})
				continue
			}
			require.NotEmpty(t, match[3], "the request says what is answered: %s", match[2])
			status, err := strconv.Atoi(match[3])
			require.NoError(t, err)
			s := step{request: match[2], status: status}
			for _, p := range part.FindAllStringSubmatch(match[4], -1) {
				s.parts = append(s.parts, p[1])
			}
			require.NotEmpty(t, s.parts)
			found.steps = append(found.steps, s)
		}
		require.NotEmpty(t, found.steps, "%s has no example", found.name)
		all = append(all, found)
	}
	return all
}

func TestTheReferenceHasAnExampleOfEverySubdirectiveAndParameter(t *testing.T) {
	subdirectives, parameters := reference(t)
	assert.ElementsMatch(t, qfpayjsapi.Subdirectives(), entryNames(subdirectives))
	assert.ElementsMatch(t, append(goods.Parameters(), "field"), entryNames(parameters))
}

func entryNames(entries []entry) (names []string) {
	for _, entry := range entries {
		names = append(names, entry.name)
	}
	return names
}

// referenceBlock is the shop of the README around a fragment of a block, whose
// lines take the place of the shop's own.
func (s *shop) referenceBlock(fragment string) (block string) {
	s.file = filepath.Join(s.files, "ledger.db")
	if ledgerFile.MatchString(fragment) {
		s.file = filepath.Join(s.files, "named.db")
	}
	block = ledgerFile.ReplaceAllString(fragment, "ledger sqlite "+s.file)
	block = strings.NewReplacer(
		"catalog.json", filepath.Join(s.files, "catalog.json"),
		"templates pages", "templates "+filepath.Join(s.files, "pages"),
		"https://shop.example.com/paid", s.receiver.url,
		"smtps://shop%40example.com:{env.MAIL_PASSWORD}@mail.example.com", "smtp://127.0.0.1:1", // where nobody listens
	).Replace(block)
	for subdirective, line := range map[string]string{
		"environment":   s.line.URL,
		"pay_page":      s.line.URL + "/q/direct",
		"app_code":      appCode,
		"client_key":    "{env.TEST_QFPAY_CLIENT_KEY}",
		"merchant_name": `"Harbour Pets"`,
		"ledger":        "sqlite " + s.file,
		"currency":      "HKD\nitem dog-treats 46.50\nitem cat-food {\nprice 128.00\nname \"Cat food 猫粮\"\nmax_quantity 3\n}",
	} {
		if !regexp.MustCompile(`(?m)^` + subdirective + ` `).MatchString(fragment) {
			block += "\n" + subdirective + " " + line
		}
	}
	return block
}

var ledgerFile = regexp.MustCompile(`(?m)^ledger sqlite \S+$`)

const referenceInvoiceKey = "only-for-the-tests-of-the-reference"

// An example shows its effect in the answers that the reference gives, in [effects],
// or in both.
func TestEveryExampleOfTheReferenceHasItsEffect(t *testing.T) {
	for name, value := range map[string]string{
		"QFPAY_APP_CODE": appCode, "QFPAY_CLIENT_KEY": clientKey, "QFPAY_MCHID": "M1", "INVOICE_KEY": referenceInvoiceKey,
		"WECHAT_APP_ID": wechatApp, "WECHAT_APP_SECRET": "only-for-the-tests", "WEBHOOK_SECRET": "whsec_bm8tc2VjcmV0LWJ1dC1hLWRlbW9uc3RyYXRpb24t",
	} {
		t.Setenv(name, value)
	}
	subdirectives, parameters := reference(t)
	t.Run("subdirectives", func(t *testing.T) { effectsOfSubdirectives.try(t, subdirectives) })
	t.Run("parameters", func(t *testing.T) { effectsOfParameters.try(t, parameters) })
}

func (all effects) try(t *testing.T, entries []entry) {
	for name := range all {
		assert.Contains(t, entryNames(entries), name, "the reference has no example of it")
	}
	for _, entry := range entries {
		t.Run(entry.name, func(t *testing.T) {
			effect, hasEffect := all[entry.name]
			assert.True(t, hasEffect || entry.isAnswered(), "the example shows no effect")
			shop := openReferenceShop(t)
			shop.run(entry)
			if hasEffect {
				effect(shop, entry.payLink())
			}
		})
	}
}

// isAnswered reports whether the reference says what a request is answered.
func (e entry) isAnswered() bool {
	return slices.ContainsFunc(e.steps, func(s step) bool { return s.request != "" })
}

// payLink is the last link of an example that begins a payment, or a link of the
// shop's.
func (e entry) payLink() string {
	link := "/pay/cat-food"
	for _, s := range e.steps {
		if s.status == http.StatusFound && strings.Contains(s.parts[0], "get_weixin_oauth_code") {
			link = strings.TrimSpace(strings.TrimPrefix(s.request, "GET "))
		}
	}
	return link
}

// openReferenceShop opens a shop that has what the examples of the reference name:
// a catalogue, pages of its own, error routes, and a program that takes webhooks.
func openReferenceShop(t *testing.T) *shop {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "catalog.json"), []byte(`[{"id":"rope","price":"25.00","name":"Rope 绳","max_quantity":5}]`), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "pages"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "pages/problem.html"), []byte(`Our own apologies`), 0o600))
	return openShop(t, func(s *shop, c *qfpaytest.Config) {
		c.RealName = true
		s.files, s.receiver = folder, newReceiver(t)
		s.site = "handle_errors {\n respond `the site's own page for {err.status_code}` {err.status_code}\n}"
	})
}

// run loads the blocks of an example, or the shop's own where it has none, and
// makes its requests.
func (s *shop) run(entry entry) {
	s.t.Helper()
	if entry.steps[0].fragment == "" {
		s.loadBlock(s.referenceBlock(""))
	}
	for _, step := range entry.steps {
		if step.fragment != "" {
			s.loadBlock(s.referenceBlock(step.fragment))
			continue
		}
		s.sends(step)
	}
}

// loadBlock loads a configuration with exactly this block.
func (s *shop) loadBlock(block string) {
	s.t.Helper()
	whole := strings.Replace(s.caddyfile(), s.directive(), "qfpay_jsapi {\n"+block+"\n}", 1)
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(whole), map[string]any{"filename": "Caddyfile"})
	require.NoError(s.t, err, block)
	require.NoError(s.t, caddy.Load(config, true), block)
}

// sends makes the request of a step and checks the answer.
func (s *shop) sends(step step) {
	s.t.Helper()
	head, body, _ := strings.Cut(step.request, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, target, ok := strings.Cut(lines[0], " ")
	require.True(s.t, ok, lines[0])
	target = strings.NewReplacer("<token>", s.token(referenceInvoiceKey), "<handoff>", s.handoff(target)).Replace(target)
	values, err := url.ParseQuery(strings.TrimSpace(body))
	require.NoError(s.t, err)
	response := s.answered(func() *http.Request {
		request, err := http.NewRequest(method, s.url+target, strings.NewReader(values.Encode()))
		require.NoError(s.t, err)
		request.Close = true
		request.Header.Set("User-Agent", wechat)
		if method == http.MethodPost {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ": ")
			request.Header.Set(name, value)
		}
		return request
	})
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	assert.Equal(s.t, step.status, response.StatusCode, "%s\n%s", step.request, text)
	for _, part := range step.parts {
		assert.Contains(s.t, response.Header.Get("Location")+string(text), part, step.request)
	}
}

// answered sends a request, again if it came to the listener of the
// configuration before, which is just being closed.
func (s *shop) answered(request func() *http.Request) *http.Response {
	s.t.Helper()
	for range 10 {
		response, err := http.DefaultTransport.RoundTrip(request())
		if err == nil {
			return response
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatal("the shop does not answer")
	return nil
}

// token is an invoice of the shop.
func (s *shop) token(key string) string {
	signer, err := goods.NewInvoiceKey(key, nil)
	require.NoError(s.t, err)
	token, err := signer.Sign(goods.Invoice{ID: "V-1", Amount: 9900, Currency: "HKD", Text: "Vet visit"})
	require.NoError(s.t, err)
	return token
}

// handoff is what a screen shows, where one is wanted.
func (s *shop) handoff(target string) string {
	if !strings.Contains(target, "<handoff>") {
		return ""
	}
	page := s.payer(desktop).get("/pay/cat-food")
	watch := regexp.MustCompile(`data-watch="/pay\?handoff=([^"]+)"`).FindStringSubmatch(page.body)
	require.NotNil(s.t, watch, page.body)
	return watch[1]
}

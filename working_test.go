package qfpayjsapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	shellWord  = regexp.MustCompile(`'[^']*'|"[^"]*"|\S+`)
)

// steps are the commands that a document shows in a section.
func steps(t *testing.T, document, section string) (lines []string) {
	t.Helper()
	for _, block := range shellBlock.FindAllStringSubmatch(sectionOf(t, document, section), -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return lines
}

// sectionOf is the text of a document below a heading.
func sectionOf(t testing.TB, document, heading string) string {
	t.Helper()
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(text), "\n"+heading+"\n")
	require.True(t, ok, "%s has no %s", document, heading)
	level, _, _ := strings.Cut(heading, " ")
	section, _, _ = strings.Cut(section, "\n"+level+" ")
	return section
}

// walk takes the steps of a document with one order.
func (s *shop) walk(lines []string, order, folder string) {
	s.t.Helper()
	for _, line := range lines {
		line = strings.NewReplacer("<order>", order, "november.csv", filepath.Join(folder, "november.csv"), "localhost:2019", "http://"+s.admin).Replace(line)
		words := shellWord.FindAllString(line, -1)
		for i, word := range words {
			words[i] = strings.Trim(word, `'"`)
		}
		switch words[0] {
		case "caddy":
			require.Equal(s.t, "qfpay-jsapi", words[1])
			require.NoError(s.t, s.caddy("y\n", words[2:]...).err, line)
		case "curl":
			s.curl(words[1:])
		case "#":
			s.refundTheRest(words[1])
		default:
			s.t.Fatalf("nobody knows how to run %s", line)
		}
	}
}

func TestTheDailyCommandsOfTheReadmeWork(t *testing.T) {
	shop, folder := openShop(t), t.TempDir()
	order := shop.sold("")
	lines := steps(t, "README.md", "## Refunds and daily work")
	require.Len(t, lines, 4)
	shop.walk(lines, order, folder)
	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, int64(2800), trade.Refunded)
	csv, err := os.ReadFile(filepath.Join(folder, "november.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(csv), order+",partially_refunded,")
}

func TestTheStepsOfTheDocumentsWorkWithAPaidOrder(t *testing.T) {
	heard := make(chan string, 10)
	shop, folder := openShop(t, ownName, withHearing(t, heard), withOrders), t.TempDir()
	order := shop.sold("&ref=INV-7")
	lines := steps(t, "docs/operating.md", "## Working with orders")
	require.Len(t, lines, 8)
	shop.walk(lines, order, folder)

	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, trade.Amount, trade.Refunded, "all went back")
	assert.Equal(t, 2, shop.gateway.Calls("refund"), "in two parts; the third request is the first one again")
	csv, err := os.ReadFile(filepath.Join(folder, "november.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(csv), order+",refunded,")
	var told []string
	for range 3 {
		told = append(told, <-heard)
	}
	assert.Equal(t, []string{"order.paid", "order.refunded", "order.refunded"}, slices.Sorted(slices.Values(told)))
	shop.eventually("the metrics agree", func() bool {
		counted := shop.counted()
		return counted["refunded_minor_units_total HKD"] == 25600 && counted["paid_minor_units_total HKD"] == 25600
	})
}

// refundTheRest gives back all that is left, on the orders page.
func (s *shop) refundTheRest(address string) {
	s.t.Helper()
	owner := s.owner()
	_, query, ok := strings.Cut(address, "shop.example.com/orders")
	require.True(s.t, ok, address)
	left := regexp.MustCompile(`at most ([0-9.]+)`).FindStringSubmatch(owner.get("/orders" + query).body)
	require.NotNil(s.t, left)
	done := owner.follow(owner.press(owner.question(strings.TrimPrefix(query, "?order="), "refund", left[1]), "refund"))
	assert.Contains(s.t, done.body, "The refund is done.")
}

// withHearing gives a shop a webhook that says which events it was told of.
func withHearing(t *testing.T, heard chan string) set {
	program := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- regexp.MustCompile(`"type":"([^"]+)"`).FindStringSubmatch(string(body))[1]
	}))
	t.Cleanup(program.Close)
	return withBlock("webhook " + program.URL + " " + webhookSecret)
}

// curl does what the program of that name would do.
func (s *shop) curl(args []string) {
	s.t.Helper()
	method, body, header, address := http.MethodGet, "", "", ""
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-X":
			i++
			method = args[i]
		case "-d":
			i++
			method, body = http.MethodPost, args[i]
		case "-H":
			i++
			header = args[i]
		default:
			address = args[i]
		}
	}
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	require.NoError(s.t, err)
	if name, value, ok := strings.Cut(header, ": "); ok {
		request.Header.Set(name, value)
	}
	reply, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer reply.Body.Close()
	assert.Contains(s.t, []int{http.StatusOK, http.StatusNoContent}, reply.StatusCode, args)
}

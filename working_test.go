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

// steps are the commands that the README shows in a section.
func steps(t *testing.T, section string) (lines []string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, text, ok := strings.Cut(string(readme), "\n"+section+"\n")
	require.True(t, ok)
	text, _, _ = strings.Cut(text, "\n## ")
	for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return lines
}

func TestTheStepsOfTheReadmeWorkWithAPaidOrder(t *testing.T) {
	heard := make(chan string, 10)
	shop := openShop(t, ownName, withHearing(t, heard), withOrders)
	order := shop.sold("&ref=INV-7")
	file := filepath.Join(t.TempDir(), "november.csv")
	lines := steps(t, "## Working with orders")
	require.Len(t, lines, 8)
	for _, line := range lines {
		line = strings.NewReplacer("<order>", order, "november.csv", file, "localhost:2019", "http://"+shop.admin).Replace(line)
		words := shellWord.FindAllString(line, -1)
		for i, word := range words {
			words[i] = strings.Trim(word, `'"`)
		}
		switch words[0] {
		case "caddy":
			require.Equal(t, "qfpay-jsapi", words[1])
			ran := shop.caddy("y\n", words[2:]...)
			require.NoError(t, ran.err, line)
		case "curl":
			shop.curl(words[1:])
		case "#":
			shop.refundTheRest(words[1])
		default:
			t.Fatalf("nobody knows how to run %s", line)
		}
	}

	trade, _ := shop.gateway.Trade(order)
	assert.Equal(t, trade.Amount, trade.Refunded, "all went back")
	assert.Equal(t, 2, shop.gateway.Calls("refund"), "in two parts; the third request is the first one again")
	csv, err := os.ReadFile(file)
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
	done := owner.follow(owner.press(owner.get("/orders"+query+"&refund="+left[1]), "refund"))
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
			body = args[i]
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
	assert.Equal(s.t, http.StatusOK, reply.StatusCode, args)
}

package pages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// hostile is text that tries to break out of a page.
const hostile = `"><script>alert(1)</script>'--></style></title>&amp;{{.}}`

// anOrder is an order with every field filled.
func anOrder() Order {
	return Order{
		ID:          "01KAR4ZV8N6Q2W3E4R5T6Y7X8J",
		Merchant:    "Harbour Pets 海港宠物",
		Description: "Cat food",
		Quantity:    2,
		Amount:      Amount{"256.00", "HKD"},
		Ref:         "INV-42",
	}
}

// samples returns every page in every state, about o.
func samples(o Order) map[string]Page {
	all := map[string]Page{
		"handoff":       Handoff{Order: o, Link: "https://shop.example/pay/cat-food?quantity=2"},
		"handoff phone": Handoff{Order: o, Link: "https://shop.example/pay/cat-food", Phone: true},
		"handoff watch": Handoff{Order: o, Link: "https://shop.example/pay?handoff=1", WatchURL: "/pay?handoff=1", Refresh: 5 * time.Second},
		"sheet":         Sheet{Order: o, PayParams: `{"appId":"wx1","package":"prepay_id=1"}`, ReturnURL: "/pay/return/1", FallbackURL: "https://gate.example/q"},
		"form": Form{Order: o, Action: "/pay/cat-food", Hidden: []Pair{{"quantity", "2"}}, Inputs: []Input{
			{Name: "name", Required: true}, {Name: "phone", Value: "1", Wrong: true}, {Name: "dog_size", Value: o.Merchant},
		}},
		"form amount":     Form{Order: Order{Merchant: o.Merchant}, Action: "/pay", Inputs: []Input{{Name: "amount", Required: true}}, Min: Amount{"5.00", "HKD"}, Max: Amount{"1000.00", "HKD"}},
		"confirm":         Confirm{Order: o, Action: "/pay/callback/1"},
		"confirming":      Confirming{Order: o, Check: 3, Refresh: 3 * time.Second, CheckURL: "/pay/return/1", ContinueURL: "/pay/go"},
		"confirming rest": Confirming{Order: o, Check: 9, CheckURL: "/pay/return/1"},
		"checking":        Checking{Order: o, CheckURL: "/pay/callback/1", Refresh: 2500 * time.Millisecond, StartURL: "/pay/cat-food"},
		"checking rest":   Checking{Order: o, CheckURL: "/pay/callback/1", StartURL: "/pay/cat-food"},
		"receipt":         Receipt{Order: o, PaidAt: time.Date(2026, 11, 23, 18, 4, 0, 0, time.UTC), ShopURL: "/"},
		"receipt plain":   Receipt{Order: Order{ID: o.ID}},
		"failed":          Failed{Order: o, StartURL: "/pay/cat-food", ShopURL: "https://shop.example/"},
	}
	for _, k := range append(Kinds(), "no_such_kind") {
		all["problem "+string(k)] = Problem{Kind: k, StartURL: "/pay/a", ShopURL: "/", RetryURL: "/pay/b"}
	}
	return all
}

// write renders page for a browser that asks for the language accept.
func write(t *testing.T, accept string, page Page) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/pay", nil)
	r.Header.Set("Accept-Language", accept)
	w := httptest.NewRecorder()
	require.NoError(t, Write(w, r, http.StatusOK, page))
	return w
}

// everyPage runs check for every sample about o in every language.
func everyPage(t *testing.T, o Order, check func(t *testing.T, tag string, w *httptest.ResponseRecorder)) {
	t.Helper()
	for name, page := range samples(o) {
		for _, tongue := range tongues {
			t.Run(fmt.Sprintf("%s/%s", name, tongue.tag), func(t *testing.T) {
				check(t, tongue.tag, write(t, tongue.tag, page))
			})
		}
	}
}

// elements parses body and returns its elements in document order.
func elements(t *testing.T, body string) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

// named returns the elements called name.
func named(all []*html.Node, name string) []*html.Node {
	var some []*html.Node
	for _, n := range all {
		if n.Data == name {
			some = append(some, n)
		}
	}
	return some
}

// attr returns an attribute of n, "" if it has none.
func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// inner returns the text in n.
func inner(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

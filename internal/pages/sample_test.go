package pages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// hostile is text that tries to break out of a page.
const hostile = `"><script>alert(1)</script>'--></style></title>&amp;{{.}}`

// write renders page for a browser that asks for the language accept.
func write(t *testing.T, accept string, page Page) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/pay", nil)
	r.Header.Set("Accept-Language", accept)
	w := httptest.NewRecorder()
	require.NoError(t, builtin.Write(w, r, http.StatusOK, page))
	return w
}

// everyPage runs check for every sample about o in every language.
func everyPage(t *testing.T, o Order, check func(t *testing.T, tag string, w *httptest.ResponseRecorder)) {
	t.Helper()
	for name, page := range samples(o) {
		for _, language := range texts.Locales {
			t.Run(fmt.Sprintf("%s/%s", name, language.Tag), func(t *testing.T) {
				check(t, language.Tag, write(t, language.Tag, page))
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

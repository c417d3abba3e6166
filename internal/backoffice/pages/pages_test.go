package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// everyPage renders every page in every language.
func everyPage(t *testing.T, text string, check func(t *testing.T, tag string, body string, all []*html.Node)) {
	for name, page := range samples(text) {
		for _, in := range words.Locales {
			t.Run(name+" "+in.Tag, func(t *testing.T) {
				body, err := render(page, in)
				require.NoError(t, err)
				root, err := html.Parse(strings.NewReader(string(body)))
				require.NoError(t, err)
				check(t, in.Tag, string(body), slices.Collect(nodes(root)))
			})
		}
	}
}

func nodes(root *html.Node) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for node := range root.Descendants() {
			if node.Type == html.ElementNode && !yield(node) {
				return
			}
		}
	}
}

func attribute(node *html.Node, key string) string {
	for _, attribute := range node.Attr {
		if attribute.Key == key {
			return attribute.Val
		}
	}
	return ""
}

func TestPagesAreSound(t *testing.T) {
	everyPage(t, "Cat food 猫粮", func(t *testing.T, tag, body string, all []*html.Node) {
		assert.True(t, strings.HasPrefix(body, "<!doctype html>\n<html lang=\""+tag+"\">"))
		seen, headings, labels := map[string]bool{}, 0, map[string]bool{}
		for _, node := range all {
			assert.NotEqual(t, "script", node.Data)
			if node.Data == "h1" {
				headings++
			}
			labels[attribute(node, "for")] = true
			for _, attribute := range node.Attr {
				assert.NotEqual(t, "style", attribute.Key)
				assert.False(t, strings.HasPrefix(attribute.Key, "on"), attribute.Key)
				if attribute.Key == "id" {
					assert.False(t, seen[attribute.Val], "id %s twice", attribute.Val)
					seen[attribute.Val] = true
				}
				if attribute.Key == "href" && node.Data == "a" || attribute.Key == "action" {
					assert.True(t, attribute.Val == "" || strings.HasPrefix(attribute.Val, "?"), "%s leaves the page", attribute.Val)
				}
			}
		}
		for _, node := range all {
			if kind := attribute(node, "type"); node.Data == "input" && kind != "hidden" || node.Data == "select" {
				assert.True(t, labels[attribute(node, "id")], "%s has no label", attribute(node, "name"))
			}
		}
		assert.Equal(t, 1, headings)
	})
}

func TestTextOfOthersStaysText(t *testing.T) {
	shape := func(text string) map[string][]string {
		shapes := map[string][]string{}
		everyPage(t, text, func(t *testing.T, _, _ string, all []*html.Node) {
			for _, node := range all {
				shapes[t.Name()] = append(shapes[t.Name()], node.Data)
			}
		})
		return shapes
	}
	var plain, hostiles []string
	for _, elements := range shape("plain") {
		plain = append(plain, strings.Join(elements, " "))
	}
	for _, elements := range shape(hostile) {
		hostiles = append(hostiles, strings.Join(elements, " "))
	}
	assert.ElementsMatch(t, plain, hostiles)
}

// Every text is there for a page: without it some page cannot be rendered.
func TestEveryTextIsUsed(t *testing.T) {
	all := samples("text")
	for key := range words.Locales[0].Texts {
		kind, _, _ := strings.Cut(key, ".")
		if slices.Contains([]string{"data", "event", "method", "status"}, kind) && key != "status.any" && key != "status.taken" && key != "method.any" {
			continue // what has none is called by its own name
		}
		without := *words.Locales[0]
		without.Texts = maps.Clone(without.Texts)
		delete(without.Texts, key)
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Values(all)), func(page Page) bool {
			_, err := render(page, &without)
			return err != nil
		}), key)
	}
}

func TestEveryPageCarriesItsHeaders(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Language", "zh-HK")
	w := httptest.NewRecorder()
	require.NoError(t, Write(w, r, http.StatusNotFound, Problem{Kind: UnknownOrder}))
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "zh-Hant", w.Header().Get("Content-Language"))
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	assert.Equal(t, "same-origin", w.Header().Get("Referrer-Policy"))
	assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	_, inline, _ := strings.Cut(w.Body.String(), "<style>")
	inline, _, _ = strings.Cut(inline, "</style>")
	sum := sha256.Sum256([]byte(inline))
	assert.Contains(t, w.Header().Get("Content-Security-Policy"), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';")
}

func TestNothingIsWrittenWhenRenderingFails(t *testing.T) {
	w := httptest.NewRecorder()
	assert.Error(t, Write(w, httptest.NewRequest(http.MethodGet, "/", nil), http.StatusOK, Problem{Kind: "no such kind"}))
	assert.Empty(t, w.Header())
	assert.Zero(t, w.Body.Len())
}

func TestBarsAreAsHighAsWhatCameIn(t *testing.T) {
	chart := Chart{Currency: "HKD", Spans: []Span{
		{Gross: Money{Minor: 200}, Refunded: Money{Minor: 50}, Net: Money{Minor: 150}},
		{},
		{Gross: Money{Minor: 100}, Net: Money{Minor: 100}},
	}}
	bars := chart.Bars()
	assert.Equal(t, 30, chart.Width())
	assert.Equal(t, []float64{1, 11, 21}, []float64{bars[0].X, bars[1].X, bars[2].X})
	assert.Equal(t, []float64{25, 75, 0, 25}, []float64{bars[0].NetY, bars[0].NetHeight, bars[0].BackY, bars[0].BackHeight})
	assert.Equal(t, []float64{50, 50, 0}, []float64{bars[2].NetY, bars[2].NetHeight, bars[2].BackHeight})
	assert.Zero(t, bars[1].NetHeight)
}

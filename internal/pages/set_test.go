package pages

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/templates"
)

// folderOf writes files into a folder.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	return folder
}

func written(t *testing.T, set *Set, page Page) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	require.NoError(t, set.Write(w, httptest.NewRequest(http.MethodGet, "/pay", nil), http.StatusOK, page))
	return w
}

func TestAWholePageTakesThePlaceOfTheBuiltInOne(t *testing.T) {
	set, err := ReadSet(folderOf(t, map[string]string{
		"receipt.html": `<!doctype html><title>Thanks</title><p>{{.Money .Order.Amount}} for {{.Order.Description}}</p>`,
		"shop.css":     "no template",
	}))
	require.NoError(t, err)
	order := sampleOrder()
	order.Description = hostile
	own := written(t, set, Receipt{Order: order})
	assert.True(t, strings.HasPrefix(own.Body.String(), "<!doctype html><title>Thanks</title><p>HK$256.00 for "))
	assert.NotContains(t, own.Body.String(), "<script>alert", "what payers read is escaped")
	assert.Equal(t, "default-src 'none'; style-src 'self' "+style.source+"; img-src 'self' data:; font-src 'self'; script-src 'self'; "+
		"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'", own.Header().Get("Content-Security-Policy"))
	for name, page := range samples(sampleOrder()) {
		if _, receipt := page.(Receipt); !receipt {
			assert.Equal(t, written(t, Builtin(), page).Body.String(), written(t, set, page).Body.String(), name)
			assert.Equal(t, written(t, Builtin(), page).Header(), written(t, set, page).Header(), name)
		}
	}
}

func TestPartsGoIntoTheLayout(t *testing.T) {
	set, err := ReadSet(folderOf(t, map[string]string{
		"failed.html": "{{define \"title\"}}Alas{{end}}\n{{define \"body\"}}<h1>Alas</h1>{{template \"sum\" .}}{{end}}\n",
	}))
	require.NoError(t, err)
	body := written(t, set, Failed{Order: sampleOrder()}).Body.String()
	assert.Contains(t, body, "<title>Alas · Harbour Pets 海港宠物</title>")
	assert.Contains(t, body, `<p class="sum">HK$256.00</p>`)
	assert.Contains(t, body, "<style>")
}

func TestALayoutIsForAllPages(t *testing.T) {
	set, err := ReadSet(folderOf(t, map[string]string{
		"layout.html": `{{define "layout"}}<!doctype html><title>{{template "title" .}}</title><main>{{template "body" .}}</main>{{end}}`,
	}))
	require.NoError(t, err)
	for name, page := range samples(sampleOrder()) {
		w := written(t, set, page)
		assert.True(t, strings.HasPrefix(w.Body.String(), "<!doctype html><title>"), name)
		assert.Contains(t, w.Header().Get("Content-Security-Policy"), "style-src 'self'", name)
	}
}

func TestMistakesInTemplatesNameFileAndLine(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"no such page":        {"reciept.html", "x", "reciept.html: there is no template of that name; there are checking.html, "},
		"no syntax":           {"receipt.html", "<p>\n{{.Money", "template: receipt.html:2: unclosed action"},
		"no such field":       {"receipt.html", "<p>\n\n{{.Page.Sum}}", `template: receipt.html:3:7: executing "receipt.html" at <.Page.Sum>: can't evaluate field Sum`},
		"no such word":        {"receipt.html", "{{.Cash}}", "template: receipt.html:1:2"},
		"no such text":        {"failed.html", "\n{{.T \"sorry\"}}", `template: failed.html:2:2: executing "failed.html" at <.T>: error calling T: no text "sorry" in en`},
		"no such part":        {"failed.html", `{{define "body"}}{{template "heart" .}}{{end}}`, `failed.html:1`},
		"in one state only":   {"confirming.html", "{{if not .Page.Refresh}}\n{{.Page.Never}}{{end}}", "template: confirming.html:2:7"},
		"an unsafe place":     {"receipt.html", "<a href={{.Order.Description}}{{if .Order.ID}} x='{{end}}>", "receipt.html"},
		"in the layout":       {"layout.html", "{{define \"layout\"}}\n{{.Nothing}}{{end}}", "template: layout.html:2:2"},
		"of the wrong case":   {"Receipt.HTML", "x", "Receipt.HTML: there is no template of that name"},
		"larger than allowed": {"receipt.html", strings.Repeat("x", templates.MaxBytes+1), "receipt.html is larger than 262144 bytes"},
		"empty":               {"problem.html", " \n", "problem.html is empty: remove it to use the built-in template"},
		"empty layout":        {"layout.html", "", "layout.html is empty"},
		"none at all":         {"style.css", "x", "contains none of checking.html, "},
	} {
		folder := folderOf(t, map[string]string{test.file: test.text})
		_, err := ReadSet(folder)
		assert.ErrorContains(t, err, test.want, name)
		assert.ErrorContains(t, err, folder, name)
	}
	_, err := ReadSet(filepath.Join(t.TempDir(), "missing"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

var fence = regexp.MustCompile("(?s)```html\n(.*?)```")

func TestWhatTheDocumentSaysOfTemplatesIsTrue(t *testing.T) {
	text, err := os.ReadFile("../../docs/templates.md")
	require.NoError(t, err)
	examples := fence.FindAllStringSubmatch(string(text), -1)
	require.Len(t, examples, 2)
	set, err := ReadSet(folderOf(t, map[string]string{"receipt.html": examples[0][1], "failed.html": examples[1][1]}))
	require.NoError(t, err)
	assert.Contains(t, written(t, set, samples(sampleOrder())["receipt"]).Body.String(), "HK$256.00 for Cat food, 24 November 2026")
	assert.Contains(t, written(t, set, samples(sampleOrder())["failed"]).Body.String(), "<h1>Nothing was paid</h1>")

	for _, file := range Files() {
		assert.Contains(t, string(text), "`"+file+"`")
	}
	for _, page := range allPages {
		row := regexp.MustCompile("(?m)^\\| `" + page.file() + "`.*$").FindString(string(text))
		for field := range reflect.TypeOf(page).Fields() {
			if field.Name != "Order" {
				assert.Contains(t, row, "`"+field.Name+"`", page.file())
			}
		}
	}
	words := reflect.TypeFor[*screen]()
	for method := range words.Methods() {
		assert.Contains(t, string(text), "`."+method.Name, "a word")
	}
}

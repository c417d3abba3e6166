package mail

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/templates"
)

func TestEveryMailCanBeWrittenInEveryLanguage(t *testing.T) {
	_, err := Builtin().Samples()
	require.NoError(t, err)
}

// A mail is looked at by programs that load nothing, run nothing, and take style
// sheets away.
func TestAMailLoadsAndRunsNothing(t *testing.T) {
	styled := regexp.MustCompile(`<(h1|p|td|th|ul|li|a|table|div)( [^>]*)?>`)
	for name, s := range samples() {
		l, err := sampleLetter(s, "en")
		require.NoError(t, err)
		_, html, err := Builtin().render(l)
		require.NoError(t, err)
		for _, never := range []string{"<img", "<script", "<link", "url(", "@import", "src=", "ZgotmplZ", "<no value>"} {
			assert.NotContains(t, html, never, name)
		}
		for _, tag := range styled.FindAllString(html, -1) {
			assert.Contains(t, tag, "style=", name)
		}
		assert.Contains(t, html, "prefers-color-scheme:dark")
		assert.Contains(t, html, `<html lang="en">`)
	}
}

// folder is one with the given files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestAShopsOwnTemplatesTakeThePlaceOfTheBuiltIn(t *testing.T) {
	set, err := ReadSet(folder(t, map[string]string{
		"mail-receipt.html": `{{define "body"}}<p>Own {{.Sum}} {{.Merchant}}</p>{{end}}`,
		"mail-receipt.txt":  `Own {{.Sum}} & {{range .Lines}}{{.Name}};{{end}}`,
		"mail-sent.html":    `<p>Whole {{.Note}} {{.T "sent.title"}}</p>`,
		"receipt.html":      "a page, which is none of ours",
		"logo.png":          "",
	}))
	require.NoError(t, err)
	render := func(name string) (string, string) {
		l, err := sampleLetter(samples()[name], "en")
		require.NoError(t, err)
		plain, html, err := set.render(l)
		require.NoError(t, err)
		return plain, html
	}
	plain, html := render("receipt")
	assert.Equal(t, "Own HK$256.00 & Cat food;Toy mouse 玩具老鼠;\n", plain)
	assert.Contains(t, html, "<p>Own HK$256.00 Harbour Pets 海港宠物</p>")
	assert.Contains(t, html, "<title>", "the layout is around it")
	plain, html = render("sent")
	assert.Equal(t, "<p>Whole SF Express 1234567890 Your order is on its way</p>", strings.TrimSpace(html))
	assert.Contains(t, plain, "Note from the shop", "the other part stays")
	_, html = render("paid")
	assert.Contains(t, html, "An order was paid")
}

func TestAShopsOwnLayoutIsAroundEveryMail(t *testing.T) {
	set, err := ReadSet(folder(t, map[string]string{"mail-layout.html": `{{define "layout"}}<main>{{template "body" .}}</main>{{end}}`}))
	require.NoError(t, err)
	l, err := sampleLetter(samples()["paid"], "en")
	require.NoError(t, err)
	_, html, err := set.render(l)
	require.NoError(t, err)
	assert.Regexp(t, `^<main>`, html)
}

func TestAFolderWithoutMailsLeavesThemAsTheyAre(t *testing.T) {
	set, err := ReadSet(folder(t, map[string]string{"receipt.html": "a page"}))
	require.NoError(t, err)
	_, err = set.Samples()
	require.NoError(t, err)
}

func TestAMistakeInATemplateIsNamedWithFileAndLine(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"unknown name":  {"mail-reciept.html", "x", "there is no template of that name; there are mail-layout.html"},
		"text layout":   {"mail-layout.txt", "x", "there is no template of that name"},
		"syntax":        {"mail-receipt.html", "a\n{{if}}", "mail-receipt.html:2"},
		"a typing slip": {"mail-receipt.txt", "a\n\n{{.Summ}}", "mail-receipt.txt:3"},
		"unknown text":  {"mail-sent.html", `{{.T "no.such"}}`, `no text "no.such"`},
		"empty":         {"mail-owner.txt", " \n", "is empty: remove it to use the built-in template"},
		"too large":     {"mail-owner.txt", strings.Repeat("a", templates.MaxBytes+1), "is larger than 262144 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadSet(folder(t, map[string]string{test.file: test.text}))
			assert.ErrorContains(t, err, test.want)
		})
	}
	_, err := ReadSet(filepath.Join(t.TempDir(), "none"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}

package mail

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"
	plaintext "text/template"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/templates"
)

//go:embed templates
var files embed.FS

// words are the languages of the mails and their texts.
var words = locale.Mail

// dark is the style for dark mode. That for light mode is written inline, because some
// mail programs remove style sheets.
var dark = template.HTML("<style>" + string(mustRead("dark.css")) + "</style>")

const layoutFile = "mail-layout.html"

// letterFiles are the mails, each with a template of either kind.
var letterFiles = []string{"mail-owner", "mail-receipt", "mail-sent"}

// Set is the templates of all mails: the built-in ones, or a shop's own over them.
type Set struct {
	html  map[string]*template.Template
	plain map[string]*plaintext.Template
}

var builtin = func() *Set {
	set, err := newSet(nil)
	if err != nil {
		panic(err) // a mistake in the program
	}
	return set
}()

// Builtin returns the mails as they come with the program.
func Builtin() *Set { return builtin }

// Files returns the names that templates of mails can have.
func Files() []string {
	names := []string{layoutFile}
	for _, name := range letterFiles {
		names = append(names, name+".html", name+".txt")
	}
	slices.Sort(names)
	return names
}

// isFile reports whether a file in a folder of templates is meant for a mail.
func isFile(name string) bool { return strings.HasPrefix(name, templates.MailPrefix) }

// ReadSet returns the mails with those of a folder in the place of the built-in
// ones, as pages are replaced: a .html file is a whole mail, or consists of
// definitions that go into the layout; a .txt file is the same mail as plain text.
// Files that begin with mail- and have no such name are errors; what else lies in
// the folder is left alone. Every mail is tried in every language; the errors name
// file and line.
func ReadSet(folder string) (*Set, error) {
	own, err := templates.ReadFolder(folder, isFile, Files())
	if err != nil {
		return nil, err
	}
	set, err := newSet(own)
	if err == nil {
		_, err = set.Samples()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	return set, nil
}

func newSet(own map[string]string) (*Set, error) {
	text := func(name string) string {
		if mine, ok := own[name]; ok {
			return mine
		}
		return string(mustRead(name))
	}
	layout, err := templates.Layout(layoutFile, string(mustRead(layoutFile)), own[layoutFile])
	if err != nil {
		return nil, err
	}
	set := &Set{make(map[string]*template.Template), make(map[string]*plaintext.Template)}
	for _, name := range letterFiles {
		if set.html[name], err = templates.Within(layout, name+".html", text(name+".html")); err != nil {
			return nil, err
		}
		if set.plain[name], err = plaintext.New(name + ".txt").Parse(text(name + ".txt")); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// render returns both parts of a mail.
func (set *Set) render(l *letter) (plain, html string, err error) {
	var out bytes.Buffer
	if err := set.plain[l.file].Execute(&out, l); err != nil {
		return "", "", err
	}
	plain = strings.TrimSpace(out.String()) + "\n"
	out.Reset()
	err = set.html[l.file].Execute(&out, l)
	return plain, out.String(), err
}

// mustRead reads a template that is part of the program.
func mustRead(name string) []byte {
	raw, err := files.ReadFile(path.Join("templates", name))
	if err != nil {
		panic(err)
	}
	return bytes.TrimSpace(raw)
}

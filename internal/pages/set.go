package pages

import (
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/templates"
)

// Set is the templates of all pages: the built-in ones, or a shop's own over
// them.
type Set struct {
	templates map[string]pageTemplate // by the name of the file
}

// pageTemplate is how one page is rendered.
type pageTemplate struct {
	*template.Template
	own bool // something of it is the shop's
}

const layoutFile = "layout.html"

// allPages are one of each.
var allPages = []Page{
	Handoff{}, Unpaid{}, Confirming{}, Checking{}, Receipt{}, Failed{}, Problem{}, PaySheet{}, Confirm{}, Form{},
}

// builtin are the pages that are part of the program, where a mistake is one in
// the program.
var builtin = func() *Set {
	set, err := newSet(nil)
	if err != nil {
		panic(err)
	}
	return set
}()

// Builtin returns the pages as they come with the program.
func Builtin() *Set { return builtin }

// ReadSet returns the pages with those of a folder in the place of the built-in
// ones. A file is called as the page that it replaces, or layout.html for what
// all pages have around them. Its text is either a whole page or, if it consists
// of definitions only, parts that go into the layout. Other .html files are
// errors, but for those of mails, mail-….html; what else lies in the folder is left
// alone. Every page is tried, in every language and state; the errors name file and
// line.
func ReadSet(folder string) (*Set, error) {
	own, err := readFolder(folder)
	if err != nil {
		return nil, err
	}
	set, err := newSet(own)
	if err == nil {
		err = set.try()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	return set, nil
}

// Files returns the names that templates can have.
func Files() []string {
	names := []string{layoutFile}
	for _, page := range allPages {
		names = append(names, page.file())
	}
	slices.Sort(names)
	return names
}

func readFolder(folder string) (map[string]string, error) {
	own, err := templates.ReadFolder(folder, isPage, Files())
	if err != nil || len(own) > 0 {
		return own, err
	}
	if mails, _ := fs.Glob(os.DirFS(folder), templates.MailPrefix+"*"); len(mails) == 0 {
		return nil, fmt.Errorf("%s contains none of %s", folder, strings.Join(Files(), ", "))
	}
	return own, nil
}

func isPage(name string) bool {
	return strings.EqualFold(filepath.Ext(name), ".html") && !strings.HasPrefix(name, templates.MailPrefix)
}

// newSet parses the template of every page into a copy of the layout.
func newSet(own map[string]string) (*Set, error) {
	layout, err := templates.Layout(layoutFile, string(mustRead("templates/"+layoutFile)), own[layoutFile])
	if err != nil {
		return nil, err
	}
	set := &Set{templates: make(map[string]pageTemplate, len(allPages))}
	for _, page := range allPages {
		name := page.file()
		text, mine := own[name]
		if !mine {
			text = string(mustRead("templates/" + name))
		}
		parsed, err := templates.Within(layout, name, text)
		if err != nil {
			return nil, err
		}
		set.templates[name] = pageTemplate{parsed, mine || own[layoutFile] != ""}
	}
	return set, nil
}

// try renders the shop's own pages in every state and language.
func (set *Set) try() error {
	all := samples(sampleOrder())
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, language := range texts.Locales {
			s, err := set.newScreen(language, all[name])
			if err == nil {
				_, err = s.render()
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

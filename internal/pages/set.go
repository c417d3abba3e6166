package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template/parse"
)

// Set is the templates of all pages: the built-in ones, or a shop's own over
// them.
type Set struct {
	templates map[string]pageTemplate // by the name of the file
}

// pageTemplate is how one page is rendered.
type pageTemplate struct {
	*template.Template
	entry string // what is executed: the layout, or a file that is a whole page
	own   bool   // something of it is the shop's
}

const layoutFile = "layout.html"

// maxTemplateBytes bounds one file of a shop's own templates.
const maxTemplateBytes = 256 << 10

// allPages are one of each.
var allPages = []Page{
	Handoff{}, Confirming{}, Checking{}, Receipt{}, Failed{}, Problem{}, Sheet{}, Confirm{}, Form{},
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
// errors; what else lies in the folder is left alone. Every page is tried, in
// every language and state; the errors name file and line.
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
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	own := make(map[string]string)
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.EqualFold(filepath.Ext(name), ".html") {
			continue
		}
		if !slices.Contains(Files(), name) {
			return nil, fmt.Errorf("%s: there is no page of that name; there are %s", filepath.Join(folder, name), strings.Join(Files(), ", "))
		}
		if own[name], err = readTemplate(filepath.Join(folder, name)); err != nil {
			return nil, err
		}
	}
	if len(own) == 0 {
		return nil, fmt.Errorf("%s holds none of %s", folder, strings.Join(Files(), ", "))
	}
	return own, nil
}

func readTemplate(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxTemplateBytes+1))
	switch {
	case err != nil:
	case len(text) > maxTemplateBytes:
		err = fmt.Errorf("%s is larger than %d bytes", name, maxTemplateBytes)
	case len(bytes.TrimSpace(text)) == 0:
		err = fmt.Errorf("%s is empty: remove it, and the built-in page is shown", name)
	}
	return string(text), err
}

// newSet parses the template of every page into a copy of the layout.
func newSet(own map[string]string) (*Set, error) {
	layout, err := template.New(layoutFile).Parse(string(mustRead("templates/" + layoutFile)))
	if err == nil && own[layoutFile] != "" {
		layout, err = layout.Parse(own[layoutFile])
	}
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
		copied, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		parsed, err := copied.New(name).Parse(text)
		if err != nil {
			return nil, err
		}
		entry := "layout"
		if mine && parsed.Tree != nil && !parse.IsEmptyTree(parsed.Tree.Root) {
			entry = name
		}
		set.templates[name] = pageTemplate{parsed, entry, mine || own[layoutFile] != ""}
	}
	return set, nil
}

// try renders the shop's own pages in every state and language.
func (set *Set) try() error {
	all := samples(sampleOrder())
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, tongue := range texts.Tongues {
			s, err := set.newScreen(tongue, all[name])
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

package templates

import (
	"html/template"
	"text/template/parse"
)

// Layout parses what is around every text. The shop's own definitions, if there are
// any, take the place of those in it.
func Layout(name, text, own string) (*template.Template, error) {
	layout, err := template.New(name).Parse(text)
	if err == nil && own != "" {
		layout, err = layout.Parse(own)
	}
	return layout, err
}

// Within parses a file into a copy of a layout, and returns what is executed: the file
// if it is a whole text, or the template "layout" if it consists of definitions that go
// into it.
func Within(layout *template.Template, name, text string) (*template.Template, error) {
	copied, err := layout.Clone()
	if err != nil {
		return nil, err
	}
	parsed, err := copied.New(name).Parse(text)
	if err != nil {
		return nil, err
	}
	if parsed.Tree != nil && !parse.IsEmptyTree(parsed.Tree.Root) {
		return parsed, nil
	}
	return parsed.Lookup("layout"), nil
}

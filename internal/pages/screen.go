package pages

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/tongue"
)

//go:embed templates
var files embed.FS

// The inline elements, exactly as every page that has them carries them.
var (
	style    = newElement("style", mustRead("templates/style.css"))
	copying  = newElement("script", mustRead("templates/copy.js"))
	watching = newElement("script", mustRead("templates/watch.js"))
	looking  = newElement("script", mustRead("templates/again.js"))
	paying   = newElement("script", mustRead("templates/sheet.js"))
)

// errLink is a pay link that nobody could open.
var errLink = errors.New("pay link is not an absolute http or https URL")

// mustRead reads a file that is part of the program.
func mustRead(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return bytes.TrimSpace(raw)
}

// screen is a page in a language: the data of a template. Its methods are the
// words that templates are written in.
type screen struct {
	Page Page
	QR   *code
	// Picture is the code as an image to save on a phone.
	Picture  template.URL
	tongue   *tongue.Tongue
	template pageTemplate
	// scripts are those that the template has asked for.
	scripts []element
	// connects says that a script asks this site.
	connects bool
	// posts says that the page has a form.
	posts bool
}

// newScreen prepares page in language t.
func (set *Set) newScreen(t *tongue.Tongue, page Page) (*screen, error) {
	s := &screen{Page: page, tongue: t, template: set.templates[page.file()]}
	handoff, ok := page.(Handoff)
	if !ok {
		return s, nil
	}
	link := absolute(handoff.Link)
	if link == "" {
		return nil, errLink
	}
	if handoff.Phone {
		s.Picture = picture(link)
	} else {
		s.QR = newCode(link)
	}
	return s, nil
}

// render returns the whole page, or an error and nothing.
func (s *screen) render() ([]byte, error) {
	var out bytes.Buffer
	if err := s.template.ExecuteTemplate(&out, s.template.entry, s); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Lang returns the language tag of the page.
func (s *screen) Lang() string { return s.tongue.Tag }

// Order returns what the page is about.
func (s *screen) Order() Order { return s.Page.order() }

// T returns the text for key.
func (s *screen) T(key string, args ...any) (string, error) { return s.tongue.Text(key, args...) }

// About returns a part of the text about a problem: title, text or next.
func (s *screen) About(k Kind, part string) (string, error) {
	return s.tongue.Text("problem." + string(kinds[k.index()].kind) + "." + part)
}

// Money returns a as text.
func (s *screen) Money(a Amount) string { return s.tongue.Money(a.Decimal, a.Currency) }

// Clock returns when as text, nil for the zero time.
func (s *screen) Clock(when time.Time) (*tongue.Moment, error) { return s.tongue.Clock(when) }

// Seconds returns d in whole seconds.
func (s *screen) Seconds(d time.Duration) int { return seconds(d) }

// URL returns raw if a page may link to it, "" otherwise.
func (s *screen) URL(raw string) string { return safe(raw) }

// Style returns the style element.
func (s *screen) Style() template.HTML { return style.html }

// Copying returns the script that copies a link.
func (s *screen) Copying() template.HTML { return s.script(copying) }

// Looking returns the script that looks again after a while.
func (s *screen) Looking() template.HTML { return s.script(looking) }

// Watching returns the script that waits for news of an order.
func (s *screen) Watching() template.HTML {
	s.connects = true
	return s.script(watching)
}

// Paying returns the script that opens WeChat's pay sheet.
func (s *screen) Paying() template.HTML { return s.script(paying) }

func (s *screen) script(e element) template.HTML {
	s.scripts = append(s.scripts, e)
	return e.html
}

// Label returns what an input is called: by its name, unless it is one of those
// that there are words for.
func (s *screen) Label(name string) string {
	if text, ok := s.tongue.Texts["field."+name]; ok {
		return text
	}
	return name
}

// Mode returns the keyboard and the memory of the browser that suit an input.
func (s *screen) Mode(name string) mode { return modes[name] }

type mode struct{ Keyboard, Autocomplete string }

var modes = map[string]mode{
	"amount":        {"decimal", "off"},
	"name":          {"text", "name"},
	"phone":         {"tel", "tel"},
	"email":         {"email", "email"},
	"address":       {"text", "street-address"},
	"user_truename": {"text", "name"},
	"user_creid":    {"text", "off"},
}

// Posting says that the page has a form.
func (s *screen) Posting() string {
	s.posts = true
	return "post"
}

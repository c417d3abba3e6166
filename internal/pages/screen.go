package pages

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
)

//go:embed templates
var files embed.FS

// texts are those of the pages, in all languages.
var texts = locale.Payer

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
	// Handoff is the way into WeChat that the page shows; nil for none.
	Handoff *Handoff
	QR      *code
	// Picture is the code as an image to save on a phone.
	Picture  template.URL
	locale   *locale.Locale
	template pageTemplate
	// scripts are those that the template has asked for.
	scripts []element
	// connects says that a script asks this site.
	connects bool
	// posts says that the page has a form.
	posts bool
}

// newScreen prepares page in language t.
func (set *Set) newScreen(t *locale.Locale, page Page) (*screen, error) {
	s := &screen{Page: page, locale: t, template: set.templates[page.file()]}
	switch page := page.(type) {
	case Handoff:
		s.Handoff = &page
	case Confirm:
		s.Handoff = page.Handoff
	}
	if s.Handoff == nil {
		return s, nil
	}
	link := absolute(s.Handoff.Link)
	if link == "" {
		return nil, errLink
	}
	if s.Handoff.Phone {
		s.Picture = picture(link)
	} else {
		s.QR = newCode(link)
	}
	return s, nil
}

// render returns the whole page, or an error and nothing.
func (s *screen) render() ([]byte, error) {
	var out bytes.Buffer
	if err := s.template.Execute(&out, s); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Lang returns the language tag of the page.
func (s *screen) Lang() string { return s.locale.Tag }

// Order returns what the page is about.
func (s *screen) Order() Order { return s.Page.order() }

// T returns the text for key.
func (s *screen) T(key string, args ...any) (string, error) { return s.locale.Text(key, args...) }

// About returns a part of the text about a problem: title, text or next.
func (s *screen) About(k Kind, part string) (string, error) {
	return s.locale.Text("problem." + string(kinds[k.index()].kind) + "." + part)
}

// Money returns a as text.
func (s *screen) Money(a Amount) string { return s.locale.Money(a.Decimal, a.Currency) }

// Clock returns when as text, nil for the zero time.
func (s *screen) Clock(when time.Time) *locale.Moment { return s.locale.Clock(when) }

// Hour returns when as a time of the day, nil for the zero time.
func (s *screen) Hour(when time.Time) *locale.Moment { return s.locale.Hour(when) }

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
	return s.locale.Field(name)
}

// Why returns what is wrong with an input.
func (s *screen) Why(wrong Wrong) (string, error) {
	form, _ := s.Page.(Form)
	key := "form.wrong." + string(wrong)
	switch wrong {
	case NotNumber:
		return s.T(key, form.Min.Decimal)
	case OutOfRange:
		return s.T(key, s.Money(form.Min), s.Money(form.Max))
	default:
		return s.T(key)
	}
}

// Mode returns what suits the input: several lines, too, if that is what was given, of
// which an input of one line would make a single one.
func (i Input) Mode() mode {
	suits := modes[i.Name]
	if strings.Contains(i.Value, "\n") {
		suits.Lines = max(suits.Lines, 3)
	}
	return suits
}

// mode is the keyboard and the memory of the browser that suit an input, and how
// many lines it has if it is not just one.
type mode struct {
	Keyboard, Autocomplete string
	Lines                  int
}

var modes = map[string]mode{
	"amount":        {"decimal", "off", 0},
	"name":          {"text", "name", 0},
	"phone":         {"tel", "tel", 0},
	"email":         {"email", "email", 0},
	"address":       {"text", "street-address", 3},
	"note":          {"text", "off", 3},
	"user_truename": {"text", "name", 0},
	"user_creid":    {"text", "off", 0},
}

// Posting says that the page has a form.
func (s *screen) Posting() string {
	s.posts = true
	return "post"
}

package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"slices"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

//go:embed templates
var files embed.FS

// words are the languages of the pages and their texts.
var words = locale.Owner

// mustRead reads a file that is part of the program.
func mustRead(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return bytes.TrimSpace(raw)
}

// sheet is the style of every page.
var sheet = mustRead("templates/style.css")

// policy allows a page its own style and its own address, and nothing else.
var policy = func() string {
	sum := sha256.Sum256(sheet)
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

// templates are those of the pages, each with the layout around it.
var templates = func() map[string]*template.Template {
	all := make(map[string]*template.Template)
	for _, page := range []Page{List{}, ToDo{}, Sheets{}, Stock{}, Order{}, Confirm{}, Problem{}} {
		parsed := template.Must(template.New("layout").Parse(string(mustRead("templates/layout.html"))))
		all[page.file()] = template.Must(parsed.Parse(string(mustRead("templates/" + page.file()))))
	}
	return all
}()

// screen is a page in a language: the data of a template. Its methods are the
// words that templates are written in.
type screen struct {
	Page   Page
	locale *locale.Locale
}

// render returns the whole page, or an error and nothing.
func render(page Page, in *locale.Locale) ([]byte, error) {
	var out bytes.Buffer
	err := templates[page.file()].Execute(&out, &screen{page, in})
	return out.Bytes(), err
}

// Lang returns the language tag of the page.
func (s *screen) Lang() string { return s.locale.Tag }

// T returns the text for key, with args put into its verbs.
func (s *screen) T(key string, args ...any) (string, error) { return s.locale.Text(key, args...) }

// Style returns the style element.
func (s *screen) Style() template.HTML { return template.HTML("<style>" + string(sheet) + "</style>") }

// Money writes an amount as people do.
func (s *screen) Money(m Money) string {
	return s.locale.Money(qfpay.Decimal(m.Minor, m.Currency), m.Currency)
}

// Decimal writes an amount without its currency, as a form takes it.
func (s *screen) Decimal(m Money) string { return qfpay.Decimal(m.Minor, m.Currency) }

// Count writes a number of things.
func (s *screen) Count(n int64) string { return s.locale.Number(n) }

// Event is what a kind of event is called.
func (s *screen) Event(kind string) string { return s.named("event.", kind) }

// Status is what the status of an order is called. That of a damaged one may be
// anything.
func (s *screen) Status(status string) string { return s.named("status.", status) }

// Method is what a way of paying is called.
func (s *screen) Method(method string) string { return s.named("method.", method) }

// Methods are those that a list can be narrowed to.
func (s *screen) Methods() []qfpay.Method { return qfpay.Methods() }

// Labelled are fields with what their inputs are called in the payer's form.
func (s *screen) Labelled(fields []Pair) []Pair {
	labelled := make([]Pair, len(fields))
	for i, field := range fields {
		labelled[i] = Pair{s.locale.Field(field.Name), field.Value}
	}
	return labelled
}

// Datum is what a thing is called that the history says of an event, and what it
// says: words of the program are said in the reader's language.
func (s *screen) Datum(said Pair) Pair {
	value := s.named("data."+said.Name+".", said.Value)
	if value == "true" {
		value = s.locale.Texts["data.yes"]
	}
	return Pair{s.named("data.", said.Name), value}
}

// named calls things by their own names if there are no words for them.
func (s *screen) named(prefix, name string) string {
	if text, ok := s.locale.Texts[prefix+name]; ok {
		return text
	}
	return name
}

// Zone names the time zone of the page; "" for a page without times.
func (s *screen) Zone() string {
	switch page := s.Page.(type) {
	case List:
		return page.Zone
	case ToDo:
		return page.Zone
	case Stock:
		return page.Zone
	case Order:
		return page.Zone
	default:
		return ""
	}
}

// Clock writes a time for people.
func (s *screen) Clock(at time.Time) string { return s.locale.Minute(at) }

// Day writes a day or a month, as a [Span] is named.
func (s *screen) Day(iso string) string { return s.locale.Day(iso) }

// Second writes a time to the second.
func (s *screen) Second(at time.Time) string { return s.locale.Second(at) }

// Machine writes a time for programs.
func (s *screen) Machine(at time.Time) string { return at.Format(time.RFC3339) }

// Choices are what a list can be narrowed to.
func (s *screen) Choices() []string {
	return []string{"", "paid,partially_refunded,refunded", "pending", "failed", "closed", "paid", "partially_refunded", "refunded"}
}

// Choice is what one of them is called.
func (s *screen) Choice(statuses string) (string, error) {
	i := slices.Index(s.Choices(), statuses)
	switch {
	case i == 0:
		return s.T("status.any")
	case i == 1:
		return s.T("status.taken")
	default:
		return s.T("status." + statuses)
	}
}

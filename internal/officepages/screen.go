package officepages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"slices"
	"strconv"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/tongue"
)

//go:embed templates texts
var files embed.FS

// words are the languages of the pages and their texts.
var words = tongue.Read(files, "texts")

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
	for _, page := range []Page{List{}, Order{}, Confirm{}, Problem{}} {
		parsed := template.Must(template.New("layout").Parse(string(mustRead("templates/layout.html"))))
		all[page.file()] = template.Must(parsed.Parse(string(mustRead("templates/" + page.file()))))
	}
	return all
}()

// screen is a page in a language: the data of a template. Its methods are the
// words that templates are written in.
type screen struct {
	Page   Page
	tongue *tongue.Tongue
}

// render returns the whole page, or an error and nothing.
func render(page Page, in *tongue.Tongue) ([]byte, error) {
	var out bytes.Buffer
	err := templates[page.file()].Execute(&out, &screen{page, in})
	return out.Bytes(), err
}

// Lang returns the language tag of the page.
func (s *screen) Lang() string { return s.tongue.Tag }

// T returns the text for key, with args put into its verbs.
func (s *screen) T(key string, args ...any) (string, error) { return s.tongue.Text(key, args...) }

// Style returns the style element.
func (s *screen) Style() template.HTML { return template.HTML("<style>" + string(sheet) + "</style>") }

// Money writes an amount as people do.
func (s *screen) Money(m Money) string {
	return s.tongue.Money(checkout.Decimal(m.Minor, m.Currency), m.Currency)
}

// Decimal writes an amount without its currency, as a form takes it.
func (s *screen) Decimal(m Money) string { return checkout.Decimal(m.Minor, m.Currency) }

// Count writes a number of things.
func (s *screen) Count(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Fact is what a kind of fact is called.
func (s *screen) Fact(kind string) string { return s.named("fact.", kind) }

// Label is what an input of the payer's form is called.
func (s *screen) Label(name string) string { return s.named("field.", name) }

// named calls things by their own names if there are no words for them.
func (s *screen) named(prefix, name string) string {
	if text, ok := s.tongue.Texts[prefix+name]; ok {
		return text
	}
	return name
}

// utc8 is the zone by whose days orders are filed.
var utc8 = time.FixedZone("UTC+8", 8*60*60)

// Clock writes a time for people.
func (s *screen) Clock(at time.Time) string { return at.In(utc8).Format("2006-01-02 15:04") }

// Second writes a time to the second.
func (s *screen) Second(at time.Time) string { return at.In(utc8).Format("2006-01-02 15:04:05") }

// Machine writes a time for programs.
func (s *screen) Machine(at time.Time) string { return at.In(utc8).Format(time.RFC3339) }

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

package officepages

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/pages"
)

//go:embed templates texts
var files embed.FS

// mustRead reads a file that is part of the program.
func mustRead(name string) []byte {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return bytes.TrimSpace(raw)
}

// style is the element that every page carries, and what the policy allows it
// by.
var style, styleSource = pages.InlineStyle(mustRead("templates/style.css"))

// policy allows a page its own style and its own address, and nothing else.
var policy = "default-src 'none'; style-src " + styleSource + "; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// texts are the words of the pages, by language and key.
var texts = func() map[string]map[string]string {
	all := make(map[string]map[string]string)
	for _, tag := range pages.Tags() {
		words := make(map[string]string)
		if err := json.Unmarshal(mustRead("texts/"+tag+".json"), &words); err != nil {
			panic(fmt.Errorf("texts of %s: %w", tag, err))
		}
		all[tag] = words
	}
	return all
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
	Page  Page
	Lang  string
	texts map[string]string
}

// render returns the whole page, or an error and nothing.
func render(page Page, tag string, texts map[string]string) ([]byte, error) {
	var out bytes.Buffer
	err := templates[page.file()].Execute(&out, &screen{Page: page, Lang: tag, texts: texts})
	return out.Bytes(), err
}

// T returns the text for key, with args put into its verbs.
func (s *screen) T(key string, args ...any) (string, error) {
	text, ok := s.texts[key]
	switch {
	case !ok:
		return "", fmt.Errorf("no text %q in %s", key, s.Lang)
	case len(args) == 0:
		return text, nil
	default:
		return fmt.Sprintf(text, args...), nil
	}
}

// Style returns the style element.
func (s *screen) Style() template.HTML { return style }

// Money writes an amount as people do.
func (s *screen) Money(m Money) string {
	return pages.FormatMoney(s.Lang, pages.Amount{Decimal: checkout.Decimal(m.Minor, m.Currency), Currency: m.Currency})
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

// Fact is what a kind of fact is called; its own name if there are no words
// for it.
func (s *screen) Fact(kind string) string {
	if text, ok := s.texts["fact."+kind]; ok {
		return text
	}
	return kind
}

// Label is what an input of the payer's form is called.
func (s *screen) Label(name string) string { return pages.InputLabel(s.Lang, name) }

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

package mail

import (
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/locale"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// letter is a mail in a language: the data of its templates. What it holds is
// written already as people read it; what is empty is not shown. Its methods are
// the words that templates are written in.
type letter struct {
	Merchant, Subject, Title, Lead, Foot string

	Sum   string // the amount
	Lines []item // what was bought
	Rows  []row
	Notes []string // for the owner: differences, one each

	// Link leads to an order, and LinkText says what it is; "" for none.
	Link, LinkText string

	// For templates of the shop's own.
	Order, Ref, Description, Note string
	Fields                        map[string]string

	file   string // the templates, without what kind of text they are
	locale *locale.Locale
	zone   *time.Location
}

// item is a line of an order, with what all of it costs.
type item struct {
	Name     string
	Quantity int
	Sum      string
}

type row struct{ Label, Value string }

// Lang returns the language tag of the mail.
func (l *letter) Lang() string { return l.locale.Tag }

// T returns the text for key, with args put into its verbs.
func (l *letter) T(key string, args ...any) (string, error) { return l.locale.Text(key, args...) }

// Dark returns the style for dark mode, which cannot be written inline.
func (l *letter) Dark() template.HTML { return dark }

// t is T of a text that is known to be there.
func (l *letter) t(key string, args ...any) string {
	text, err := l.locale.Text(key, args...)
	if err != nil {
		panic(err) // a mistake in the program, which a test finds
	}
	return text
}

func (l *letter) money(minor int64, currency string) string {
	if currency == "" {
		return ""
	}
	return l.locale.Money(qfpay.Decimal(minor, currency), currency)
}

func (l *letter) clock(when time.Time) string {
	if moment := l.locale.Clock(when.In(l.zone)); moment != nil {
		return moment.Human
	}
	return ""
}

// add adds a row, unless there is nothing to say.
func (l *letter) add(key, value string) {
	if value != "" {
		l.Rows = append(l.Rows, row{l.t("row." + key), prose(value)})
	}
}

// link adds a link, if there is one that a mail may hold.
func (l *letter) link(to func(order string) string, order, key string) {
	if to == nil || order == "" {
		return
	}
	u, err := url.Parse(to(order))
	if err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		l.Link, l.LinkText = u.String(), l.t(key)
	}
}

// buy says what was bought.
func (l *letter) buy(e event) {
	l.Order, l.Ref, l.Description = e.Order, prose(e.Ref), prose(e.Description)
	l.Sum = l.money(e.Amount, e.Currency)
	for _, bought := range e.Items {
		l.Lines = append(l.Lines, item{prose(bought.Name), bought.Quantity, l.money(bought.Price*int64(bought.Quantity), e.Currency)})
	}
	if len(e.Items) == 0 {
		l.add("description", e.Description)
	}
}

// Indent keeps the lines of a value below their label in a plain text, where they
// would otherwise look like the shop's own words.
func (l *letter) Indent(value string) string { return strings.ReplaceAll(value, "\n", "\n    ") }

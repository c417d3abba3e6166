package backoffice

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// Search is which orders are wanted.
type Search struct {
	ledger.Search
	Name string // of a shop; "" for all
	Told bool   // what payers told the shop is wanted too
}

// in is what is wanted of the shops of a ledger: the days are those of their zone.
func (s Search) in(l Ledger) ledger.Search {
	s.Shops, s.Period = l.Shops, s.Period.In(l.zone())
	return s.Search
}

// longestPeriod bounds a search, in days.
const longestPeriod = 3700

// SearchParameters are those of a query that [ReadSearch] reads.
var SearchParameters = []string{"day", "from", "to", "status", "method", "fulfilled", "q", "name"}

// ReadSearch reads what is wanted from a query: day, or from and to; status and
// method, repeated or with commas; fulfilled, true or false; name; q. Without a day, it
// is today; with fulfilled=false it is the last ten years, since what is to be
// fulfilled may be old. The error is a [Denial].
func ReadSearch(query url.Values, today ledger.Day) (s Search, err error) {
	s.Name, s.Text = query.Get("name"), strings.TrimSpace(query.Get("q"))
	if !utf8.ValidString(s.Text) || strings.ContainsRune(s.Text, 0) { // which PostgreSQL takes for an error of ours
		return s, Deny(http.StatusBadRequest, "q is not text")
	}
	if s.Period, err = readPeriod(query, today.String()); err != nil {
		return s, err
	}
	if s.Fulfilled, err = readFulfilled(query.Get("fulfilled")); err != nil {
		return s, err
	}
	if s.isToDo() && !hasPeriod(query) {
		s.First = s.Last.FirstOfMonth(-12 * toDoYears)
	}
	if s.Status, err = readWords(query["status"], "status", ledger.Statuses()); err != nil {
		return s, err
	}
	methods, err := readWords(query["method"], "method", qfpay.Methods())
	for _, method := range methods {
		s.Method = append(s.Method, string(method))
	}
	return s, err
}

// hasPeriod reports whether a query says of which days orders are wanted.
func hasPeriod(query url.Values) bool {
	return query.Has("day") || query.Has("from") || query.Has("to")
}

// toDoYears is how far back what is to be fulfilled is looked for.
const toDoYears = 10

// isToDo reports whether orders that are to be fulfilled are wanted.
func (s Search) isToDo() bool { return s.Fulfilled != nil && !*s.Fulfilled }

func readFulfilled(text string) (*bool, error) {
	switch text {
	case "":
		return nil, nil
	case "true", "false":
		return new(text == "true"), nil
	default:
		return nil, Deny(http.StatusBadRequest, "fulfilled must be true or false")
	}
}

func readPeriod(query url.Values, today string) (p ledger.Period, err error) {
	first, last := cmp.Or(query.Get("from"), query.Get("day"), query.Get("to"), today), cmp.Or(query.Get("to"), query.Get("day"), today)
	if p.First, err = ledger.ParseDay(first); err != nil {
		return p, Deny(http.StatusBadRequest, "%v", err)
	}
	if p.Last, err = ledger.ParseDay(last); err != nil {
		return p, Deny(http.StatusBadRequest, "%v", err)
	}
	if p.Last.Before(p.First) {
		return p, Deny(http.StatusBadRequest, "the period ends on %s before it begins on %s", p.Last, p.First)
	}
	if p.Length() > longestPeriod {
		return p, Deny(http.StatusBadRequest, "the period is longer than %d days", longestPeriod)
	}
	return p, nil
}

// readWords reads a parameter that takes some of a list of words.
func readWords[T ~string](texts []string, name string, all []T) (words []T, err error) {
	for _, text := range texts {
		for word := range strings.SplitSeq(text, ",") {
			if word == "" {
				continue
			}
			if !slices.Contains(all, T(word)) {
				return nil, Deny(http.StatusBadRequest, "%q is not a %s: there are %v", word, name, all)
			}
			words = append(words, T(word))
		}
	}
	return words, nil
}

// readBefore reads after which order a list of the newest goes on; "" begins.
func readBefore(query url.Values) (order string, err error) {
	order = strings.ToUpper(query.Get("before"))
	if order != "" && !ledger.ValidID(order) {
		err = Deny(http.StatusBadRequest, "before is not an order's number")
	}
	return order, err
}

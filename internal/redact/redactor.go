package redact

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Redactor takes secrets out of what others wrote. It is a function, so that
// printing it prints none of them.
type Redactor func(string) string

// Hiding hides the given secrets, the first ones first: of those that overlap,
// nothing of the first is left.
func Hiding(secrets ...string) Redactor {
	return func(s string) string {
		for _, secret := range secrets {
			s = strings.NewReplacer(spellings(secret)...).Replace(s)
		}
		return s
	}
}

// And hides more secrets.
func (hide Redactor) And(secrets ...string) Redactor {
	more := Hiding(secrets...)
	return func(s string) string { return more(hide(s)) }
}

// spellings are the forms in which a secret that was sent may come back, each with
// what takes its place: as it is, quoted by Go or by JSON, or URL-encoded; and what
// is left of each in one line.
func spellings(secret string) []string {
	if secret == "" {
		return nil
	}
	var pairs []string
	for _, spelling := range []string{
		secret,
		inQuotes.Replace(secret),
		unquoted(strconv.Quote(secret)),
		unquoted(strconv.QuoteToASCII(secret)),
		inJSON(secret, "%04x"),
		inJSON(secret, "%04X"),
		url.QueryEscape(secret),
		url.PathEscape(secret),
		strings.ToLower(url.QueryEscape(secret)),
		strings.ToLower(url.PathEscape(secret)),
	} {
		pairs = append(pairs, spelling, "[redacted]")
		if spelling = onlyPrintable(spelling); spelling != "" {
			pairs = append(pairs, spelling, "[redacted]")
		}
	}
	return pairs
}

// inQuotes does the least that JSON wants.
var inQuotes = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

func unquoted(quoted string) string { return quoted[1 : len(quoted)-1] }

// inJSON is a text as a JSON string in ASCII, without the quotes, whose escapes
// have digits of the given format.
func inJSON(text, digits string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		switch {
		case unit == '"' || unit == '\\':
			b.WriteString(`\` + string(rune(unit)))
		case ' ' <= unit && unit <= '~':
			b.WriteRune(rune(unit))
		default:
			fmt.Fprintf(&b, `\u`+digits, unit)
		}
	}
	return b.String()
}

// Line is what others wrote as one line of at most 200 bytes without secrets.
// What is not printable goes first, lest it keep the parts of a secret apart.
func (hide Redactor) Line(s string) string {
	return Truncate(hide(onlyPrintable(s)), longestLine)
}

// Error keeps the wording of an error and drops the values behind it, which may
// hold what was sent. That a context has ended can still be recognised.
func (hide Redactor) Error(err error) error {
	wording := hide.Line(err.Error())
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		switch {
		case !errors.Is(err, cause):
		case wording == cause.Error():
			return cause
		default:
			return fmt.Errorf("%w: %s", cause, strings.TrimPrefix(wording, cause.Error()+": "))
		}
	}
	return errors.New(wording)
}

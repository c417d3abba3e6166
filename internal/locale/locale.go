// Package locale has the languages that pages and mails are written in, writes
// texts, money and times in them, and picks the one that a reader prefers.
//
// A language is one file, texts/<tag>.json: all texts, what inputs are called, and
// how dates are written. English is what the others are compared with, and what
// readers of other languages get.
package locale

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/bojanz/currency"
	"golang.org/x/text/language"
)

// Locale is one language, with the texts of one kind of reading.
type Locale struct {
	Tag      string // of BCP 47, such as en or zh-Hant
	Texts    map[string]string
	fields   map[string]string
	dates    *dates
	currency currency.Locale
}

// Set is the languages of one kind of reading.
type Set struct {
	Locales []*Locale // English first, the others by their tags
	matcher language.Matcher
}

// file is what the file of a language holds.
type file struct {
	tag string
	// Money is the language in whose way money and numbers are written, in terms of
	// CLDR, if the tag does not say it well enough.
	Money  string            `json:"money"`
	Dates  dates             `json:"dates"`
	Fields map[string]string `json:"fields"` // what inputs are called, by their names
	Payer  map[string]string `json:"payer"`
	Owner  map[string]string `json:"owner"`
	Mail   map[string]string `json:"mail"`
}

//go:embed texts
var files embed.FS

// languages are all of them. The files are part of the program, so a mistake in
// one is a mistake in the program, and panics.
var languages = read(files)

// What there is to read: the payer's pages, the owner's pages, and the mails to
// both.
var (
	Payer = newSet(languages, func(f *file) map[string]string { return f.Payer })
	Owner = newSet(languages, func(f *file) map[string]string { return f.Owner })
	Mail  = newSet(languages, func(f *file) map[string]string { return f.Mail })
)

const fallback = "en"

// read reads every language in the folder texts.
func read(files fs.FS) []*file {
	names, err := fs.Glob(files, "texts/*.json")
	if err != nil {
		panic(err)
	}
	all := []*file{readFile(files, fallback)}
	for _, name := range names {
		if tag := strings.TrimSuffix(path.Base(name), ".json"); tag != fallback {
			all = append(all, readFile(files, tag))
		}
	}
	return all
}

func readFile(files fs.FS, tag string) *file {
	raw, err := fs.ReadFile(files, "texts/"+tag+".json")
	if err != nil {
		panic(err)
	}
	f := &file{tag: tag}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(f); err != nil {
		panic(fmt.Errorf("texts of %s: %w", tag, err))
	}
	return f
}

func newSet(all []*file, texts func(*file) map[string]string) *Set {
	set := new(Set)
	var tags []language.Tag
	for _, f := range all {
		set.Locales = append(set.Locales, &Locale{f.tag, texts(f), f.Fields, &f.Dates, currency.NewLocale(cmp.Or(f.Money, f.tag))})
		tags = append(tags, language.MustParse(f.tag))
	}
	set.matcher = language.NewMatcher(tags)
	return set
}

// Tags are those of all languages.
func Tags() []string {
	tags := make([]string, len(languages))
	for i, f := range languages {
		tags[i] = f.tag
	}
	return tags
}

// Preferred returns the language that suits the values of Accept-Language
// best. The reader's first choice that is there wins: matched all at once, a
// zh-HK would lose to the zh that browsers append, which stands for zh-Hans.
func (s *Set) Preferred(accept []string) *Locale {
	wanted, _, err := language.ParseAcceptLanguage(strings.Join(accept, ","))
	if err != nil {
		return s.Locales[0]
	}
	for _, tag := range wanted {
		if _, i, confidence := s.matcher.Match(tag); confidence >= language.High {
			return s.Locales[i]
		}
	}
	return s.Locales[0]
}

// Text returns the text for key, with args put into its verbs.
func (l *Locale) Text(key string, args ...any) (string, error) {
	text, ok := l.Texts[key]
	switch {
	case !ok:
		return "", fmt.Errorf("no text %q in %s", key, l.Tag)
	case len(args) == 0:
		return text, nil
	default:
		return fmt.Sprintf(text, args...), nil
	}
}

// Field is what an input of the payer's form is called: by its own name, unless it
// is one that many shops ask for.
func (l *Locale) Field(name string) string {
	if text, ok := l.fields[name]; ok {
		return text
	}
	return name
}

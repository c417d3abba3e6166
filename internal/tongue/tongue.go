// Package tongue writes texts, money and times in the languages that pages are
// written in, and picks the one that a browser prefers.
package tongue

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/bojanz/currency"
	"golang.org/x/text/language"
)

// Tongue is one language, with the texts of some pages.
type Tongue struct {
	Tag    string // en, zh-Hans or zh-Hant
	Texts  map[string]string
	locale currency.Locale
}

// Family is the languages in which some pages are written.
type Family struct {
	Tongues []*Tongue // the fallback first
	matcher language.Matcher
}

// Read reads the texts of every language from <tag>.json in a folder. The files
// are part of the program, so a mistake in one is a mistake in the program, and
// panics.
func Read(files fs.FS, folder string) *Family {
	family := new(Family)
	var tags []language.Tag
	for _, tag := range []string{"en", "zh-Hans", "zh-Hant"} {
		family.Tongues = append(family.Tongues, read(files, path.Join(folder, tag+".json"), tag))
		tags = append(tags, language.MustParse(tag))
	}
	family.matcher = language.NewMatcher(tags)
	return family
}

func read(files fs.FS, name, tag string) *Tongue {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err)
	}
	t := &Tongue{Tag: tag, locale: currency.NewLocale(tag)}
	if err := json.Unmarshal(raw, &t.Texts); err != nil {
		panic(fmt.Errorf("texts of %s: %w", tag, err))
	}
	return t
}

// Preferred returns the language that suits the values of Accept-Language
// best. The reader's first choice that is there wins: matched all at once, a
// zh-HK would lose to the zh that browsers append, which stands for zh-Hans.
func (f *Family) Preferred(accept []string) *Tongue {
	wanted, _, err := language.ParseAcceptLanguage(strings.Join(accept, ","))
	if err != nil {
		return f.Tongues[0]
	}
	for _, tag := range wanted {
		if _, i, confidence := f.matcher.Match(tag); confidence >= language.High {
			return f.Tongues[i]
		}
	}
	return f.Tongues[0]
}

// Text returns the text for key, with args put into its verbs.
func (t *Tongue) Text(key string, args ...any) (string, error) {
	s, ok := t.Texts[key]
	switch {
	case !ok:
		return "", fmt.Errorf("no text %q in %s", key, t.Tag)
	case len(args) == 0:
		return s, nil
	default:
		return fmt.Sprintf(s, args...), nil
	}
}

package pages

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/bojanz/currency"
	"golang.org/x/text/language"
)

//go:embed texts/*.json
var textFiles embed.FS

// tongue is one language that pages are written in.
type tongue struct {
	tag    string
	texts  map[string]string
	locale currency.Locale
}

// tongues are the languages, the fallback first.
var tongues = []*tongue{newTongue("en"), newTongue("zh-Hans"), newTongue("zh-Hant")}

// matcher picks among tongues, by index.
var matcher = newMatcher(tongues)

// newTongue reads the texts of the language tag. The files are part of the
// program, so a mistake in one is a mistake in the program.
func newTongue(tag string) *tongue {
	raw, err := textFiles.ReadFile(path.Join("texts", tag+".json"))
	if err != nil {
		panic(err)
	}
	t := &tongue{tag: tag, locale: currency.NewLocale(tag)}
	if err := json.Unmarshal(raw, &t.texts); err != nil {
		panic(fmt.Errorf("texts of %s: %w", tag, err))
	}
	return t
}

// newMatcher matches what browsers ask for against the languages there are.
func newMatcher(all []*tongue) language.Matcher {
	tags := make([]language.Tag, len(all))
	for i, t := range all {
		tags[i] = language.MustParse(t.tag)
	}
	return language.NewMatcher(tags)
}

// preferred returns the language that suits the values of Accept-Language
// best. The payer's first choice that is there wins: matched all at once, a
// zh-HK would lose to the zh that browsers append, which stands for zh-Hans.
func preferred(accept []string) *tongue {
	wanted, _, err := language.ParseAcceptLanguage(strings.Join(accept, ","))
	if err != nil {
		return tongues[0]
	}
	for _, tag := range wanted {
		if _, i, confidence := matcher.Match(tag); confidence >= language.High {
			return tongues[i]
		}
	}
	return tongues[0]
}

// text returns the text for key, with args put into its verbs.
func (t *tongue) text(key string, args ...any) (string, error) {
	s, ok := t.texts[key]
	switch {
	case !ok:
		return "", fmt.Errorf("no text %q in %s", key, t.tag)
	case len(args) == 0:
		return s, nil
	default:
		return fmt.Sprintf(s, args...), nil
	}
}

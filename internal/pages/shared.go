package pages

import (
	"html/template"
	"slices"
)

// What the owner's pages have in common with the payer's.

// Tags are the languages that pages are written in, the fallback first.
func Tags() []string {
	tags := make([]string, len(tongues))
	for i, tongue := range tongues {
		tags[i] = tongue.tag
	}
	return tags
}

// Preferred returns the language that suits the values of Accept-Language best.
func Preferred(accept []string) (tag string) { return preferred(accept).tag }

// FormatMoney writes an amount as people who read the language do.
func FormatMoney(tag string, a Amount) string { return tongueOf(tag).money(a) }

// InputLabel is what an input that many shops ask for is called in the language,
// and the name of any other.
func InputLabel(tag, name string) string { return (&screen{tongue: tongueOf(tag)}).Label(name) }

// InlineStyle wraps a style sheet, which is part of the program, in its element,
// and returns what a policy allows it by.
func InlineStyle(sheet []byte) (html template.HTML, source string) {
	e := newElement("style", sheet)
	return e.html, e.source
}

func tongueOf(tag string) *tongue {
	i := slices.IndexFunc(tongues, func(t *tongue) bool { return t.tag == tag })
	return tongues[max(i, 0)]
}

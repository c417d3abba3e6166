package shop

import (
	"unicode"
	"unicode/utf8"
)

// IsLine reports whether a text of the shop's own, such as a name, is UTF-8 that
// everybody sees as it is: one line, with nothing in it that hides, or turns the
// letters around it. Emoji may be joined of several.
func IsLine(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	var before rune
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Cf, r) && !(r == joiner && joins(before)) {
			return false
		}
		before = r
	}
	return true
}

const (
	joiner     = '\u200d'
	emojiStyle = '\ufe0f'
)

// joins reports whether a joiner behind this character makes one emoji of two: it
// is a symbol, the colour of a skin, or the mark that it is to look like an emoji.
func joins(r rune) bool { return r == emojiStyle || unicode.In(r, unicode.So, unicode.Sk) }

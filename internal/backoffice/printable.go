package backoffice

import (
	"strings"
	"unicode"
)

// Printable is text that others wrote in one line, without what terminals obey and
// what turns or hides letters: control characters, line ends, direction marks and
// characters without width. Those that join letters stay: scripts and emoji need them.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' && !isTag(r) {
			return ' '
		}
		return r
	}, text)
}

// isTag reports whether r spells a flag's region, behind the emoji of a flag.
func isTag(r rune) bool { return r >= 0xe0020 && r <= 0xe007f }

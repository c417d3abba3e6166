package mail

import (
	"strings"
	"unicode"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// Bounds of what is written into a mail, in bytes.
const (
	longestSubject = 200
	longestName    = 100
	longestValue   = 4000
)

// line is a text for a header: one line of what can be seen, of bounded length, that
// no reader takes for an encoded one.
func line(s string, most int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	s = strings.ReplaceAll(s, "=?", "= ?")
	return strings.TrimSpace(redact.Truncate(s, most))
}

// prose is a text for a body: its lines stay, other control characters go.
func prose(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || isBidi(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return redact.Truncate(s, longestValue)
}

// isBidi reports whether a character changes the direction of what follows it: a text
// without markup has nothing that would contain it.
func isBidi(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// Package redact makes what others wrote fit for logs and errors: printable, in
// one line, of bounded length, and without secrets.
package redact

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestLine bounds in bytes what others wrote.
const longestLine = 200

// Line is what others wrote as one line of at most 200 bytes.
func Line(s string) string { return Truncate(onlyPrintable(s), longestLine) }

func onlyPrintable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// Truncate returns the longest beginning of s that has at most the given number
// of bytes and ends between two characters. A byte that is not UTF-8 becomes
// U+FFFD first.
func Truncate(s string, bytes int) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if len(s) <= bytes {
		return s
	}
	end := max(bytes, 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// Cause is why a request had no reply: an error that the end of ctx caused is
// recognised as such, and the URL is taken out.
func Cause(ctx context.Context, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if cause := ctx.Err(); cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

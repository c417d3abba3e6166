package backoffice

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	// numeric is what spreadsheets may read as a number, a date or a time.
	numeric = regexp.MustCompile(`^\s*[0-9]([0-9 .,:/-]*|[0-9.,]*[eE][+-]?[0-9]+)$`)

	// exact are the numbers that spreadsheets show as they are written.
	exact = regexp.MustCompile(`^(0|[1-9][0-9]{0,10})$`)
)

// unspoilt keeps spreadsheets from taking a text for a number, which they would round
// to 15 digits, write with an exponent or rid of zeros in front, or for a date.
func unspoilt(text string) string {
	if numeric.MatchString(text) && !exact.MatchString(text) {
		return "'" + text
	}
	return text
}

const (
	formulaSigns = "=+-@＝＋－＠﹦﹢﹣﹫"

	// cellSeparators are those at which spreadsheets part a line, whatever it was
	// written with: where a comma is the decimal point, a semicolon stands for it.
	cellSeparators = ",;|"
)

// harmless keeps spreadsheets from taking a cell for a formula, or a piece of it that
// they part from it. Spaces and quotes before a formula do not hide it from them.
func harmless(cell string) string {
	var text strings.Builder
	begins := true // a cell, in the eyes of some spreadsheet
	for _, r := range cell {
		if begins && strings.ContainsRune(formulaSigns, r) {
			text.WriteByte('\'')
		}
		begins = strings.ContainsRune(cellSeparators, r) || begins && (unicode.IsSpace(r) || r == '"')
		text.WriteRune(r)
	}
	return text.String()
}

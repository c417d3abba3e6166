package qfpay

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkText refuses what the gateway does not take in any text. The error does not
// repeat it.
func checkText(name, text string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("%s must be valid UTF-8 without control characters", name)
	}
	return nil
}

// compactJSON is the JSON of a value made of strings, with &, < and > as they are.
func compactJSON(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("qfpay: strings have no JSON") // they always have
	}
	return strings.TrimSuffix(b.String(), "\n")
}

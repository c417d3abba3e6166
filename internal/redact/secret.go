package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that no verb of fmt and no log shows; string(s) is the text
// itself.
//
// JSON holds it, because configurations are read and written as JSON: a field of
// anything else needs the tag `json:"-"`. And fmt asks no methods of unexported
// fields, nor of what it prints after a verb that does not fit, which go vet
// reports: an unexported field had better be a function that returns the text.
type Secret string

const hidden = "[redacted]"

// String returns [redacted].
func (Secret) String() string { return hidden }

// GoString is String.
func (Secret) GoString() string { return hidden }

// Format writes String whatever the verb: %d and %x, too, would otherwise show the
// text.
func (Secret) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue is String.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

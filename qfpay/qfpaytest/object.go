package qfpaytest

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
)

// object is a JSON object whose members keep their order.
type object []member

// member is a member of an object. Its value is a string, an int, nil, a
// literal, an object or a list of objects.
type member struct {
	name  string
	value any

	// optional marks what the gateway may send as null.
	optional bool
}

// literal is printed as it is, without quotes.
type literal string

// spacing is what is printed between members and between name and value.
type spacing struct{ comma, colon string }

var (
	compactSpacing = spacing{",", ":"}

	// pythonSpacing is that of Python's json.dumps, which notifications show.
	pythonSpacing = spacing{", ", ": "}
)

func must(name string, value any) member { return member{name: name, value: value} }

func may(name string, value any) member { return member{name: name, value: value, optional: true} }

func (o object) without(names ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return slices.Contains(names, m.name) })
}

func (o object) only(names ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return !slices.Contains(names, m.name) })
}

// mapped returns a deep copy in which change has replaced every scalar.
func (o object) mapped(change func(member) any) object {
	changed := make(object, len(o))
	for i, m := range o {
		changed[i] = m
		switch value := m.value.(type) {
		case object:
			changed[i].value = value.mapped(change)
		case []object:
			rows := make([]object, len(value))
			for j, row := range value {
				rows[j] = row.mapped(change)
			}
			changed[i].value = rows
		default:
			changed[i].value = change(m)
		}
	}
	return changed
}

func (o object) encode(s spacing) []byte { return o.append(nil, s) }

func (o object) append(b []byte, s spacing) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, s.comma...)
		}
		b = appendString(b, m.name)
		b = append(b, s.colon...)
		b = appendValue(b, m.value, s)
	}
	return append(b, '}')
}

func appendValue(b []byte, value any, s spacing) []byte {
	switch value := value.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, value)
	case literal:
		return append(b, value...)
	case int:
		return strconv.AppendInt(b, int64(value), 10)
	case object:
		return value.append(b, s)
	case []object:
		b = append(b, '[')
		for i, row := range value {
			if i > 0 {
				b = append(b, s.comma...)
			}
			b = row.append(b, s)
		}
		return append(b, ']')
	default:
		panic(fmt.Sprintf("qfpaytest: no JSON for %T", value))
	}
}

// appendString quotes as Python does: all that is not printable ASCII becomes
// \uXXXX in lower case, beyond the basic plane as a surrogate pair.
func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	for _, r := range text {
		b = appendRune(b, r)
	}
	return append(b, '"')
}

func appendRune(b []byte, r rune) []byte {
	switch {
	case r == '"' || r == '\\':
		return append(b, '\\', byte(r))
	case r == '\n':
		return append(b, `\n`...)
	case r == '\r':
		return append(b, `\r`...)
	case r == '\t':
		return append(b, `\t`...)
	case r == '\b':
		return append(b, `\b`...)
	case r == '\f':
		return append(b, `\f`...)
	case ' ' <= r && r <= '~':
		return append(b, byte(r))
	case r > 0xFFFF:
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	default:
		return fmt.Appendf(b, `\u%04x`, r)
	}
}

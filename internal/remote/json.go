package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// What can be wrong with a reply. None of it repeats the reply.
var (
	ErrNotObject = errors.New("not a JSON object")
	ErrScalar    = errors.New("neither a string, nor a number, nor null")
	ErrInteger   = errors.New("not an integer")
)

// Decode reads a body that is one JSON object and nothing else. Other errors than
// those above are of encoding/json, and may quote the body.
func Decode(body []byte, into any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return ErrNotObject
	}
	return json.Unmarshal(body, into)
}

// Scalar returns a JSON string, a number as it is spelled, or null, which is
// empty. Anything else is [ErrScalar].
func Scalar(raw []byte) (string, error) {
	if len(raw) == 0 {
		return "", ErrScalar
	}
	switch c := raw[0]; {
	case isPlain(raw):
		return string(raw[1 : len(raw)-1]), nil
	case c == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case c == '-' || '0' <= c && c <= '9':
		return string(raw), nil
	case string(raw) == "null":
		return "", nil
	default:
		return "", ErrScalar
	}
}

// isPlain reports whether a string of JSON stands for what is between its quotes.
// Most do, and need no decoder of their own, which takes time and a deep stack.
func isPlain(raw []byte) bool {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return false
	}
	for _, c := range raw[1 : len(raw)-1] {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Text is a [Scalar]. Services' documentation and their real replies disagree on
// which kind of scalar a member is.
type Text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Text) UnmarshalJSON(raw []byte) error {
	s, err := Scalar(raw)
	if err != nil {
		return err
	}
	*t = Text(s)
	return nil
}

// Integer is a whole number, bare or in a string; null and "" are zero. It never
// passes through a float, and 100.0 or 1e2 are [ErrInteger] rather than rounded.
type Integer int64

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Integer) UnmarshalJSON(raw []byte) error {
	s, err := Scalar(raw)
	if err != nil {
		return err
	}
	if s == "" {
		*n = 0
		return nil
	}
	value, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] == '+' {
		return ErrInteger
	}
	*n = Integer(value)
	return nil
}

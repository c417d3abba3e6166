package qfpay

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
)

var (
	errScalar  = errors.New("neither a string, nor a number, nor null")
	errInteger = errors.New("not an integer")
)

// text is a JSON string, a number as it is spelled, or null, which is empty.
// The gateway's documentation and its real replies disagree on which of them a
// field is.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw)
	if err != nil {
		return err
	}
	*t = text(s)
	return nil
}

// line is a word or a number of the gateway's, as it goes into logs, ledgers and
// terminals: printable, in one line, at most 200 bytes. One that is not so is
// quoted, and so equals none that is.
type line string

func (l *line) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw)
	if err != nil {
		return err
	}
	*l = line(inLine(s))
	return nil
}

func inLine(s string) string {
	if quote.Line(s) == s {
		return s
	}
	return quote.Line(strconv.Quote(s))
}

// responseCode is a respcd: four digits. One that comes as a number has lost its
// leading zeros, and gets them back.
type responseCode string

func (c *responseCode) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseUint(string(raw), 10, 16); err == nil {
		s = fmt.Sprintf("%04d", n)
	}
	*c = responseCode(s)
	return nil
}

// integer is a whole number, bare or in a string; null and "" are zero. It never
// passes through a float, and 100.0 or 1e2 are refused rather than rounded.
type integer int64

func (n *integer) UnmarshalJSON(raw []byte) error {
	s, err := scalar(raw)
	if err != nil {
		return err
	}
	if s == "" {
		*n = 0
		return nil
	}
	value, err := strconv.ParseInt(s, 10, 64)
	if err != nil || s[0] == '+' {
		return errInteger
	}
	*n = integer(value)
	return nil
}

func scalar(raw []byte) (string, error) {
	if len(raw) == 0 {
		return "", errScalar
	}
	switch c := raw[0]; {
	case c == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case c == '-' || isDigit(c):
		return string(raw), nil
	case string(raw) == "null":
		return "", nil
	default:
		return "", errScalar
	}
}

func isDigit(c byte) bool {
	return '0' <= c && c <= '9'
}

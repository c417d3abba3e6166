package qfpay

import (
	"fmt"
	"strconv"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// line is a word or a number of the gateway's, as it goes into logs, ledgers and
// terminals: printable, in one line, at most 200 bytes. One that is not so is
// quoted, and so equals none that is.
type line string

func (l *line) UnmarshalJSON(raw []byte) error {
	s, err := remote.Scalar(raw)
	if err != nil {
		return err
	}
	*l = line(inLine(s))
	return nil
}

func inLine(s string) string {
	if redact.Line(s) == s {
		return s
	}
	return redact.Line(strconv.Quote(s))
}

// responseCode is a respcd: four digits. One that comes as a number has lost its
// leading zeros, and gets them back.
type responseCode string

func (c *responseCode) UnmarshalJSON(raw []byte) error {
	s, err := remote.Scalar(raw)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseUint(string(raw), 10, 16); err == nil {
		s = fmt.Sprintf("%04d", n)
	}
	*c = responseCode(s)
	return nil
}

package qfpay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// RealName is a payer's name and identity card of mainland China. However it is
// printed or logged, neither is shown.
type RealName struct {
	Name   string // 1 to 64 characters, none of them a control character
	IDCard string // see [CheckIDCard]
}

// CheckIDCard reports what is wrong with the number of an identity card of
// mainland China: 17 digits and a check character by GB 11643, which follows
// ISO 7064, MOD 11-2; digits 7 to 14 are a date of birth. The error does not
// show the number.
func CheckIDCard(number string) error {
	if len(number) != 18 || strings.Trim(number[:17], "0123456789") != "" {
		return errIDCard
	}
	if _, err := time.Parse("20060102", number[6:14]); err != nil {
		return errIDCard
	}
	sum := 0
	for i := range 17 {
		sum += int(number[i]-'0') * (1 << (17 - i) % 11)
	}
	if check := "10X98765432"[sum%11]; number[17] != check {
		return errIDCard
	}
	return nil
}

var (
	errIDCard   = errors.New("is not the number of an identity card: 17 digits and a check digit, or X")
	errRealName = errors.New("user_truename must be 1 to 64 characters")
)

// Check reports what is wrong with the name or the card, and shows neither. No
// name at all is fine.
func (n *RealName) Check() error {
	if n == nil {
		return nil
	}
	if strings.TrimSpace(n.Name) == "" || utf8.RuneCountInString(n.Name) > 64 || !utf8.ValidString(n.Name) ||
		strings.ContainsFunc(n.Name, unicode.IsControl) {
		return errRealName
	}
	if err := CheckIDCard(n.IDCard); err != nil {
		return fmt.Errorf("user_creid %w", err)
	}
	return nil
}

// extendInfo is the JSON that the gateway wants, with nothing escaped that need
// not be.
func (n *RealName) extendInfo() string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(struct { // of two strings: it cannot fail
		IDCard string `json:"user_creid"`
		Name   string `json:"user_truename"`
	}{n.IDCard, n.Name})
	return strings.TrimSuffix(out.String(), "\n")
}

// redact takes name and number out of what the gateway says.
func (n *RealName) redact(err error) error {
	var failure *Error
	if n == nil || !errors.As(err, &failure) {
		return err
	}
	failure.Message = strings.NewReplacer(n.IDCard, redacted, n.Name, redacted).Replace(failure.Message)
	return err
}

const redacted = "[redacted]"

// String shows nothing.
func (n RealName) String() string { return "qfpay.RealName" + redacted }

// Format writes String whatever the verb.
func (n RealName) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, n.String()) }

// LogValue shows nothing.
func (n RealName) LogValue() slog.Value { return slog.StringValue(n.String()) }

// MarshalText shows nothing, so that no JSON of a [Payment] does.
func (n RealName) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

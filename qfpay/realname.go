package qfpay

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
)

// maxRealName bounds a payer's name in bytes. It is ours: QFPay publishes none.
const maxRealName = 128

var errRealName = errors.New("user_truename must be 1 to 128 bytes of valid UTF-8, not all white space, without control characters")

// RealName is who has to pay: WeChat then refuses anybody else. However it is
// printed, logged or marshalled, both its values stay out, and so do they where a
// [Payment] is.
type RealName struct {
	// Name is the payer's full name, as on the identity card: UTF-8 of 1 to 128
	// bytes.
	Name string `json:"-"`

	// IDCard is the number of the payer's identity card; see [CheckIDCard].
	IDCard string `json:"-"`
}

// Format writes [redacted] whatever the verb, also where a [Payment] is printed.
func (RealName) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[redacted]") }

// CheckRealName says what is wrong with [RealName].Name, without the value.
func CheckRealName(name string) error {
	if len(name) > maxRealName || strings.TrimSpace(name) == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return errRealName
	}
	return nil
}

// Check says what is wrong without the values. No real name at all is fine.
func (r *RealName) Check() error {
	if r == nil {
		return nil
	}
	if err := CheckRealName(r.Name); err != nil {
		return err
	}
	if err := CheckIDCard(r.IDCard); err != nil {
		return fmt.Errorf("user_creid %w", err)
	}
	return nil
}

// extendInfo is the extend_info of the documentation, in its order.
func (r *RealName) extendInfo() string {
	return compactJSON(struct {
		IDCard string `json:"user_creid"`
		Name   string `json:"user_truename"`
	}{r.IDCard, r.Name})
}

// secrets are what no error may hold. The X of a number may come back as x, and a
// name without the white space around it.
func (r *RealName) secrets() []string {
	if r == nil {
		return nil
	}
	return []string{r.extendInfo(), r.IDCard, strings.ToLower(r.IDCard), r.Name, strings.TrimSpace(r.Name)}
}

// hiddenIn is an error without the real name; without one, it is the error.
func (r *RealName) hiddenIn(err error) error {
	if r == nil {
		return err
	}
	return hideIn(err, redact.Hiding(r.secrets()...))
}

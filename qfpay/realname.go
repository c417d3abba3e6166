package qfpay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/quote"
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

// String tells nothing.
func (RealName) String() string { return "qfpay.RealName([redacted])" }

// GoString is String.
func (r RealName) GoString() string { return r.String() }

// Format writes String whatever the verb.
func (r RealName) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, r.String()) }

// LogValue is String.
func (r RealName) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Check says what is wrong without the values. No real name at all is fine.
func (r *RealName) Check() error {
	switch {
	case r == nil:
		return nil
	case len(r.Name) > maxRealName, strings.TrimSpace(r.Name) == "", !utf8.ValidString(r.Name), strings.ContainsFunc(r.Name, unicode.IsControl):
		return errRealName
	}
	if err := CheckIDCard(r.IDCard); err != nil {
		return fmt.Errorf("user_creid %w", err)
	}
	return nil
}

// extendInfo is the extend_info of the documentation, in its order.
func (r *RealName) extendInfo() string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		IDCard string `json:"user_creid"`
		Name   string `json:"user_truename"`
	}{r.IDCard, r.Name})
	if err != nil {
		panic("qfpay: two strings have no JSON") // they always have
	}
	return strings.TrimSuffix(b.String(), "\n")
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
	return hideIn(err, quote.Hiding(r.secrets()...))
}

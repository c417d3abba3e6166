package qfpay

import (
	"fmt"
	"io"
	"log/slog"
)

// String describes the account without its key.
func (c Config) String() string {
	return fmt.Sprintf("qfpay.Config{Gateway: %q, AppCode: %q, ClientKey: [redacted], MchID: %q, SignType: %q, Timeout: %s}",
		c.Gateway, c.AppCode, c.MchID, c.SignType, c.Timeout)
}

// GoString is String.
func (c Config) GoString() string { return c.String() }

// Format writes String whatever the verb: %d, too, would otherwise show the key.
func (c Config) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue describes the account without its key.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("gateway", c.Gateway),
		slog.String("app_code", c.AppCode),
		slog.String("mchid", c.MchID),
		slog.String("sign_type", string(c.SignType)),
		slog.Duration("timeout", c.Timeout),
	)
}

// String describes the client without its key.
func (c Client) String() string { return "qfpay.Client(" + c.config.String() + ")" }

// GoString is String.
func (c Client) GoString() string { return c.String() }

// Format writes String whatever the verb.
func (c Client) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue describes the client without its key.
func (c Client) LogValue() slog.Value { return c.config.LogValue() }

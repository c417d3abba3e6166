package wechat

import (
	"fmt"
	"io"
	"log/slog"
)

// String describes the account without its secret.
func (c Config) String() string {
	return fmt.Sprintf("wechat.Config{AppID: %q, AppSecret: [redacted], AuthorizeURL: %q, TokenURL: %q, Timeout: %s}",
		c.AppID, c.AuthorizeURL, c.TokenURL, c.Timeout)
}

// GoString is String.
func (c Config) GoString() string { return c.String() }

// Format writes String whatever the verb: %d, too, would otherwise show the
// secret.
func (c Config) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue describes the account without its secret.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("app_id", c.AppID),
		slog.String("authorize_url", c.AuthorizeURL),
		slog.String("token_url", c.TokenURL),
		slog.Duration("timeout", c.Timeout),
	)
}

// String names the account by its public id.
func (a Account) String() string { return fmt.Sprintf("wechat.Account(%q)", a.appID) }

// GoString is String.
func (a Account) GoString() string { return a.String() }

// Format writes String whatever the verb.
func (a Account) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, a.String()) }

// LogValue names the account by its public id.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.appID) }

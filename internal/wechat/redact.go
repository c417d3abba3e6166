package wechat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// redactor takes secrets out of what others wrote. It is a function, so that
// printing it prints none of them.
type redactor func(string) string

// hiding hides the given secrets, the first ones first: of those that overlap,
// nothing of the first is left.
func hiding(secrets ...string) redactor {
	return func(s string) string {
		for _, secret := range secrets {
			s = strings.NewReplacer(spellings(secret)...).Replace(s)
		}
		return s
	}
}

// and hides one more secret, if there is one.
func (hide redactor) and(secret string) redactor {
	return func(s string) string { return hiding(secret)(hide(s)) }
}

// spellings are the forms in which a secret that was sent in a query may come
// back, each with what takes its place: as it is, quoted by Go, or URL-encoded.
func spellings(secret string) []string {
	const instead = "[redacted]"
	if secret == "" {
		return nil
	}
	quoted := strconv.Quote(secret)
	return []string{
		secret, instead,
		quoted[1 : len(quoted)-1], instead,
		url.QueryEscape(secret), instead,
		url.PathEscape(secret), instead,
	}
}

// line is what others wrote as one line of at most 200 bytes without secrets.
// What is not printable goes first, lest it keep the parts of a secret apart.
func (hide redactor) line(s string) string {
	const longest = 200
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	return qfpay.Truncate(hide(s), longest)
}

// error keeps the wording of an error and drops the values behind it, which may
// hold the URL. That the context has ended can still be recognised.
func (hide redactor) error(ctx context.Context, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	wording := hide.line(err.Error())
	cause := ctx.Err()
	switch {
	case cause == nil:
		return errors.New(wording)
	case wording == cause.Error():
		return cause
	default:
		return fmt.Errorf("%w: %s", cause, wording)
	}
}

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

package ledger

import (
	"errors"
	"net/url"
	"strings"
)

var errPostgresURL = errors.New("not a URL such as postgres://user@host:5432/database; special characters in a password must be percent-encoded")

// ParsePostgresURL reads the address of a PostgreSQL database. The error does not quote
// it: a password with a bare special character may be anywhere in it.
func ParsePostgresURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Opaque != "" || u.Fragment != "" {
		return nil, errPostgresURL
	}
	if u.User == nil && strings.Contains(u.Path+u.RawQuery, "@") { // after a bare / or ? in the password
		return nil, errPostgresURL
	}
	return u, nil
}

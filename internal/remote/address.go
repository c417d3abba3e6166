package remote

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

var errAddress = errors.New("must be an absolute http or https URL without user information")

// Address parses an absolute http or https URL without user information. Its
// errors never repeat it.
func Address(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errAddress
	}
	return u, nil
}

// CheckAddress is [Address] with an upper bound in characters.
func CheckAddress(raw string, longest int) error {
	if utf8.RuneCountInString(raw) > longest {
		return fmt.Errorf("must not be longer than %d characters", longest)
	}
	_, err := Address(raw)
	return err
}

// IsLoopback reports whether a host is certainly this machine. It takes no name but
// localhost: where another leads is not known before somebody connects.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.Unmap().IsLoopback()
}

// Plusless writes the spaces of a query as %20. In the browser,
// decodeURIComponent leaves the + of form encoding as it is.
func Plusless(query string) string { return strings.ReplaceAll(query, "+", "%20") }

// NotGraphic reports whether a character is not visible ASCII: white space, a
// control character, or beyond ASCII.
func NotGraphic(r rune) bool { return r <= ' ' || r > '~' }

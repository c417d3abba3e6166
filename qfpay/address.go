package qfpay

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

var errAddress = errors.New("must be an absolute http or https URL without user information")

// webAddress parses an absolute http or https URL. Its errors never repeat it.
func webAddress(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errAddress
	}
	return u, nil
}

// checkAddress is webAddress with an upper bound in characters.
func checkAddress(raw string, longest int) error {
	if utf8.RuneCountInString(raw) > longest {
		return fmt.Errorf("must not be longer than %d characters", longest)
	}
	_, err := webAddress(raw)
	return err
}

// plusless writes spaces as %20. In the browser, decodeURIComponent leaves the +
// of form encoding as it is.
func plusless(form string) string { return strings.ReplaceAll(form, "+", "%20") }

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

// encodeQuery writes spaces as %20. In the browser, decodeURIComponent leaves
// the + of form encoding as it is.
func encodeQuery(values url.Values) string {
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}

// formValues is params as net/url has them.
func formValues(params map[string]string) url.Values {
	values := make(url.Values, len(params))
	for name, value := range params {
		values.Set(name, value)
	}
	return values
}

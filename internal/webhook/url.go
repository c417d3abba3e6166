package webhook

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// maxURLBytes bounds an endpoint's URL.
const maxURLBytes = 2048

// What can be wrong with a URL. None of it repeats the URL, which may hold a
// password or a token.
var (
	errNotURL   = errors.New("a webhook URL is an absolute http or https URL such as https://shop.example/paid")
	errURLSize  = errors.New("a webhook URL has at most " + strconv.Itoa(maxURLBytes) + " bytes")
	errURLPort  = errors.New("a webhook URL's port is a number from 1 to 65535")
	errUserInfo = errors.New("a webhook URL carries no user name or password: messages are authenticated by their signature")
	errFragment = errors.New("a webhook URL has no #fragment")
)

// CheckURL reports what is wrong with an endpoint's URL: it must be an
// absolute http or https URL of at most 2048 bytes without user info and
// without a fragment. It looks up no name. The error does not show the URL.
func CheckURL(rawURL string) error {
	_, err := parseURL(rawURL)
	return err
}

func parseURL(rawURL string) (*url.URL, error) {
	if len(rawURL) > maxURLBytes {
		return nil, errURLSize
	}
	target, err := url.Parse(rawURL)
	if err != nil {
		return nil, errNotURL
	}
	switch {
	case target.Scheme != "http" && target.Scheme != "https", target.Hostname() == "", strings.Contains(target.Host, "%"):
		return nil, errNotURL // net/url does not read again what it writes of an escaped host, or of an IPv6 zone
	case target.User != nil:
		return nil, errUserInfo
	case strings.Contains(rawURL, "#"):
		return nil, errFragment
	case !isPort(target.Port()):
		return nil, errURLPort
	}
	return target, nil
}

// isPort accepts the empty port, which stands for the scheme's own.
func isPort(text string) bool {
	if text == "" {
		return true
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

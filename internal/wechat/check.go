package wechat

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// Bounds in bytes; all of these fields are ASCII.
const (
	// maxAppID is the length that WeChat Pay documents for appid. Real ones have
	// 18 characters: "wx" and 16 hexadecimal digits.
	maxAppID = 32

	// maxAppSecret is ours: real ones are 32 hexadecimal digits.
	maxAppSecret = 128

	// maxURL is ours: WeChat's addresses are far below it.
	maxURL = 512
)

// What can be wrong with a field. None of it repeats the value.
var (
	errAppID     = errors.New("must be 1 to 32 ASCII letters and digits, such as wx0123456789abcdef")
	errAppSecret = errors.New("must be 1 to 128 ASCII characters without white space")
	errURL       = errors.New("must be an absolute https URL of at most 512 ASCII characters without user information, query and fragment")
	errPlain     = errors.New("must be https: http is for a simulator on the same machine, on localhost or a loopback address")
)

var appIDPattern = regexp.MustCompile(`^[0-9A-Za-z]+$`)

// CheckAppID reports what is wrong with an official account's id: it must be 1
// to 32 ASCII letters and digits. The error does not show it.
func CheckAppID(appID string) error {
	if len(appID) > maxAppID || !appIDPattern.MatchString(appID) {
		return errAppID
	}
	return nil
}

// CheckAppSecret reports what is wrong with an official account's secret: it
// must be 1 to 128 visible ASCII characters. The error does not show it.
func CheckAppSecret(secret string) error {
	if !visible(secret, maxAppSecret) {
		return errAppSecret
	}
	return nil
}

// CheckURL reports what is wrong with the address of one of WeChat's two
// endpoints: it must be an absolute https URL of at most 512 ASCII characters
// without user information, query or fragment. http is allowed on localhost and
// on loopback addresses alone, for a simulator. It looks up no name. The error
// does not show the URL.
func CheckURL(rawURL string) error {
	target, err := url.Parse(rawURL)
	switch {
	case !visible(rawURL, maxURL), err != nil, target.Hostname() == "", target.User != nil, strings.ContainsAny(rawURL, "?#"):
		return errURL
	case target.Scheme == "https", target.Scheme == "http" && remote.IsLoopback(target.Hostname()):
		return nil
	case target.Scheme == "http":
		return errPlain
	default:
		return errURL
	}
}

// visible reports whether text is 1 to longest ASCII characters, none of them
// white space.
func visible(text string, longest int) bool {
	return text != "" && len(text) <= longest && !strings.ContainsFunc(text, remote.NotGraphic)
}

package wechat

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// maxRedirectURI bounds redirect_uri in characters. WeChat publishes no bound;
// this is that of the gateway's own OAuth redirect.
const maxRedirectURI = 512

var (
	errRedirectURI = errors.New("redirect_uri must be an absolute http or https URL of at most 512 characters without user information and fragment")
	errState       = errors.New("state must be 1 to 128 ASCII letters and digits")
)

// statePattern is the format and the length that WeChat documents.
var statePattern = regexp.MustCompile(`^[0-9A-Za-z]{1,128}$`)

// AuthorizeURL returns the address to which the payer's browser is sent first. It
// must be opened inside WeChat, whose users it vouches for, and leads back to
// redirectURI with the parameters code and state added. The payer is asked
// nothing: the scope is snsapi_base, which tells the openid and no more.
//
// redirectURI is an absolute http or https URL of at most 512 characters, on the
// domain that the account has registered for web page authorization. state is 1
// to 128 of [0-9A-Za-z]. Errors are [*Error], always refused, and repeat
// neither.
func (a *Account) AuthorizeURL(redirectURI, state string) (string, error) {
	if !isRedirectURI(redirectURI) {
		return "", invalid(callAuthorize, errRedirectURI)
	}
	if !statePattern.MatchString(state) {
		return "", invalid(callAuthorize, errState)
	}
	// WeChat's documentation: the order of the parameters is checked, and so is
	// the fragment.
	return a.authorizeURL +
		"?appid=" + escape(a.appID) +
		"&redirect_uri=" + escape(redirectURI) +
		"&response_type=code&scope=snsapi_base" +
		"&state=" + state +
		"#wechat_redirect", nil
}

func isRedirectURI(raw string) bool {
	return remote.CheckAddress(raw, maxRedirectURI) == nil && !strings.Contains(raw, "#")
}

// escape writes spaces as %20, which every decoder understands.
func escape(value string) string { return remote.Plusless(url.QueryEscape(value)) }

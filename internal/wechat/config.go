package wechat

import (
	"net/http"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// WeChat's own addresses, from its documentation.
const (
	DefaultAuthorizeURL = "https://open.weixin.qq.com/connect/oauth2/authorize"
	DefaultTokenURL     = "https://api.weixin.qq.com/sns/oauth2/access_token"
)

// DefaultTimeout bounds one call when [Config] sets no Timeout.
const DefaultTimeout = 10 * time.Second

// Config is the shop's own official account. However it is printed, logged or
// marshalled, the app secret stays out.
type Config struct {
	// AppID is the public id of the account; see [CheckAppID]. Required.
	AppID string

	// AppSecret proves to WeChat who is asking; see [CheckAppSecret]. Required.
	AppSecret redact.Secret `json:"-"`

	// AuthorizeURL is where the payer's browser is sent; see [CheckURL]. The
	// default is [DefaultAuthorizeURL].
	AuthorizeURL string

	// TokenURL is where the code is exchanged; see [CheckURL]. The default is
	// [DefaultTokenURL].
	TokenURL string

	// Transport carries the requests. By default, all accounts share one that
	// keeps connections alive and honours the usual proxy variables of the
	// environment.
	Transport http.RoundTripper `json:"-"`

	// Timeout bounds one call from dialing to the last byte of the reply. The
	// default is [DefaultTimeout].
	Timeout time.Duration
}

func (c Config) withDefaults() Config {
	if c.AuthorizeURL == "" {
		c.AuthorizeURL = DefaultAuthorizeURL
	}
	if c.TokenURL == "" {
		c.TokenURL = DefaultTokenURL
	}
	if c.Transport == nil {
		c.Transport = sharedTransport
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	return c
}

// sharedTransport has room for one short call for each payment.
var sharedTransport = remote.NewTransport(64)

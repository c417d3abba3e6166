package wechat

import (
	"errors"
	"fmt"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// Account is the shop's own official account. It is safe for concurrent use, and
// however it is printed or logged, the app secret stays out.
type Account struct {
	appID        string
	secret       func() string // a function, because fmt prints unexported fields as they are
	authorizeURL string
	tokenURL     string
	caller       remote.Caller
}

// New checks the configuration, calls nobody, and names the field in its errors,
// never the value.
func New(config Config) (*Account, error) {
	config = config.withDefaults()
	for _, field := range []struct {
		name, value string
		check       func(string) error
	}{
		{"AppID", config.AppID, CheckAppID},
		{"AppSecret", string(config.AppSecret), CheckAppSecret},
		{"AuthorizeURL", config.AuthorizeURL, CheckURL},
		{"TokenURL", config.TokenURL, CheckURL},
	} {
		if err := field.check(field.value); err != nil {
			return nil, fmt.Errorf("wechat: Config.%s: %w", field.name, err)
		}
	}
	if config.Timeout < 0 {
		return nil, errors.New("wechat: Config.Timeout: must not be negative")
	}
	return &Account{
		appID:        config.AppID,
		secret:       func() string { return string(config.AppSecret) },
		authorizeURL: config.AuthorizeURL,
		tokenURL:     config.TokenURL,
		caller:       remote.Caller{Transport: config.Transport, Timeout: config.Timeout, MaxReply: maxReply},
	}, nil
}

// AppID returns the public id of the account.
func (a *Account) AppID() string { return a.appID }

// CloseIdle closes connections that are kept alive but not in use. Calls in
// flight and later calls are not disturbed. The default transport is shared, so
// other accounts may have to connect again.
func (a *Account) CloseIdle() { a.caller.CloseIdle() }

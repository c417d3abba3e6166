package qfpaytest

import (
	"crypto/subtle"
	"errors"
	"regexp"
)

// wechatAccount is the shop's own official account at WeChat.
type wechatAccount struct {
	appID string // empty if the shop has none

	// isSecret is a function, not a string, so that no way of printing its owner
	// prints the app secret.
	isSecret func(string) bool
}

func newWeChatAccount(cfg Config) wechatAccount {
	secret := []byte(cfg.WeChatAppSecret)
	return wechatAccount{
		appID:    cfg.WeChatAppID,
		isSecret: func(given string) bool { return subtle.ConstantTimeCompare([]byte(given), secret) == 1 },
	}
}

// is reports whether an appid is that of the account.
func (a wechatAccount) is(appID string) bool { return a.appID != "" && appID == a.appID }

// appIDPattern has the length that WeChat Pay documents for appid.
var appIDPattern = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)

// validateWeChat wants both of an account or neither. What is wrong is said
// without the value: the two are easily mistaken for each other.
func (c Config) validateWeChat() error {
	switch {
	case c.WeChatAppID == "" && c.WeChatAppSecret == "":
		return nil
	case !appIDPattern.MatchString(c.WeChatAppID):
		return errors.New("qfpaytest: WeChatAppID is not 1 to 32 letters and digits")
	case visible(128)(c.WeChatAppSecret) != "":
		return errors.New("qfpaytest: WeChatAppSecret is not 1 to 128 visible ASCII characters")
	}
	return nil
}

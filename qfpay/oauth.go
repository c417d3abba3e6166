package qfpay

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// OAuthURL returns the address to which the payer's browser is sent first. It
// must be opened inside WeChat, whose users it vouches for, and leads back to
// redirectURI with a parameter code added.
//
// redirectURI is an absolute http or https URL of at most 512 characters. Put
// your own handle into its path rather than its query: nobody has shown whether
// the gateway appends the code to a query well, or returns a state.
//
// The signature is in the address, and is MD5 whatever the client's SignType, as
// QFPay's documentation has it. Errors are [*Error], always [Refused].
func (c *Client) OAuthURL(redirectURI string) (string, error) {
	if err := remote.CheckAddress(redirectURI, 512); err != nil {
		return "", invalid(callOAuth, fmt.Errorf("redirect_uri %w", err))
	}
	params := c.complete(map[string]string{
		"app_code":     c.config.AppCode,
		"redirect_uri": redirectURI,
	})
	params = params.with("sign", params.sign(MD5, c.key()))
	return c.gateway + "/tool/v1/get_weixin_oauth_code?" + params.query(), nil
}

// OpenID exchanges the payer's code for the openid that [Client.Pay] needs. A
// code works once, and every payment needs a new one.
//
// Errors are [*Error]. When the gateway refuses, the fault is the payer's unless
// its respcd is known to blame the shop or the gateway: send the payer through
// [Client.OAuthURL] again, but not endlessly.
func (c *Client) OpenID(ctx context.Context, code string) (string, error) {
	if code == "" {
		return "", invalid(callOpenID, errors.New("code is missing"))
	}
	if err := checkText("code", code); err != nil {
		mistake := invalid(callOpenID, err)
		mistake.Fault = FaultPayer // anybody can write one into the address
		return "", mistake
	}
	body, err := c.do(ctx, call{
		name:    callOpenID,
		method:  http.MethodGet,
		path:    "/tool/v1/get_weixin_openid",
		params:  map[string]string{"code": code},
		secrets: []string{code},
	})
	if err != nil {
		return "", err
	}
	var reply struct {
		OpenID remote.Text `json:"openid"`
	}
	if err := decode(body, &reply); err != nil {
		return "", garbage(callOpenID, err)
	}
	if reply.OpenID == "" {
		return "", garbage(callOpenID, errors.New("reply without an openid"))
	}
	return string(reply.OpenID), nil
}

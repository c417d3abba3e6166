package qfpay

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// The documented lengths of return_url, and of notify_url for JSAPI, in characters.
const (
	maxHostedReturnURL = 512
	maxWalletURL       = 255
	maxNotifyURL       = 256
)

// checkMethod checks what depends on how the payer pays.
func (p Payment) checkMethod() error {
	redirects := p.Method.redirects()
	switch {
	case p.Method.PayType() == "":
		return fmt.Errorf("%q is no method of payment", p.Method)
	case redirects && p.OpenID != "":
		return errors.New("sub_openid must be empty, except for a payment inside WeChat")
	case !redirects && p.OpenID == "":
		return errors.New("sub_openid is missing")
	case !redirects && p.ReturnURL != "":
		return errors.New("return_url is for payments outside WeChat only")
	case p.Method.isWallet() && p.RealName != nil:
		return errors.New("a real name cannot be checked by a wallet")
	}
	if err := p.checkURLs(); err != nil {
		return err
	}
	return p.checkScene()
}

func (p Payment) checkURLs() error {
	longestReturn, longestNotify := maxHostedReturnURL, maxNotifyURL
	if p.Method.isWallet() {
		longestReturn, longestNotify = maxWalletURL, maxWalletURL
	}
	if err := checkOptionalURL(p.ReturnURL, longestReturn); err != nil {
		return fmt.Errorf("return_url %w", err)
	}
	if err := checkOptionalURL(p.NotifyURL, longestNotify); err != nil {
		return fmt.Errorf("notify_url %w", err)
	}
	return nil
}

func checkOptionalURL(address string, longest int) error {
	if address == "" {
		return nil
	}
	return remote.CheckAddress(address, longest)
}

// redirected reads the reply to a payment that the payer makes at an address of
// the gateway's. It may hold pay_params or not: they are not looked at.
func (p Payment) redirected(body []byte) (*Prepared, error) {
	var reply struct {
		receipt
		PayURL remote.Text `json:"pay_url"`
	}
	if err := decode(body, &reply); err != nil {
		return nil, err
	}
	address, err := remote.Address(string(reply.PayURL))
	if err != nil {
		return nil, fmt.Errorf("pay_url %w", err)
	}
	payURL := string(reply.PayURL)
	if p.Method == MethodWeChat && p.ReturnURL != "" && !address.Query().Has("redirect_url") {
		payURL = withWayBack(payURL, p.ReturnURL)
	}
	return &Prepared{Syssn: string(reply.Syssn), SysTime: time.Time(reply.Sysdtm), PayURL: payURL}, nil
}

// withWayBack adds to the address of a WeChat Pay H5 payment where it leads the
// browser afterwards. What is there stays as it is: WeChat has signed it.
func withWayBack(payURL, back string) string {
	address, fragment, hasFragment := strings.Cut(payURL, "#")
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	address += separator + "redirect_url=" + remote.Plusless(url.QueryEscape(back))
	if hasFragment {
		address += "#" + fragment
	}
	return address
}

package qfpay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/redact"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/remote"
)

// PayPageRequest is the last address of a payment: the gateway's page that runs
// WeChat's JSAPI. It is not signed, and the payer may edit all of it.
type PayPageRequest struct {
	// Page is the page, such as [PayPage] returns. Required; a query of its own
	// is kept.
	Page string

	// PayParams are those of the payment, complete and unchanged.
	PayParams PayParams

	// MerchantName is shown to the payer, and cut to 128 bytes. It and GoodsName
	// have no control characters.
	MerchantName string

	// Amount is in minor units of Currency, and positive.
	Amount int64

	// Currency is one of [Currencies].
	Currency string

	// GoodsName is shown to the payer, and cut to [MaxGoodsName]. Optional.
	GoodsName string

	// RedirectURL is where the browser goes afterwards, paid or not: an absolute
	// http or https URL of at most 512 characters. Required.
	RedirectURL string
}

// URL returns the address, with every value percent-encoded and empty ones left
// out. Errors are [*Error], always [Refused].
func (p PayPageRequest) URL() (string, error) {
	page, err := remote.Address(p.Page)
	if err != nil {
		return "", invalid(callPayPage, fmt.Errorf("page %w", err))
	}
	if err := p.check(); err != nil {
		return "", invalid(callPayPage, err)
	}
	query := page.Query()
	for name, value := range p.params() {
		if value != "" {
			query.Set(name, value)
		}
	}
	page.RawQuery = remote.Plusless(query.Encode())
	return page.String(), nil
}

func (p PayPageRequest) check() error {
	if err := p.PayParams.check(); err != nil {
		return err
	}
	if p.Amount < 1 {
		return errors.New("txamt must be positive")
	}
	if _, ok := MinorUnits(p.Currency); !ok {
		return fmt.Errorf("currency must be one of %s", strings.Join(Currencies(), " "))
	}
	if err := checkText("mchntnm", p.MerchantName); err != nil {
		return err
	}
	if err := checkText("goods_name", p.GoodsName); err != nil {
		return err
	}
	if err := remote.CheckAddress(p.RedirectURL, 512); err != nil {
		return fmt.Errorf("redirect_url %w", err)
	}
	return nil
}

func (p PayPageRequest) params() map[string]string {
	params := p.PayParams.params()
	params["mchntnm"] = Truncate(p.MerchantName, 128)
	params["txamt"] = strconv.FormatInt(p.Amount, 10)
	params["currency"] = p.Currency
	params["goods_name"] = Truncate(p.GoodsName, MaxGoodsName)
	params["redirect_url"] = p.RedirectURL
	return params
}

// Truncate returns the longest beginning of s that has at most the given number
// of bytes and ends between two characters. A byte that is not UTF-8 becomes
// U+FFFD first. An emoji made of several code points may be cut between them.
func Truncate(s string, bytes int) string {
	return redact.Truncate(s, bytes)
}

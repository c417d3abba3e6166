package qfpaytest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"time"
)

const (
	defaultMaxTrades = 100_000

	// maxMchID is the documented length of mchid, in bytes.
	maxMchID = 16

	// notifyTimeout bounds one attempt to deliver a notification.
	notifyTimeout = 10 * time.Second
)

// Config describes the merchant's account and how strict the simulator is.
type Config struct {
	// Strict refuses what the gateway is known, or said, to overlook: unknown,
	// misplaced and empty parameters, times that are not UTC+8, and others that a
	// careful client does not send.
	Strict bool

	// AppCode and ClientKey are the merchant's credentials. Required.
	AppCode, ClientKey string

	// MchID, when set, must be carried by every call; when empty, no call may
	// carry one. At most 16 bytes.
	MchID string

	// WeChatAppID and WeChatAppSecret are the shop's own official account at
	// WeChat: 1 to 32 ASCII letters and digits, and 1 to 128 visible ASCII
	// characters. When empty, WeChat's endpoints answer as to an unknown appid.
	WeChatAppID, WeChatAppSecret string

	// Hosted makes the merchant one of Canada: payments carry no sub_openid and may
	// carry a return_url, and are answered with a pay_url instead of pay_params. It
	// leads to a wallet at /q/hosted on the host by which the payment came in.
	Hosted bool

	// Wallets are the ways of paying in a phone's own browser that QFPay has
	// activated for the merchant: wechat (WeChat Pay H5), alipayhk, unionpay, payme.
	// Their payments are answered with a pay_url that leads to a wallet at /q/wap on
	// the host by which the payment came in; others are refused. Default: none.
	Wallets []string

	// RealName activates the real-name check of mainland payers for the merchant:
	// payments may carry extend_info. Otherwise none may.
	RealName bool

	// RefundGap is how soon after one refund of a payment the next is refused; the
	// gateway's is about a second. Default: never.
	RefundGap time.Duration

	// Refunds2019 notifies of refunds in the shape seen in 2019 (notify_type refund,
	// orig_syssn and orig_out_trade_no, no status) instead of that of 2025
	// (notify_type cancel, orig_syssn alone).
	Refunds2019 bool

	// EmptyCurrency leaves the txcurrcd of an enquiry's rows empty, as the gateway
	// has done.
	EmptyCurrency bool

	// Seed is where everything random comes from: openids, codes, serial
	// numbers, nonces, and the dice of faults.
	Seed uint64

	// NotifyURL is the address "registered by email": it is told about payments
	// that name no notify_url of their own. Empty means none is registered.
	NotifyURL string

	// NotifyOff starts with notifications switched off; see SetNotifications.
	NotifyOff bool

	// TimeScale is how many times faster the notification schedule and the
	// delays of faults run than real time. 0 means 1.
	TimeScale float64

	// AnyBrowser admits payers whose User-Agent lacks WeChat's MicroMessenger.
	// WeCom, whose holds wxwork, is never admitted.
	AnyBrowser bool

	// AnyPort admits notification addresses on other ports than 80 and 443.
	AnyPort bool

	// AnyOpenID admits openids that the simulator did not issue, as from a shop
	// that has an official account of its own, and lets them pay repeatedly.
	AnyOpenID bool

	// BlindCode appends "?code=" to redirect_uri even where it has a query
	// already, as nobody has shown that the gateway does not.
	BlindCode bool

	// NoRateLimit lifts the limit of 100 requests a second and 400 a minute.
	NoRateLimit bool

	// MaxTrades bounds the trades, codes, openids and deliveries that are
	// remembered, each; the oldest are forgotten. 0 means 100,000.
	MaxTrades int

	// File is where the newest 1,000 trades are kept, so that a simulator that is
	// started again knows them. It belongs to one simulator. Its folder is made when
	// the first trade is. Default: none; trades are forgotten.
	File string

	// Now dates trades and codes. Waiting always follows the real clock.
	// Default time.Now.
	Now func() time.Time

	// Logger receives one record for each call. Default: none.
	Logger *slog.Logger

	// Client sends the notifications. It is copied; redirects are never
	// followed. Default: a client with a timeout of 10 s.
	Client *http.Client
}

// String names the account and leaves out the key and the app secret.
func (c Config) String() string {
	return fmt.Sprintf("qfpaytest.Config{app_code: %s, mchid: %s}", c.AppCode, c.MchID)
}

// Format implements fmt.Formatter, so that no verb prints a secret.
func (c Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue implements slog.LogValuer, so that no handler logs a secret.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c Config) validate() error {
	switch {
	case c.AppCode == "":
		return errors.New("qfpaytest: AppCode is required")
	case c.ClientKey == "":
		return errors.New("qfpaytest: ClientKey is required")
	case len(c.MchID) > maxMchID:
		return fmt.Errorf("qfpaytest: MchID is longer than %d bytes", maxMchID)
	case c.TimeScale < 0 || math.IsNaN(c.TimeScale) || math.IsInf(c.TimeScale, 0):
		return fmt.Errorf("qfpaytest: TimeScale %v is not a positive number", c.TimeScale)
	case c.MaxTrades < 0:
		return fmt.Errorf("qfpaytest: MaxTrades %d is negative", c.MaxTrades)
	}
	if err := cmp.Or(c.validateWeChat(), c.validateWallets()); err != nil {
		return err
	}
	if c.NotifyURL == "" {
		return nil
	}
	if wrong := notifyAddress(c.AnyPort)(c.NotifyURL); wrong != "" {
		return fmt.Errorf("qfpaytest: NotifyURL %s", wrong)
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.TimeScale == 0 {
		c.TimeScale = 1
	}
	if c.MaxTrades == 0 {
		c.MaxTrades = defaultMaxTrades
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Client = notifyClient(c.Client)
	return c
}

// notifyClient copies the given client, or makes one, that follows no redirect
// and always gives up after a while.
func notifyClient(given *http.Client) *http.Client {
	var client http.Client
	if given != nil {
		client = *given
	}
	if client.Timeout == 0 {
		client.Timeout = notifyTimeout
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

package simulator

import (
	"cmp"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddy-qfpay/qfpay-jsapi/qfpay/qfpaytest"
)

// pool holds the simulators in use, across reloads.
var pool = caddy.NewUsagePool()

// poolKey are the settings of a simulator. Whoever has the same settings shares
// the simulator; whoever changes one gets another, never one with old settings.
type poolKey struct {
	AppCode, ClientKey, MchID, NotifyURL, File                        string
	WeChatAppID, WeChatAppSecret                                      string
	Wallets                                                           string // joined by spaces
	Seed                                                              uint64
	TimeScale                                                         float64
	MaxTrades                                                         int
	RefundGap                                                         time.Duration
	Strict, Hosted, RealName, Refunds2019, EmptyCurrency              bool
	AnyBrowser, AnyPort, AnyOpenID, BlindCode, NoRateLimit, NotifyOff bool
}

// pooled closes its simulator when the last user is gone.
type pooled struct{ *qfpaytest.Simulator }

// Destruct implements caddy.Destructor.
func (p pooled) Destruct() error { return p.Close() }

func acquire(key poolKey) (*qfpaytest.Simulator, error) {
	value, _, err := pool.LoadOrNew(key, func() (caddy.Destructor, error) {
		simulator, err := qfpaytest.New(key.config())
		return pooled{simulator}, err
	})
	if err != nil {
		return nil, err
	}
	return value.(pooled).Simulator, nil
}

func release(key poolKey) error {
	_, err := pool.Delete(key)
	return err
}

func (key poolKey) config() qfpaytest.Config {
	return qfpaytest.Config{
		AppCode:         key.AppCode,
		ClientKey:       key.ClientKey,
		MchID:           key.MchID,
		WeChatAppID:     key.WeChatAppID,
		WeChatAppSecret: key.WeChatAppSecret,
		NotifyURL:       key.NotifyURL,
		Seed:            cmp.Or(key.Seed, rand.Uint64()),
		TimeScale:       key.TimeScale,
		MaxTrades:       key.MaxTrades,
		File:            key.File,
		RefundGap:       key.RefundGap,
		Wallets:         strings.Fields(key.Wallets),
		Strict:          key.Strict,
		Hosted:          key.Hosted,
		RealName:        key.RealName,
		Refunds2019:     key.Refunds2019,
		EmptyCurrency:   key.EmptyCurrency,
		AnyBrowser:      key.AnyBrowser,
		AnyPort:         key.AnyPort,
		AnyOpenID:       key.AnyOpenID,
		BlindCode:       key.BlindCode,
		NoRateLimit:     key.NoRateLimit,
		NotifyOff:       key.NotifyOff,
		Logger:          slog.New(currentLog{}),
	}
}

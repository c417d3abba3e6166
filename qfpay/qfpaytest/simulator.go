package qfpaytest

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// Simulator is the gateway, the pay page and the wallet, and WeChat for a shop
// with an official account of its own, as one http.Handler. It is safe for
// concurrent use. It starts no goroutine before the first notification.
type Simulator struct {
	cfg     Config // without the key and the app secret, which only the next two know
	sign    signer
	wechat  wechatAccount
	dice    dice
	mux     *http.ServeMux
	courier *courier

	mu          sync.Mutex
	book        *book
	payers      *payers
	limiter     limiter
	faults      faults
	calls       map[string]int
	notifyOff   bool
	slowRefunds bool

	refundsUnshown bool
}

// New returns a simulator of one merchant's account.
func New(cfg Config) (*Simulator, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Simulator{
		sign:      newSigner(cfg.ClientKey),
		wechat:    newWeChatAccount(cfg),
		dice:      dice(cfg.Seed),
		book:      newBook(cfg.MaxTrades),
		payers:    newPayers(cfg.MaxTrades),
		calls:     make(map[string]int),
		notifyOff: cfg.NotifyOff,
	}
	cfg.ClientKey, cfg.WeChatAppSecret = "", ""
	s.cfg = cfg
	if err := s.recall(); err != nil {
		return nil, err
	}
	s.courier = newCourier(cfg)
	s.mux = s.routes()
	return s, nil
}

// String names the simulator by its account.
func (s *Simulator) String() string { return "simulator of " + s.cfg.String() }

// Format implements fmt.Formatter, so that no verb walks through the state.
func (s *Simulator) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close stops the notifications and waits until none is under way. It may be
// called repeatedly.
func (s *Simulator) Close() error {
	s.courier.close()
	return nil
}

// Trades returns copies of all trades, in order of creation.
func (s *Simulator) Trades() []Trade {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.book.trades.all()
	trades := make([]Trade, len(all))
	for i, t := range all {
		trades[i] = t.copied()
	}
	return trades
}

// Trade returns a copy of the payment or refund with the merchant's number.
func (s *Simulator) Trade(outTradeNo string) (Trade, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, found := s.book.find(outTradeNo)
	if !found {
		return Trade{}, false
	}
	return t.copied(), true
}

// Code returns a fresh OAuth code, as the redirect of the first step would carry.
func (s *Simulator) Code() string { return s.newCode(s.gatewayAppID()) }

// WeChatCode returns a fresh code of the shop's own official account, as WeChat's
// redirect would carry.
func (s *Simulator) WeChatCode() string { return s.newCode(s.cfg.WeChatAppID) }

func (s *Simulator) newCode(appID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.payers.newCode(s.dice, appID, s.cfg.Now())
}

// gatewayAppID is the official account of the gateway, in whose name it pays.
func (s *Simulator) gatewayAppID() string {
	return "wx" + letters(s.dice.roll("appid", 0), lowerHex, 16)
}

// scaled is how long a duration of the gateway takes here.
func (s *Simulator) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.cfg.TimeScale)
}

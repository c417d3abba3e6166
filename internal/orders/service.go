// Package orders is the order service: what may become of an order, and who is
// told of it. It settles what the gateway reports, asks the gateway about orders
// and refunds, closes and refunds them, and brings every order to its end.
//
// Each of these is a step: one transaction in which an order changes, its history
// grows and the deliveries that follow are put into the outbox. It knows the
// ledger and the gateway's protocol; it knows nothing of HTTP requests, pages and
// Caddy.
package orders

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// Config is what a shop's service works with. All members are required, but for
// Endpoints, Mail, Now and Sleep.
type Config struct {
	Shop      string // its name in the ledger
	Account   string // the merchant's app_code and gateway: those with one account may hear of each other's orders
	Ledger    ledger.Ledger
	Client    *qfpay.Client
	Timeout   time.Duration // of one call to the gateway
	Endpoints []string      // the ids of the webhooks that are told of the shop's events
	Mail      Mail          // nil for a shop that sends no mail
	Shops     *Shops        // that this one joins

	// KeepFields is how long after its end an order keeps what its payer told the
	// shop; 0 for ever.
	KeepFields time.Duration

	Observer Observer
	Log      *zap.Logger
	Now      func() time.Time // default time.Now

	// Sleep waits and reports whether the context goes on; default: by the clock.
	Sleep func(ctx context.Context, wait time.Duration) bool
}

// Observer learns what happens, once, after it has become durable.
type Observer interface {
	// Called is told of every call to the gateway; err is how it ended.
	Called(shop, call string, took time.Duration, err error)

	// Changed is told of everything that happened to an order.
	Changed(Change)

	// Open is told now and then how many orders of each shop are open.
	Open(orders map[string]int)
}

// Service keeps the orders of one shop in step with the gateway. It is safe for
// concurrent use.
type Service struct {
	Config
	enquiries singleflight.Group            // by order
	answered  *lru.Cache[string, time.Time] // when the gateway answered an enquiry last, by order
	browsers  *rate.Limiter                 // enquiries that browsers cause
}

// Browsers that look at their orders, however many of however many orders, cause
// about half of the enquiries that the gateway lets a merchant make. Otherwise
// somebody with many orders could keep others from paying. What they do not ask,
// the reconciler does.
const (
	browserRate  = 3 // a second
	browserBurst = 60
)

// New returns the service of a shop, which calls nobody yet.
func New(config Config) *Service {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Sleep == nil {
		config.Sleep = sleep
	}
	answered, _ := lru.New[string, time.Time](answersKnown) // fails for sizes below 1 only
	s := &Service{Config: config, answered: answered, browsers: rate.NewLimiter(browserRate, browserBurst)}
	config.Shops.add(s)
	return s
}

// Shops are the services of all shops of a configuration.
type Shops struct {
	mu        sync.RWMutex
	byName    map[string]*Service
	byAccount map[string]map[string]*Service // by name

	// Wake is called when deliveries have been put into the outbox, and Due when
	// something is due sooner than it was.
	Wake, Due func(ledger.Ledger)
}

// NewShops returns an empty set.
func NewShops() *Shops {
	nobody := func(ledger.Ledger) {}
	return &Shops{byName: make(map[string]*Service), byAccount: make(map[string]map[string]*Service), Wake: nobody, Due: nobody}
}

func (all *Shops) add(s *Service) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.byName[s.Shop] = s
	if all.byAccount[s.Account] == nil {
		all.byAccount[s.Account] = make(map[string]*Service)
	}
	all.byAccount[s.Account][s.Shop] = s
}

// withAccountOf returns a service of the same account for each of its ledgers, the
// service's own first.
func (all *Shops) withAccountOf(s *Service) []*Service {
	all.mu.RLock()
	defer all.mu.RUnlock()
	found := []*Service{s}
	for _, other := range all.byAccount[s.Account] {
		if !slices.ContainsFunc(found, func(one *Service) bool { return one.Ledger == other.Ledger }) {
			found = append(found, other)
		}
	}
	return found
}

// Named returns the service of a shop; nil if the configuration has none of this
// name.
func (all *Shops) Named(shop string) *Service {
	all.mu.RLock()
	defer all.mu.RUnlock()
	return all.byName[shop]
}

// Find returns an order of the shop. The error is [ledger.ErrUnknown] for those of
// other shops too.
func (s *Service) Find(ctx context.Context, id string) (ledger.Order, error) {
	order, err := s.read(ctx, id)
	if err == nil && order.Shop != s.Shop {
		err = ledger.ErrUnknown
	}
	if err != nil {
		return ledger.Order{}, err
	}
	return order, nil
}

// read reads an order of the ledger, of whichever shop.
func (s *Service) read(ctx context.Context, id string) (order ledger.Order, err error) {
	err = s.Ledger.View(ctx, func(tx *ledger.Tx) (err error) {
		order, err = tx.Order(id)
		return err
	})
	return order, err
}

// refundsOf reads the refunds of an order.
func (s *Service) refundsOf(ctx context.Context, order string) (ledger.Refunds, error) {
	return ledger.View(ctx, s.Ledger, func(tx *ledger.Tx) (ledger.Refunds, error) { return tx.Refunds(order) })
}

// callTime bounds the payment call of a claimed order: after it, the gateway knows
// the order or never will, and whoever made the call is done or dead.
func (s *Service) callTime() time.Duration { return s.Timeout + 10*time.Second }

// UnderWay reports whether somebody may be asking the gateway for the payment of
// an order right now.
func (s *Service) UnderWay(o ledger.Order) bool {
	return !o.IsPrepared() && o.Unconfirmed.IsZero() && s.Now().Before(o.Claimed.Add(s.callTime()))
}

// deadline is when an order is brought to its end. One that was not prepared can
// be paid by nobody, since what makes it payable has reached no browser.
func (s *Service) deadline(o ledger.Order) time.Time {
	switch {
	case o.IsPrepared():
		return o.Expires
	case !o.Unconfirmed.IsZero():
		return o.Unconfirmed.Add(enquiryTimes[0])
	default:
		return o.Claimed.Add(s.callTime())
	}
}

// shortHash is what distinguishes a thing by 6 characters of A-Z 2-7.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base32.StdEncoding.EncodeToString(sum[:])[:6]
}

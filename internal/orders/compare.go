package orders

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// The longest period that is compared by hand, and for how long.
const (
	MostDays  = 31
	handLimit = 30 * time.Minute
)

// Compare lays the gateway's own list of trades beside the ledgers, day by day in
// UTC+8, for the accounts of some shops. What was paid or refunded there and is not
// known here is settled as if it had been notified; all else is pointed at and left
// as it is. A comparison that could not be completed says so in its Problem; the
// error is a [*Refusal].
func (all *Shops) Compare(ctx context.Context, shops []string, period ledger.Period) (Comparison, error) {
	found := Comparison{Period: period}
	services := all.ofAccounts(shops)
	if err := checkPeriod(services, period); err != nil {
		return found, err
	}
	ctx, cancel := context.WithTimeout(ctx, handLimit)
	defer cancel()
	var problems []string
	for _, service := range services {
		one := service.Compare(ctx, period)
		found.join(one)
		if one.Problem != "" {
			problems = append(problems, one.Problem)
		}
	}
	found.Problem = strings.Join(problems, "; ")
	return found, nil
}

func checkPeriod(services []*Service, period ledger.Period) error {
	if len(services) == 0 {
		return refuse(Conflict, "there is no such shop in the running configuration")
	}
	switch {
	case period.Last.Before(period.First):
		return refuse(Invalid, "the period ends on %s before it begins on %s", period.Last, period.First)
	case period.Length() > MostDays:
		return refuse(Invalid, "at most %d days are compared at once", MostDays)
	case ledger.DayOf(services[0].Now()).Before(period.Last):
		return refuse(Invalid, "%s is in the future", period.Last)
	default:
		return nil
	}
}

// join adds another account's comparison of the same days.
func (c *Comparison) join(other Comparison) {
	c.Trades, c.Here, c.More = c.Trades+other.Trades, c.Here+other.Here, c.More+other.More
	for _, found := range other.Findings {
		c.add(found)
	}
}

// ofAccounts returns one service for each account of the named shops: that of the
// first shop of the account by its name, whatever its ledger.
func (all *Shops) ofAccounts(shops []string) (services []*Service) {
	all.mu.RLock()
	defer all.mu.RUnlock()
	wanted := make(map[string]bool)
	for _, name := range shops {
		if s := all.byName[name]; s != nil {
			wanted[s.Account] = true
		}
	}
	first := make(map[string]*Service)
	for name, s := range all.byName {
		if known := first[s.Account]; wanted[s.Account] && (known == nil || name < known.Shop) {
			first[s.Account] = s
		}
	}
	for _, s := range first {
		services = append(services, s)
	}
	slices.SortFunc(services, func(a, b *Service) int { return cmp.Compare(a.Shop, b.Shop) })
	return services
}

// Compare compares the service's account, in all its ledgers. It always ends with
// its context.
func (s *Service) Compare(ctx context.Context, period ledger.Period) Comparison {
	c := &comparing{Service: s, peers: s.Shops.withAccountOf(s), found: Comparison{Period: period}}
	for day := range period.Days() {
		if err := c.compareDay(ctx, day); err != nil {
			c.found.Problem = problemOf(day, err)
			break
		}
	}
	if err := c.compareCancelled(ctx); err != nil && c.found.Problem == "" {
		c.found.Problem = problemOf(period.Last, err)
	}
	return c.found
}

func problemOf(day ledger.Day, err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "stopped on " + day.String() + ": it took too long"
	}
	return "stopped on " + day.String() + ": " + err.Error()
}

// comparing is a comparison that is being made.
type comparing struct {
	*Service
	peers []*Service // one for each ledger of the account
	found Comparison

	// cancelled are payments of which the list says that money went back, and
	// the ledger does not.
	cancelled []listed

	// Of the day.
	day    ledger.Day
	shown  map[names]bool              // the numbers of the payments and refunds that the list shows as made
	bought map[sale][]ledger.PaidOrder // by whom and when, in so far as money did not go back
	asked  int
}

// listed is a trade of the gateway's list, and the service in whose ledger its order
// is.
type listed struct {
	qfpay.Trade
	peer *Service
}

// compareDay compares a day: a window of it never crosses a month's end, and what
// has to be remembered is bounded.
func (c *comparing) compareDay(ctx context.Context, day ledger.Day) error {
	c.day, c.asked = day, 0
	c.shown, c.bought = make(map[names]bool), make(map[sale][]ledger.PaidOrder)
	if err := c.list(ctx, day, func(trades []qfpay.Trade) error { return c.compareListed(ctx, trades) }); err != nil {
		return err
	}
	for _, peer := range c.peers {
		if err := c.compareOrders(ctx, peer); err != nil {
			return err
		}
		if err := c.compareRefunds(ctx, peer); err != nil {
			return err
		}
	}
	return nil
}

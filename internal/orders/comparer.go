package orders

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// Comparer compares the accounts of a ledger with the gateway's own lists of trades,
// every night and for the day before. Every node has one, and each comparison is
// leased to one of them.
type Comparer struct {
	Ledger ledger.Ledger
	Shops  *Shops
	Log    *zap.Logger
	Now    func() time.Time

	// Compared is told how a comparison ended, by the shop that made it.
	Compared func(shop string, made Comparison)

	done map[string]ledger.Day // the last day, by account, of those for which nothing is left to do
}

// When and for how long a comparer compares.
const (
	compareFrom  = 3 * time.Hour    // after the end of the day, in UTC+8
	catchUp      = 7                // days that it goes back
	compareFirst = time.Minute      // when it looks first whether something is due
	compareEvery = 10 * time.Minute // how often it looks from then on
	compareLimit = 30 * time.Minute // one day of one account
	compareLease = compareLimit + 5*time.Minute

	mostLogged = 100 // findings of a comparison that the log names
)

// Run works until the context ends.
func (c *Comparer) Run(ctx context.Context) {
	for wait := compareFirst; ; wait = compareEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			c.Work(ctx)
		}
	}
}

// Work makes the comparisons that are due and that nobody else makes. What cannot be
// made is tried again when its lease has ended.
func (c *Comparer) Work(ctx context.Context) {
	defer logPanic(c.Log, zap.String("in", "the comparison"))
	days := dueDays(c.Now())
	last := days[len(days)-1]
	for _, service := range c.Shops.comparedIn(c.Ledger) {
		if c.done[service.Account] == last {
			continue
		}
		done, err := c.compareDays(ctx, service, days)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			service.Log.Warn("a comparison with the gateway's list could not be completed: it is repeated later", zap.String("shop", service.Shop), zap.Error(err))
		case done:
			if c.done == nil {
				c.done = make(map[string]ledger.Day)
			}
			c.done[service.Account] = last
		}
	}
}

// compareDays reports whether all days are done, by whomever.
func (c *Comparer) compareDays(ctx context.Context, s *Service, days []ledger.Day) (done bool, err error) {
	due, err := c.due(ctx, s, days)
	if err != nil {
		return false, err
	}
	done = true
	for _, day := range due {
		made, err := c.compareDay(ctx, s, day)
		if err != nil {
			return false, err
		}
		done = done && made
	}
	return done, nil
}

// due returns those days of an account that are still to be compared. Of the days
// before its first order, nobody is asked.
func (c *Comparer) due(ctx context.Context, s *Service, days []ledger.Day) (due []ledger.Day, err error) {
	first, err := c.firstOrder(ctx, s)
	if err != nil || first.IsZero() {
		return nil, err
	}
	made, err := ledger.View(ctx, c.Ledger, func(tx *ledger.Tx) ([]ledger.Day, error) { return tx.Comparisons(s.Account, days[0]) })
	if err != nil {
		return nil, err
	}
	begun := ledger.DayOf(first)
	for _, day := range days {
		if !day.Before(begun) && !slices.Contains(made, day) {
			due = append(due, day)
		}
	}
	return due, nil
}

// firstOrder is when the account's first order was started, in whatever ledger; zero
// if it has none.
func (c *Comparer) firstOrder(ctx context.Context, s *Service) (first time.Time, err error) {
	for _, peer := range c.Shops.withAccountOf(s) {
		at, err := ledger.View(ctx, peer.Ledger, func(tx *ledger.Tx) (time.Time, error) { return tx.FirstOrder(s.Account) })
		if err != nil {
			return time.Time{}, err
		}
		if first.IsZero() || !at.IsZero() && at.Before(first) {
			first = at
		}
	}
	return first, nil
}

// dueDays are those that are over for long enough, the oldest first.
func dueDays(now time.Time) (days []ledger.Day) {
	last := ledger.DayOf(now.Add(-compareFrom)).Previous()
	first := last
	for range catchUp - 1 {
		first = first.Previous()
	}
	for day := range (ledger.Period{First: first, Last: last}).Days() {
		days = append(days, day)
	}
	return days
}

// comparedIn returns a service for each account whose comparison a ledger remembers.
// Where an account has several ledgers, that of its first shop does.
func (all *Shops) comparedIn(l ledger.Ledger) (services []*Service) {
	for _, s := range all.ofAccounts(all.names()) {
		if s.Ledger == l {
			services = append(services, s)
		}
	}
	return services
}

func (all *Shops) names() (names []string) {
	all.mu.RLock()
	defer all.mu.RUnlock()
	for name := range all.byName {
		names = append(names, name)
	}
	return names
}

// compareDay makes the comparison of a day, unless somebody else does.
func (c *Comparer) compareDay(ctx context.Context, s *Service, day ledger.Day) (made bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, compareLimit)
	defer cancel()
	now := s.Now()
	leased, err := ledger.Update(ctx, c.Ledger, func(tx *ledger.Tx) (bool, error) {
		return tx.LeaseComparison(s.Account, day, now, now.Add(compareLease))
	})
	if err != nil || !leased {
		return false, err
	}
	found := s.Compare(ctx, ledger.Period{First: day, Last: day})
	if found.Problem != "" {
		c.tell(s, day, found)
		return false, errors.Join(errors.New(found.Problem), c.tellIncomplete(ctx, s, day, found))
	}
	ended, err := c.end(ctx, s, day, found)
	if err == nil && ended { // else somebody made it meanwhile, after our lease
		c.tell(s, day, found)
	}
	return true, err
}

// tell logs what was found, a line for each, and has others told.
func (c *Comparer) tell(s *Service, day ledger.Day, found Comparison) {
	s.Log.Info("compared", zap.String("shop", s.Shop), zap.Stringer("day", day),
		zap.Int("trades", found.Trades), zap.Int("here", found.Here), zap.Int("differences", found.Differences()))
	for _, one := range found.Findings[:min(len(found.Findings), mostLogged)] {
		one.log(s.Log)
	}
	c.Compared(s.Shop, found)
}

// log says a finding, at level ERROR where a person is needed.
func (f Finding) log(log *zap.Logger) {
	level := zap.ErrorLevel
	if f.Kind.IsSettled() {
		level = zap.WarnLevel
	}
	log.Log(level, "the gateway's list of trades and the ledger differ", zap.String("finding", f.Text),
		zap.String("kind", string(f.Kind)), zap.String("shop", f.Shop), zap.String("order", f.Order), zap.String("other", f.Other),
		zap.String("syssn", f.Syssn), zap.String("out_trade_no", f.OutTradeNo),
		zap.Int64("there", f.There), zap.Int64("here", f.Here), zap.String("currency", f.Currency))
}

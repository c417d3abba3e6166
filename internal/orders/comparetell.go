package orders

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// mostTold bounds how many findings of a comparison a message names.
const mostTold = 50

// end notes that a comparison is made and, where it differs, has the owners told,
// both or neither. It reports false if somebody else was faster.
func (c *Comparer) end(ctx context.Context, s *Service, day ledger.Day, found Comparison) (ended bool, err error) {
	told := false
	ended, err = ledger.Update(ctx, c.Ledger, func(tx *ledger.Tx) (bool, error) {
		now := s.Now()
		told = false
		ended, err := tx.EndComparison(s.Account, day, now, found.Differences())
		if err != nil || !ended || found.Differences() == 0 {
			return ended, err
		}
		told, err = c.tellOwners(tx, s, day, found, now)
		return true, err
	})
	if err == nil && told {
		c.Shops.Wake(c.Ledger)
	}
	return ended, err
}

// tellIncomplete has the owners told of a day that could not be compared, once: it is
// tried again. One that we ended, by stopping, is not told.
func (c *Comparer) tellIncomplete(ctx context.Context, s *Service, day ledger.Day, found Comparison) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	told, err := ledger.Update(ctx, c.Ledger, func(tx *ledger.Tx) (bool, error) { return c.tellOwners(tx, s, day, found, s.Now()) })
	if err == nil && told {
		c.Shops.Wake(c.Ledger)
	}
	return err
}

// tellOwners tells every shop of the account in this ledger.
func (c *Comparer) tellOwners(tx *ledger.Tx, s *Service, day ledger.Day, found Comparison, now time.Time) (told bool, err error) {
	id := MessageID(s.Account, "compared_"+day.String())
	if found.Problem != "" {
		id = MessageID(s.Account, "not_compared_"+day.String())
	}
	for _, shop := range c.Shops.ofAccount(s) {
		isTold, err := shop.tell(tx, message{subject: day.String(), event: EventCompared, id: id, data: comparisonData(shop.Shop, day, found)}, now)
		if err != nil {
			return false, err
		}
		told = told || isTold
	}
	return told, nil
}

// ofAccount returns the services of the same account and ledger.
func (all *Shops) ofAccount(s *Service) (services []*Service) {
	all.mu.RLock()
	defer all.mu.RUnlock()
	for _, other := range all.byAccount[s.Account] {
		if other.Ledger == s.Ledger {
			services = append(services, other)
		}
	}
	return services
}

// comparisonData is what events say of a comparison.
func comparisonData(shop string, day ledger.Day, found Comparison) map[string]any {
	findings := make([]map[string]any, 0, mostTold)
	for _, one := range found.Findings[:min(len(found.Findings), mostTold)] {
		findings = append(findings, map[string]any{"kind": string(one.Kind), "text": one.line()})
	}
	data := map[string]any{"shop": shop, "day": day.String(), "differences": found.Differences(), "findings": findings}
	if found.Problem != "" {
		data["problem"] = found.Problem
	}
	return data
}

// line says all of a finding.
func (f Finding) line() string {
	var about []string
	if f.Order != "" {
		about = append(about, "order "+f.Order)
	}
	if f.Syssn != "" {
		about = append(about, "syssn "+f.Syssn)
	}
	return strings.Join(about, ", ") + ", there " + amountOf(f.There, f.Currency) + ", here " + amountOf(f.Here, f.Currency) + ": " + f.Text
}

// amountOf writes an amount as a finding has it.
func amountOf(minor int64, currency string) string {
	if minor == 0 {
		return "nothing"
	}
	return currency + " " + qfpay.Decimal(minor, currency)
}

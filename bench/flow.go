package main

import (
	"fmt"
	"time"
)

// gatewayTime is what the gateway takes for each openid and payment call, where
// it is not said otherwise.
const gatewayTime = 50 * time.Millisecond

// flow measures whole payments, from the pay link to the receipt.
func (b *bench) flow() (section, error) {
	atOnce := pick(b, 128, 16)
	s := section{title: "Whole payments", about: fmt.Sprintf(`
%d payers at once, at a gateway that takes %v for an openid and for a payment: pay link, OAuth page, callback, Pay in the wallet, the
gateway's notification, and the return to the shop for a receipt. *Durable* writes three files for each payment before the redirect to the pay page,
where the plugin commits two transactions, and a fourth before it answers the notification, where the plugin commits a third; *minimal* and Flask remember nothing
and ask the gateway at the return. The second table ends with the redirect to the pay page.
`, atOnce, gatewayTime)}
	flasks, err := b.openFlasks()
	if err != nil {
		return s, err
	}
	whole := flowOf{b, atOnce, true}
	disk, err := whole.run(b.work, flasks)
	if err != nil {
		return s, err
	}
	half, err := flowOf{b, atOnce, false}.run(b.work, nil)
	if err != nil {
		return s, err
	}
	inMemory, err := whole.run(b.memory, nil)
	if err != nil {
		return s, err
	}
	floor := func(all []*contender) float64 { return of(all[1].turns, rate) / of(all[0].turns, rate) }
	beside := func(all []*contender, other *contender) float64 {
		return of(named(all, ours).turns, rate) / of(other.turns, rate)
	}
	s.claims = []claim{
		{what: "whole payments on disk beside durable: rate", target: 1, value: beside(disk, disk[0]), floor: floor(disk)},
		{what: "whole payments on disk beside minimal, which remembers nothing: rate", target: 0.85, value: beside(disk, named(disk, "minimal")), floor: floor(disk)},
		{what: "whole payments on disk beside durable: processor time", target: 1.2, most: true,
			value: of(named(disk, ours).turns, cpu) / of(disk[0].turns, cpu), floor: of(disk[1].turns, cpu) / of(disk[0].turns, cpu)},
		{what: "payments up to the pay page on disk beside durable: rate", target: 1, value: beside(half, half[0]), floor: floor(half)},
		{what: "whole payments on a memory disk beside durable: rate", target: 0.75, value: beside(inMemory, inMemory[0]), floor: floor(inMemory)},
	}
	if flask := best(disk, isFlask, rate); flask != nil {
		s.claims = append(s.claims, claim{what: "whole payments on disk beside the best Flask (" + flask.name + "): rate", target: 2.5, value: beside(disk, flask), floor: floor(disk)})
	}
	s.tables = []table{rateTable(disk, "payments on disk,"), rateTable(half, "to the pay page on disk,"), rateTable(inMemory, "payments in memory,")}
	s.charts = []chart{{name: "flow", title: "Whole payments per second, on disk", note: "longer is better", bars: barsOf(disk, rate, decimal)}}
	return s, nil
}

// flowOf is a way to measure payments.
type flowOf struct {
	*bench
	atOnce int
	whole  bool // to the receipt, not only to the pay page
}

// run measures on one disk. The first two are durable.
func (f flowOf) run(disk string, flasks []*shop) ([]*contender, error) {
	shops, err := f.openPrograms(disk)
	if err != nil {
		return nil, err
	}
	shops = append(shops, flasks...)
	var contenders []*contender
	for _, s := range shops {
		defer s.stop()
		if err := f.prove(s); err != nil {
			return nil, err
		}
		contenders = append(contenders, f.contender(s))
	}
	return contenders, alternate(pick(f.bench, 5, 1), f.warmUps(), contenders)
}

// openPrograms runs durable twice, the plugin and minimal.
func (b *bench) openPrograms(disk string) (shops []*shop, err error) {
	for _, open := range []func(folder string) (*shop, error){
		func(folder string) (*shop, error) { return b.openMinimal("durable", folder) },
		func(folder string) (*shop, error) { return b.openMinimal("durable, second process", folder) },
		b.openPlugin,
		func(string) (*shop, error) { return b.openMinimal("minimal", "") },
	} {
		folder, err := b.folder(disk)
		if err != nil {
			return nil, err
		}
		s, err := open(folder)
		if err != nil {
			return nil, err
		}
		shops = append(shops, s)
	}
	return shops, nil
}

func (f flowOf) contender(s *shop) *contender {
	c := &contender{name: s.name}
	if isFlask(s.name) {
		c.every = 2
	}
	span := pick(f.bench, 2000*time.Millisecond, 300*time.Millisecond)
	c.turn = func() (figures, error) {
		if err := f.gateway.slow(gatewayTime); err != nil {
			return figures{}, err
		}
		var open purchases
		result, err := f.measured(s, f.atOnce, span, func(p *payer) (time.Duration, error) {
			return timed(func() error {
				callback, err := p.begin()
				if err != nil {
					return err
				}
				payPage, err := p.call(callback)
				if err != nil {
					return err
				}
				if f.whole {
					return p.payAndReturn(payPage)
				}
				open.add(payPage)
				return nil
			})
		})
		if err != nil {
			return figures{}, err
		}
		return result, open.finish(s)
	}
	return c
}

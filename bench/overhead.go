package main

import (
	"fmt"
	"time"
)

// overhead measures callbacks, less the gateway's own time.
func (b *bench) overhead() (section, error) {
	atOnce := pick(b, 64, 16)
	s := section{title: "What the callback adds to the gateway's time", about: fmt.Sprintf(`
The callback, from the request to the redirect to the pay page, less the gateway's 2 × %v: one payer alone, who goes to one
shop after the other, and %d payers at once. Payments are paid between the rounds, when nothing is measured.
`, gatewayTime, atOnce)}
	shops, err := b.openPrograms(b.work)
	if err != nil {
		return s, err
	}
	flasks, err := b.openFlasks()
	if err != nil {
		return s, err
	}
	var together []*contender
	for _, shop := range append(shops, flasks...) {
		defer shop.stop()
		if err := b.prove(shop); err != nil {
			return s, err
		}
		together = append(together, b.callbacks(shop, atOnce))
	}
	alone, err := b.callbacksAlone(shops)
	if err != nil {
		return s, err
	}
	if err := alternate(pick(b, 5, 1), b.warmUps(), together); err != nil {
		return s, err
	}
	our, first, again := named(together, ours).turns, together[0].turns, together[1].turns
	s.claims = []claim{
		{what: "callback alone beside durable: median overhead", target: 1, most: true,
			value: of(named(alone, ours).turns, p50) / of(alone[0].turns, p50), floor: of(alone[1].turns, p50) / of(alone[0].turns, p50)},
		{what: fmt.Sprintf("callback at %d at once beside durable: median overhead", atOnce), target: 1, most: true,
			value: of(our, p50) / of(first, p50), floor: of(again, p50) / of(first, p50)},
		{what: fmt.Sprintf("callback at %d at once beside durable: p99 overhead", atOnce), target: 1, most: true,
			value: of(our, p99) / of(first, p99), floor: of(again, p99) / of(first, p99)},
	}
	if flask := best(together, isFlask, func(f figures) float64 { return -f.p50 }); flask != nil {
		s.claims = append(s.claims,
			claim{what: fmt.Sprintf("callback at %d at once: the best Flask's median overhead (%s) beside ours", atOnce, flask.name), target: 10,
				value: of(flask.turns, p50) / of(our, p50), floor: of(again, p50) / of(first, p50)},
			claim{what: fmt.Sprintf("callback at %d at once: the best Flask's p99 overhead (%s) beside ours", atOnce, flask.name), target: 10,
				value: of(flask.turns, p99) / of(our, p99), floor: of(again, p99) / of(first, p99)})
	}
	s.tables = []table{overheadTable("alone", alone), overheadTable(fmt.Sprintf("%d at once", atOnce), together)}
	s.charts = []chart{
		{name: "overhead", title: fmt.Sprintf("Callback at %d at once, median time beyond the gateway's", atOnce), note: "shorter is better", bars: barsOf(together, p50, milli)},
		{name: "overhead-alone", title: "Callback alone, median time beyond the gateway's", note: "shorter is better", bars: barsOf(alone, p50, milli)},
	}
	return s, nil
}

func overheadTable(head string, contenders []*contender) table {
	t := table{{head, "median overhead", "p99 overhead", "callbacks per second", "processor time per start and callback"}}
	for _, c := range contenders {
		perSecond := "" // alone, one shop waits for the others
		if of(c.turns, rate) > 0 {
			perSecond = decimal(of(c.turns, rate))
		}
		t = append(t, []string{c.name, milli(of(c.turns, p50)), milli(of(c.turns, p99)), perSecond, milli(of(c.turns, cpu))})
	}
	return t
}

// gatewayShare is what the gateway itself takes of a callback.
const gatewayShare = 2 * gatewayTime

// callbacks are made by many at once.
func (b *bench) callbacks(s *shop, atOnce int) *contender {
	c := &contender{name: s.name}
	if isFlask(s.name) {
		c.every = 2
	}
	span := pick(b, 3000*time.Millisecond, 400*time.Millisecond)
	c.turn = func() (figures, error) {
		if err := b.gateway.slow(gatewayTime); err != nil {
			return figures{}, err
		}
		var open purchases
		result, err := b.measured(s, atOnce, span, func(p *payer) (time.Duration, error) { return b.callOnce(p, &open) })
		if err != nil {
			return figures{}, err
		}
		return result, open.finish(s)
	}
	return c
}

// callOnce starts a payment and returns what its callback took beyond the
// gateway.
func (b *bench) callOnce(p *payer, open *purchases) (time.Duration, error) {
	callback, err := p.begin()
	if err != nil {
		return 0, err
	}
	var payPage string
	took, err := timed(func() (err error) {
		payPage, err = p.call(callback)
		return err
	})
	open.add(payPage)
	return took - gatewayShare, err
}

// callbacksAlone are made by one payer at one shop after the other.
func (b *bench) callbacksAlone(shops []*shop) ([]*contender, error) {
	var contenders []*contender
	for _, s := range shops {
		contenders = append(contenders, &contender{name: s.name})
	}
	if err := b.gateway.slow(gatewayTime); err != nil {
		return nil, err
	}
	for range b.warmUps() {
		if _, err := b.visitInTurn(shops, 5); err != nil {
			return nil, err
		}
	}
	for range pick(b, 7, 1) {
		turns, err := b.visitInTurn(shops, pick(b, 20, 3))
		if err != nil {
			return nil, err
		}
		for i, c := range contenders {
			c.turns = append(c.turns, turns[i])
		}
	}
	return contenders, nil
}

// visitInTurn is one round of a payer who visits all shops.
func (b *bench) visitInTurn(shops []*shop, visits int) ([]figures, error) {
	turns := make([]figures, len(shops))
	times := make([][]time.Duration, len(shops))
	places := make([]int, len(shops))
	payers := make([]*payer, len(shops))
	for i, s := range shops {
		places[i], payers[i] = i, newPayer(s)
		defer payers[i].leave()
	}
	for n := range visits {
		for _, i := range inTurn(places, n) {
			before, err := shops[i].cpu()
			if err != nil {
				return nil, err
			}
			var open purchases
			took, err := b.callOnce(payers[i], &open)
			if err != nil {
				return nil, shops[i].fails(err)
			}
			after, err := shops[i].cpu()
			if err != nil {
				return nil, err
			}
			times[i] = append(times[i], took)
			turns[i].cpu += (after - before).Seconds() / float64(visits)
			if err := open.finish(shops[i]); err != nil {
				return nil, err
			}
		}
	}
	for i := range shops {
		turns[i].p50, turns[i].p99 = quantile(seconds(times[i]), 0.50), quantile(seconds(times[i]), 0.99)
	}
	return turns, nil
}

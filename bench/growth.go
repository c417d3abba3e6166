package main

import (
	"fmt"
	"strings"
	"time"
)

// stations are what is timed at each archive.
var stations = []string{"callback", "notification", "status"}

// growth measures whether a payment takes longer when there were many before.
func (b *bench) growth() (section, error) {
	s := section{title: "Growth of the ledger", about: `
Caddy with the plugin over ledgers with 10 settled orders (twice), with 10,000 and with 1,000,000, spread over ten months, on disk. One payer goes to
each in turn: the callback (at a gateway without delay), the notification, and the status of the order that was just paid. Start-up is from the
start of the process to its first answer.
`}
	archives, err := b.openArchives(pick(b, []int{10, 10, 10_000, manyOrders}, []int{10, 10, 100, 1000}))
	if err != nil {
		return s, err
	}
	if err := b.startArchives(archives); err != nil {
		return s, err
	}
	if err := b.useArchives(archives); err != nil {
		return s, err
	}
	t := table{{"orders in the ledger", "callback", "notification", "status", "start-up"}}
	for _, a := range archives {
		row := []string{a.name}
		for _, station := range stations {
			row = append(row, micro(of(a.turns[station], p50)))
		}
		t = append(t, append(row, milli(of(a.starts, p50))))
	}
	s.tables = []table{t}
	few, again := archives[0], archives[1]
	for _, a := range archives[2:] {
		for _, station := range stations {
			s.claims = append(s.claims, claim{what: fmt.Sprintf("%s with %s orders beside %s: median time", station, a.name, few.name), target: 1.1, most: true,
				value: of(a.turns[station], p50) / of(few.turns[station], p50), floor: of(again.turns[station], p50) / of(few.turns[station], p50)})
		}
		s.claims = append(s.claims, claim{what: fmt.Sprintf("start-up with %s orders beside %s: median time", a.name, few.name), target: 1.1, most: true,
			value: of(a.starts, p50) / of(few.starts, p50), floor: of(again.starts, p50) / of(few.starts, p50)})
	}
	s.charts = []chart{growthChart(archives)}
	return s, nil
}

func growthChart(archives []*archive) chart {
	c := chart{name: "growth", title: "Callback and notification by orders in the ledger, median time", note: "shorter is better; equal is the aim"}
	for _, station := range stations[:2] {
		for _, a := range archives {
			value := of(a.turns[station], p50)
			c.bars = append(c.bars, bar{label: station + ", " + a.name, value: value, text: micro(value), ours: true})
		}
	}
	return c
}

// startArchives starts Caddy over each ledger in turn. The last ones stay.
func (b *bench) startArchives(archives []*archive) error {
	rounds := pick(b, 9, 1)
	for round := -b.warmUps(); round < rounds; round++ {
		for _, a := range inTurn(archives, round+b.warmUps()) {
			if a.shop != nil {
				a.stop()
			}
			var took time.Duration
			var err error
			if a.shop, took, err = b.startCaddy("ledger of "+a.name, b.plugin, a.folder, b.directive(a.folder)); err != nil {
				return err
			}
			if round >= 0 {
				a.starts = append(a.starts, figures{p50: took.Seconds()})
			}
			if round < rounds-1 {
				a.stop()
			}
		}
	}
	return nil
}

// useArchives lets one payer buy at each in turn.
func (b *bench) useArchives(archives []*archive) error {
	if err := b.gateway.slow(0); err != nil {
		return err
	}
	payers := make(map[*archive]*payer)
	for _, a := range archives {
		defer a.stop()
		payers[a] = newPayer(a.shop)
		defer payers[a].leave()
	}
	for round := -b.warmUps(); round < pick(b, 7, 1); round++ {
		times := make(map[*archive]map[string][]float64)
		for n := range pick(b, 40, 5) {
			for _, a := range inTurn(archives, n) {
				took, err := buyTimed(payers[a])
				if err != nil {
					return a.fails(err)
				}
				if times[a] == nil {
					times[a] = make(map[string][]float64)
				}
				for i, station := range stations {
					times[a][station] = append(times[a][station], took[i].Seconds())
				}
			}
		}
		for _, a := range archives {
			for _, station := range stations {
				if round >= 0 {
					a.turns[station] = append(a.turns[station], figures{p50: median(times[a][station])})
				}
			}
		}
	}
	return nil
}

// buyTimed returns how long each station of one payment took.
func buyTimed(p *payer) (took [3]time.Duration, err error) {
	callback, err := p.begin()
	if err != nil {
		return took, err
	}
	var payPage string
	if took[0], err = timed(func() (err error) { payPage, err = p.call(callback); return err }); err != nil {
		return took, err
	}
	back, err := wayBack(payPage)
	if err != nil {
		return took, err
	}
	notification, err := p.pay(orderIn(back))
	if err != nil {
		return took, err
	}
	if took[1], err = timed(func() error { return p.notify(notification) }); err != nil {
		return took, err
	}
	var got answer
	took[2], err = timed(func() (err error) {
		got, err = p.till.get("/pay/status/"+orderIn(back), nil)
		return err
	})
	if err == nil && !strings.Contains(string(got.body), `"status":"paid"`) {
		err = fmt.Errorf("the status of a paid order is %v", got)
	}
	return took, err
}

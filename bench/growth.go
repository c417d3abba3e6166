package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/checkout"
	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
	"github.com/caddy-qfpay/qfpay-jsapi/qfpay"
)

// archive is a shop whose ledger holds settled orders.
type archive struct {
	*shop
	name   string
	folder string
	starts []figures
	turns  map[string][]figures
}

// stations are what is timed at each archive.
var stations = []string{"callback", "notification", "status"}

// growth measures whether a payment takes longer when there were many before.
func (b *bench) growth() (section, error) {
	s := section{title: "Growth of the ledger", about: `
Caddy with the plugin over ledgers with 10 settled orders (twice), with 10,000 and with 100,000, spread over a hundred days, on disk. One payer goes to
each in turn: the callback (at a gateway without delay), the notification, and the status of the order that was just paid. Start-up is from the
start of the process to its first answer.
`}
	archives, err := b.openArchives(pick(b, []int{10, 10, 10_000, 100_000}, []int{10, 10, 100, 1000}))
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

// openArchives fills ledgers. Of equal sizes the second is called so.
func (b *bench) openArchives(sizes []int) (all []*archive, err error) {
	for i, size := range sizes {
		a := &archive{name: thousands(size), turns: make(map[string][]figures)}
		if i > 0 && sizes[i-1] == size {
			a.name += ", second process"
		}
		if a.folder, err = b.folder(b.work); err != nil {
			return nil, err
		}
		now := time.Now()
		for n := range size {
			at := now.AddDate(0, 0, -(n % 100)).Add(-time.Minute - time.Duration(n)*100*time.Millisecond)
			if err := writeSettled(filepath.Join(a.folder, "qfpay_jsapi", "bench"), at); err != nil {
				return nil, err
			}
		}
		all = append(all, a)
	}
	return all, settleDisk(all[0].folder)
}

// settleDisk waits until what was written is on the disk, so that nothing of it
// is measured.
func settleDisk(folder string) error {
	file, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Syncfs(int(file.Fd()))
}

// thousands writes 10000 as 10,000.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// writeSettled leaves what a paid order leaves of which the shop was told.
func writeSettled(root string, at time.Time) error {
	order := checkout.NewOrder(at)
	folder := filepath.Join(root, "orders", at.In(qfpay.HongKong).Format("2006/01/02"), order)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	const syssn = "20261123000200020000000001"
	payURL := "http://127.0.0.1/q/direct?" + strings.Repeat("x", 600)
	intent := ledger.Intent{
		At: at, Sent: at.Add(2 * time.Second), Amount: 12800, Currency: "HKD", Description: "Cat food 猫粮",
		Lines: []ledger.Line{{Item: "cat-food", Name: "Cat food 猫粮", Quantity: 1, Price: 12800}},
	}
	for name, fact := range map[string]any{
		"prepared":                         ledger.Prepared{At: at.Add(3 * time.Second), Syssn: syssn, PayURL: payURL, Intent: &intent},
		"paid":                             ledger.Paid{At: at.Add(20 * time.Second), PaidAt: at.Add(19 * time.Second), Syssn: syssn, Source: "notification"},
		"attempt-0123456789abcdef-paid-01": ledger.Attempt{At: at.Add(21 * time.Second), Status: http.StatusNoContent},
		"delivered-0123456789abcdef-paid":  ledger.Delivered{At: at.Add(21 * time.Second), Attempts: 1, Status: http.StatusNoContent},
	} {
		text, err := json.Marshal(fact)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name+".json"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
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
			if a.shop, took, err = b.startCaddy("ledger of "+a.name, b.plugin, a.folder, b.directive()); err != nil {
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
	if err := b.gateway.forget(0); err != nil {
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

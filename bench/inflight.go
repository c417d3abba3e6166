package main

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// waiting is how many callbacks wait at once.
const waiting = 2000

// slowGatewayTime is what the gateway takes for each call meanwhile.
const slowGatewayTime = 2 * time.Second

// inFlight measures what callbacks hold that wait for a slow gateway.
func (b *bench) inFlight() (section, error) {
	count := pick(b, waiting, 200)
	s := section{title: "Callbacks that wait", about: fmt.Sprintf(`
%d callbacks at once, while the gateway takes %v for the openid and %v for the payment. Memory is that of the whole process at its highest,
less what it held before, for each callback; it includes the connections on both sides.
`, count, slowGatewayTime, slowGatewayTime)}
	var contenders []*contender
	for _, open := range []struct {
		name string
		open func(folder string) (*shop, error)
	}{
		{"durable", func(folder string) (*shop, error) { return b.openMinimal("durable", folder) }},
		{"durable, second process", func(folder string) (*shop, error) { return b.openMinimal("durable, second process", folder) }},
		{ours, b.openPlugin},
	} {
		contenders = append(contenders, &contender{name: open.name, turn: func() (figures, error) {
			folder, err := b.folder(b.work)
			if err != nil {
				return figures{}, err
			}
			shop, err := open.open(folder)
			if err != nil {
				return figures{}, err
			}
			defer shop.stop()
			if err := b.prove(shop); err != nil {
				return figures{}, err
			}
			return b.waitTogether(shop, count)
		}})
	}
	if err := alternate(pick(b, 3, 1), 0, contenders); err != nil {
		return s, err
	}
	held := func(c *contender) float64 { return of(c.turns, memory) / float64(count) }
	s.claims = []claim{{what: fmt.Sprintf("memory for each of %d waiting callbacks, none of which failed, beside durable", count),
		target: 1.1, most: true,
		value: held(contenders[2]) / held(contenders[0]), floor: held(contenders[1]) / held(contenders[0])}}
	t := table{{fmt.Sprintf("%d at once", count), "memory for each", "slowest"}}
	for _, c := range contenders {
		t = append(t, []string{c.name, kilobytes(held(c)), fmt.Sprintf("%.2f s", of(c.turns, p99))})
	}
	s.tables = []table{t}
	s.charts = []chart{{name: "in-flight", title: "Memory for each waiting callback", note: "shorter is better",
		bars: barsOf(contenders, memory, func(m float64) string { return kilobytes(m / float64(count)) })}}
	return s, nil
}

// waitTogether sends payers to the callback at once. The process's memory is
// looked at all the while.
func (b *bench) waitTogether(s *shop, count int) (figures, error) {
	if err := b.gateway.slow(slowGatewayTime); err != nil {
		return figures{}, err
	}
	payers, callbacks := make([]*payer, count), make([]string, count)
	for i := range payers {
		payers[i] = newPayer(s)
		defer payers[i].leave()
		var err error
		if callbacks[i], err = payers[i].begin(); err != nil {
			return figures{}, s.fails(err)
		}
		payers[i].till.close() // they come back on connections of their own
		payers[i].gateway.close()
	}
	time.Sleep(pick(b, 1000*time.Millisecond, 100*time.Millisecond))
	before, err := s.processes[0].rss()
	if err != nil {
		return figures{}, err
	}
	var group sync.WaitGroup
	failures, times := make([]error, count), make([]time.Duration, count)
	for i, p := range payers {
		group.Go(func() {
			times[i], failures[i] = timed(func() error { _, err := p.call(callbacks[i]); return err })
		})
	}
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	if b.profiles != "" {
		time.Sleep(slowGatewayTime)
		if err := errors.Join(b.snapshot(s, "heap"), b.snapshot(s, "goroutine")); err != nil {
			return figures{}, err
		}
	}
	highest, err := s.highestMemory(done)
	<-done
	if err := errors.Join(failures...); err != nil {
		return figures{}, s.fails(err)
	}
	return figures{memory: float64(highest - before), p99: quantile(seconds(times), 1)}, err
}

// highestMemory looks at a shop's memory until something is done.
func (s *shop) highestMemory(done <-chan struct{}) (highest int64, err error) {
	for {
		held, err := s.processes[0].rss()
		if err != nil {
			return 0, err
		}
		highest = max(highest, held)
		select {
		case <-done:
			return highest, nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}

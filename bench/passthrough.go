package main

import (
	"fmt"
	"net/http"
	"os"
	"time"
)

// passThrough asks for a static file with and without the directive in turn,
// and compares how Caddies start and what they hold when nothing happens.
func (b *bench) passThrough() (section, error) {
	s := section{title: "Requests that are not ours", about: `
One connection asks four Caddies for a static file, one after the other: the same program without the directive, a second
process of that, with the directive, and with one of Caddy's own that does not match either (a *redir*), for what Caddy itself takes
for any directive. Start is from the start of the process to its first answer, and memory is that of the whole
process one second later; *Caddy as it is* is built without the plugin.
`}
	files, err := b.staticFiles()
	if err != nil {
		return s, err
	}
	starts, err := b.startUps()
	if err != nil {
		return s, err
	}
	without, again, with := files[0].turns, files[1].turns, files[2].turns
	s.claims = []claim{
		{what: "static file with the directive beside without: median time", target: 1.01, most: true,
			value: of(with, p50) / of(without, p50), floor: of(again, p50) / of(without, p50)},
		{what: "static file: processor time", target: 1.01, most: true,
			value: of(with, cpu) / of(without, cpu), floor: of(again, cpu) / of(without, cpu)},
	}
	first, second, directive := starts[0].turns, starts[1].turns, starts[2].turns
	s.claims = append(s.claims,
		claim{what: "start of the process, more than without the directive", target: 15, most: true, unit: "ms",
			value: (of(directive, p50) - of(first, p50)) * 1e3, floor: (of(second, p50) - of(first, p50)) * 1e3},
		claim{what: "idle memory, more than without the directive", target: 12, most: true, unit: "MB",
			value: (of(directive, memory) - of(first, memory)) / 1e6, floor: (of(second, memory) - of(first, memory)) / 1e6},
		claim{what: "idle memory of the build without a directive, more than Caddy as it is", target: 1, most: true, unit: "MB",
			value: (of(first, memory) - of(starts[3].turns, memory)) / 1e6, floor: (of(second, memory) - of(first, memory)) / 1e6})
	requests := table{{"static file", "median", "p99", "processor time"}}
	for _, c := range files {
		requests = append(requests, []string{c.name, micro(of(c.turns, p50)), micro(of(c.turns, p99)), micro(of(c.turns, cpu))})
	}
	idle := table{{"process", "start", "idle memory"}}
	for _, c := range starts {
		idle = append(idle, []string{c.name, milli(of(c.turns, p50)), megabytes(of(c.turns, memory))})
	}
	s.tables = []table{requests, idle}
	s.charts = []chart{{name: "pass-through", title: "A static file, median time", note: "shorter is better", bars: barsOf(files, p50, micro)}}
	return s, nil
}

func (b *bench) staticFiles() ([]*contender, error) {
	var contenders []*contender
	var lines []*line
	var shops []*shop
	for _, site := range []struct{ name, directive string }{
		{"without the directive", ""},
		{"without, second process", ""},
		{ours, b.directive(b.work)},
		{"without, but a redir", "redir /never /x"},
	} {
		s, err := b.openCaddy(site.name, b.plugin, b.work, site.directive)
		if err != nil {
			return nil, err
		}
		defer s.stop()
		contenders = append(contenders, &contender{name: site.name})
		line := newLine(s.address)
		defer line.close()
		shops, lines = append(shops, s), append(lines, line)
	}
	rounds, requests := pick(b, 40, 2), pick(b, 1500, 200)
	for round := -b.warmUps(); round < rounds; round++ {
		turns, err := b.askInTurn(shops, lines, requests)
		if err != nil {
			return nil, err
		}
		for i, c := range contenders {
			if round >= 0 {
				c.turns = append(c.turns, turns[i])
			}
		}
	}
	return contenders, nil
}

// askInTurn is one round: every server gets every so manieth request.
func (b *bench) askInTurn(shops []*shop, lines []*line, requests int) ([]figures, error) {
	times := make([][]time.Duration, len(shops))
	before := make([]time.Duration, len(shops))
	for i, s := range shops {
		var err error
		if before[i], err = s.cpu(); err != nil {
			return nil, err
		}
	}
	places := []int{0, 1, 2, 3}
	for n := range requests {
		for _, i := range inTurn(places, n) {
			took, err := timed(func() error { return askForPage(lines[i]) })
			if err != nil {
				return nil, shops[i].fails(err)
			}
			times[i] = append(times[i], took)
		}
	}
	turns := make([]figures, len(shops))
	for i, s := range shops {
		after, err := s.cpu()
		if err != nil {
			return nil, err
		}
		turns[i] = figures{
			p50: quantile(seconds(times[i]), 0.50),
			p99: quantile(seconds(times[i]), 0.99),
			cpu: (after - before[i]).Seconds() / float64(requests),
		}
	}
	return turns, nil
}

func askForPage(l *line) error {
	got, err := l.get("/", nil)
	if err == nil && (got.status != http.StatusOK || string(got.body) != page) {
		err = fmt.Errorf("the static page was answered with %v", got)
	}
	return err
}

// startUps starts and stops Caddies.
func (b *bench) startUps() ([]*contender, error) {
	contenders := []*contender{{name: "without the directive"}, {name: "without, second process"}, {name: ours}, {name: "Caddy as it is"}}
	binaries := []string{b.plugin, b.plugin, b.plugin, b.stock}
	for round := -b.warmUps(); round < pick(b, 8, 1); round++ {
		turns := make([]figures, len(contenders))
		var running []*shop
		for _, i := range inTurn([]int{0, 1, 2, 3}, round+b.warmUps()) {
			directive := ""
			if contenders[i].name == ours {
				directive = b.directive(b.work)
			}
			s, took, err := b.startCaddy(contenders[i].name, binaries[i], b.work, directive)
			if err != nil {
				return nil, err
			}
			defer s.stop()
			time.Sleep(pick(b, 1000*time.Millisecond, 100*time.Millisecond))
			held, err := s.processes[0].rss()
			if err != nil {
				return nil, err
			}
			turns[i] = figures{p50: took.Seconds(), memory: float64(held)}
			running = append(running, s)
		}
		for _, s := range running {
			s.stop()
		}
		for i, c := range contenders {
			if round >= 0 {
				c.turns = append(c.turns, turns[i])
			}
		}
	}
	return contenders, nil
}

// startCaddy runs a Caddy and returns how long it took to answer.
func (b *bench) startCaddy(name, binary, folder, directive string) (*shop, time.Duration, error) {
	s, file, err := b.prepareCaddy(name, folder, directive)
	if err != nil {
		return nil, 0, err
	}
	defer os.Remove(file)
	took, err := timed(func() error { return b.runCaddy(s, binary, file) })
	return s, took, err
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// shops measures what many shops in one Caddy cost when nobody buys.
func (b *bench) shops() (section, error) {
	count := pick(b, 1000, 50)
	s := section{title: "Many shops in one Caddy", about: fmt.Sprintf(`
One Caddy with %s sites, each with a host name and static files of its own, and each a shop with an account of its own, all in one SQLite ledger, by the smallest
block that there is; beside the same Caddy and sites without the directive, twice. Start is from the start of the process to its first answer. Memory is that of the whole process
%v later. Processor time and goroutines are of an idle process after that.
`, thousands(count), b.settleTime())}
	contenders := []*contender{{name: "without the directive"}, {name: "without, second process"}, {name: ours}}
	for _, c := range contenders {
		c.turn = func() (figures, error) { return b.idleShops(count, c.name == ours) }
	}
	if err := alternate(pick(b, 3, 1), 0, contenders); err != nil {
		return s, err
	}
	without, again, with := contenders[0].turns, contenders[1].turns, contenders[2].turns
	each := func(with []figures, one func(figures) float64) float64 {
		return (of(with, one) - of(without, one)) / float64(count)
	}
	s.claims = []claim{
		{what: fmt.Sprintf("memory of each of %s idle shops", thousands(count)), target: 25, most: true, unit: "KB", value: each(with, memory) / 1e3, floor: each(again, memory) / 1e3},
		{what: fmt.Sprintf("processor time of %s idle shops together", thousands(count)), target: 0.2, most: true, unit: "%",
			value: (of(with, cpu) - of(without, cpu)) * 100, floor: (of(again, cpu) - of(without, cpu)) * 100},
		{what: "goroutines of each of them", target: 0.05, most: true, unit: "goroutines", value: each(with, goroutines), floor: each(again, goroutines)},
		{what: fmt.Sprintf("start with %s shops beside the same without", thousands(count)), target: 2, most: true, value: of(with, p50) / of(without, p50), floor: of(again, p50) / of(without, p50)},
	}
	t := table{{"", "start", "idle memory", "processor time", "goroutines"}}
	for _, c := range contenders {
		t = append(t, []string{c.name, milli(of(c.turns, p50)), megabytes(of(c.turns, memory)), fmt.Sprintf("%.3f %%", of(c.turns, cpu)*100), decimal(of(c.turns, goroutines))})
	}
	s.tables = []table{t}
	return s, nil
}

// settleTime is how long a Caddy is left alone before it is looked at: it asks the
// gateway about each account when it has started.
func (b *bench) settleTime() time.Duration {
	return pick(b, 25*time.Second, 500*time.Millisecond)
}

// idleShops starts a Caddy with many sites and lets it idle.
func (b *bench) idleShops(count int, areShops bool) (f figures, err error) {
	folder, err := b.folder(b.work)
	if err != nil {
		return f, err
	}
	s := &shop{name: "without", address: freeAddress(), admin: freeAddress(), gateway: b.gateway.address}
	if areShops {
		s.name = ours
	}
	file, err := b.writeCaddyfile(s, folder, b.manySites(s, count, areShops))
	if err != nil {
		return f, err
	}
	defer s.stop()
	took, err := timed(func() error { return b.runCaddy(s, b.plugin, file) })
	if err != nil {
		return f, err
	}
	f.p50 = took.Seconds()
	time.Sleep(b.settleTime())
	if f.goroutines, err = s.countGoroutines(); err != nil {
		return f, err
	}
	held, err := s.processes[0].rss()
	if err != nil {
		return f, err
	}
	f.memory = float64(held)
	before, err := s.cpu()
	if err != nil {
		return f, err
	}
	span := pick(b, 10*time.Second, time.Second)
	time.Sleep(span)
	after, err := s.cpu()
	f.cpu = (after - before).Seconds() / span.Seconds()
	if err == nil && areShops {
		err = s.countShops(count)
	}
	return f, err
}

// manySites are the sites of a Caddyfile, and one that answers at the address of
// the shop itself.
func (b *bench) manySites(s *shop, count int, areShops bool) string {
	_, port, _ := strings.Cut(s.address, ":")
	var text strings.Builder
	fmt.Fprintf(&text, "http://%s {\n\troot %s\n\tfile_server\n}\n", s.address, b.site)
	for n := range count {
		name, directive := fmt.Sprintf("shop%04d", n), ""
		if areShops {
			directive = smallShop("APP"+name, b.gateway.address)
		}
		fmt.Fprintf(&text, "http://%s.example:%s {\n\tbind 127.0.0.1\n\t%s\n\troot %s\n\tfile_server\n}\n", name, port, directive, b.site)
	}
	return text.String()
}

// smallShop is the smallest block, at the simulated gateway, which refuses the account
// when Caddy asks about it after the start.
func smallShop(account, gateway string) string {
	return fmt.Sprintf(`qfpay_jsapi {
		environment http://%s
		app_code %s
		client_key {env.%s}
		merchant_name "Harbour Pets"
		currency HKD
		item cat-food 128.00 "Cat food 猫粮"
	}`, gateway, account, keyVariable)
}

// fromAdmin asks Caddy's admin API.
func (s *shop) fromAdmin(path string) (body []byte, err error) {
	client := newLine(s.admin)
	defer client.close()
	got, err := client.get(path, nil)
	if err == nil && got.status != http.StatusOK {
		err = fmt.Errorf("the admin API answered %s with %v", path, got)
	}
	return got.body, err
}

func (s *shop) countGoroutines() (count float64, err error) {
	text, err := s.fromAdmin("/debug/pprof/goroutine?debug=1")
	if err == nil {
		_, err = fmt.Sscanf(string(text), "goroutine profile: total %f", &count)
	}
	return count, err
}

// countShops fails unless there are as many shops as there should be.
func (s *shop) countShops(want int) error {
	text, err := s.fromAdmin("/qfpay_jsapi/shops")
	if err != nil {
		return s.fails(err)
	}
	var known struct{ Shops []json.RawMessage }
	if err := json.Unmarshal(text, &known); err != nil {
		return s.fails(fmt.Errorf("%w in %.200q", err, text))
	}
	if len(known.Shops) != want {
		return s.fails(fmt.Errorf("there are %d shops instead of %d", len(known.Shops), want))
	}
	return nil
}

package main

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// view is something that the owner looks at.
type view struct {
	name  string
	admin bool   // through the admin API; otherwise on the orders page
	path  string // and query
	most  time.Duration
	sign  string // in every right answer
	lines int    // that a right answer has, about; 0 if that is not looked at

	first, again []figures
}

// lists measures what the owner looks at in a ledger of many orders.
func (b *bench) lists() (section, error) {
	size := pick(b, manyOrders, 3000)
	month := lastMonth(time.Now())
	sold := int(float64(size) * month.Last.Next().Start().Sub(month.First.Start()).Hours() / 24 / archiveDays)
	s := section{title: "Lists, pages and exports", about: fmt.Sprintf(`
A ledger of %s orders of ten months, on disk, of which %s are of last month. One client asks a running Caddy, through the admin API and on the
orders page. *The first time* is the first request after a start of Caddy, when the system does not have the ledger's file in memory either; *again*
is the median of more requests of the same.
`, thousands(size), thousands(sold/100*100))}
	folder, err := b.filledFolder(size, 0)
	if err != nil {
		return s, err
	}
	views := viewsOf(month, sold)
	for round := -b.warmUps(); round < pick(b, 5, 1); round++ {
		for i := range views {
			if err := b.look(folder, &views[i], round >= 0); err != nil {
				return s, fmt.Errorf("%s: %w", views[i].name, err)
			}
		}
	}
	t := table{{"", "the first time", "again", "processor time again"}}
	for _, v := range views {
		t = append(t, []string{v.name, milli(of(v.first, p50)), milli(of(v.again, p50)), milli(of(v.again, cpu))})
		if v.most == 0 {
			continue
		}
		for _, c := range []struct {
			what  string
			turns []figures
		}{{", the first time", v.first}, {", again", v.again}} {
			s.claims = append(s.claims, claim{what: v.name + c.what, target: v.most.Seconds() * 1e3, most: true, unit: "ms", value: of(c.turns, p50) * 1e3, floor: math.NaN()})
		}
	}
	s.tables = []table{t}
	return s, nil
}

func lastMonth(now time.Time) ledger.Period {
	year, month, _ := ledger.DayOf(now).Start().Date()
	begin := func(month time.Month) ledger.Day {
		return ledger.DayOf(time.Date(year, month, 1, 0, 0, 0, 0, ledger.DayOf(now).Start().Location()))
	}
	return ledger.Period{First: begin(month - 1), Last: begin(month).Previous()}
}

func viewsOf(month ledger.Period, sold int) []view {
	day, period := "day="+month.First.Next().String(), fmt.Sprintf("from=%s&to=%s", month.First, month.Last)
	return []view{
		{name: "a day's list (admin API)", admin: true, path: "/qfpay_jsapi/orders?" + day, most: 5 * time.Millisecond, sign: `"orders":`},
		{name: "the page of a day", path: "/orders?" + day, most: 5 * time.Millisecond, sign: "<table"},
		{name: "the page of the month", path: "/orders?" + period, most: 50 * time.Millisecond, sign: "<table"},
		{name: "the month as CSV", path: "/orders?" + period + "&format=csv", most: 500 * time.Millisecond, sign: "Cat food", lines: sold + 1},
		{name: "the month as JSON Lines (admin API)", admin: true, path: "/qfpay_jsapi/export?" + period, most: 500 * time.Millisecond, sign: shopName, lines: sold},
		{name: "the page of the month, searched for a text", path: "/orders?" + period + "&q=no-such-order", sign: "<form"},
	}
}

// look starts Caddy and looks at a view for the first time, and again.
func (b *bench) look(folder string, v *view, counts bool) error {
	if err := forgetFiles(folder); err != nil {
		return err
	}
	s, err := b.openCaddy(ours, b.plugin, folder, b.directive(folder)+"\n\tqfpay_orders /orders {\n\t\tinsecure_without_auth\n\t}")
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.processes[0].ready(s.admin, "/qfpay_jsapi/shops"); err != nil { // Caddy serves before its admin API knows
		return err
	}
	address := s.address
	if v.admin {
		address = s.admin
	}
	client := newLine(address)
	defer client.close()
	first, err := v.ask(client)
	if err != nil {
		return s.fails(err)
	}
	before, err := s.cpu()
	if err != nil {
		return err
	}
	times := make([]float64, pick(b, 5, 1))
	for i := range times {
		took, err := v.ask(client)
		if err != nil {
			return s.fails(err)
		}
		times[i] = took.Seconds()
	}
	after, err := s.cpu()
	if err == nil && counts {
		v.first = append(v.first, figures{p50: first.Seconds()})
		v.again = append(v.again, figures{p50: median(times), cpu: (after - before).Seconds() / float64(len(times))})
	}
	return err
}

// ask looks once, and checks what it sees.
func (v view) ask(client *line) (time.Duration, error) {
	var got answer
	took, err := timed(func() (err error) {
		got, err = client.get(v.path, nil)
		return err
	})
	switch lines := bytes.Count(got.body, []byte("\n")); {
	case err != nil:
	case got.status != http.StatusOK || !bytes.Contains(got.body, []byte(v.sign)):
		err = fmt.Errorf("%s was answered with %v", v.path, got)
	case v.lines > 0 && (lines < v.lines-2 || lines > v.lines+2):
		err = fmt.Errorf("%s was answered with %d lines instead of %d", v.path, lines, v.lines)
	}
	return took, err
}

// forgetFiles has the system drop the files of a folder from its memory.
func forgetFiles(folder string) error {
	if err := settleDisk(folder); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(folder, "*.db*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		err = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
		file.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

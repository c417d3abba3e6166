package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// What `scale` is asked for, beside -short.
var (
	scaleShops = flag.Int("scale-shops", 10_000, "how many shops scale has")
	scaleFor   = flag.Duration("scale-for", 10*time.Minute, "how long scale has payers buy, with each database")
)

// scale measures many shops at all of which somebody buys.
func (b *bench) scale() (section, error) {
	p := plan{shops: pick(b, *scaleShops, 20), every: pick(b, time.Minute, time.Second), span: pick(b, *scaleFor, 2*time.Second)}
	s := section{title: "Many shops that sell", file: "scale.md", about: fmt.Sprintf(`
%s shops, each with a host name, an account and a webhook of its own, in one Caddyfile and one ledger. Unless each is a site, %d shops are one: a site for
all names of a domain, with a handle for each shop. Each account has a simulator of its own, which keeps
to the gateway's limit of 100 calls a second and 400 a minute. Somebody buys at every shop once in %v, for %v (%v where each shop is a site): %s payments a second, at even distances, whether
or not those before are done. They have %d connections to each node; each request goes to the next node. The gateway takes %v for an openid and for a payment. Payers pay at once; of one payment in %d
the gateway tells nobody, and its payer does not come back: an enquiry finds it, %v after the order became payable.
*Known* is the time of the event in the ledger, which the webhook carries. One process receives all webhooks, and is the one that buys too; it closes connections that carry nothing for %v.
`, thousands(p.shops), groupSize, p.every, p.span, min(p.span, aloneTime), decimal(p.perSecond()), mostBuyers, gatewayTime, silentEvery, firstEnquiry, hookIdleTime)}
	if err := errors.Join(os.Setenv(hookVariable, hookSecret), b.gateway.slow(gatewayTime)); err != nil {
		return s, err
	}
	server, err := startPostgres()
	if err != nil {
		return s, err
	}
	defer server.stop()
	if b.clustered, err = b.build("shop-postgres"); err != nil {
		return s, err
	}
	var runs []*scaleRun
	for _, run := range []*scaleRun{
		{name: "SQLite, one node, a site for each shop", count: 1, alone: true, ledger: b.newScaleSQLite},
		{name: "SQLite, one node", count: 1, ledger: b.newScaleSQLite},
		{name: "PostgreSQL, two nodes", count: 2, ledger: func() (*scaleLedger, error) { return newScalePostgres(server) }},
	} {
		run.bench, run.plan = b, p
		if run.alone {
			run.plan.span = min(p.span, aloneTime)
		}
		if err := run.measure(); err != nil {
			return s, fmt.Errorf("%s: %w", run.name, err)
		}
		fmt.Fprintf(os.Stderr, "scale: %s done, %d payments, %d failures\n", run.name, run.made, len(run.failures))
		runs = append(runs, run)
		s.tables, s.claims = scaleTables(runs), scaleClaims(runs)
		if err := b.write([]section{s}); err != nil { // should the next one fail after so long
			return s, err
		}
	}
	return s, nil
}

// aloneTime is how long payers buy where Caddy looks for the right site the longest.
const aloneTime = time.Minute

// firstEnquiry is when the plugin first asks about an order, after it became payable.
const firstEnquiry = 5 * time.Second

// scaleRun is one way of running the shops.
type scaleRun struct {
	*bench
	plan   plan
	name   string
	alone  bool // each shop is a site of its own; otherwise many have one in common
	count  int  // of nodes
	ledger func() (*scaleLedger, error)

	fileSize      float64         // bytes of a Caddyfile
	loads         []time.Duration // one for each node, as the next three
	idle          []float64       // bytes
	highest, last []float64
	metrics       time.Duration // one look at a node's metrics
	metricsSize   float64       // bytes of it
	reload        time.Duration
	reloaded      float64 // bytes that the node holds after it
	idleCPU       float64 // of a core, of all nodes
	connections   int64   // to the receiver of webhooks

	purchases []*purchase
	took      time.Duration
	nodesCPU  time.Duration
	dataCPU   time.Duration
	restCPU   time.Duration // of whatever else the machine did
	otherCPU  time.Duration // of the gateway, the load and the receiver
	made      int           // paid at the gateway
	refused   int64         // calls, by the gateway's limits
	heard     map[string]heard
	again     int
	books     books
	failures  []error
}

func (r *scaleRun) measure() error {
	hooks, err := openHooks()
	if err != nil {
		return err
	}
	defer hooks.close()
	ledger, err := r.ledger()
	if err != nil {
		return err
	}
	var all nodes
	defer func() { all.stop() }()
	for i := range r.count {
		n, err := r.openNode(fmt.Sprintf("node %d", i+1), ledger.engine, hooks)
		if err != nil {
			return err
		}
		all, r.loads, r.fileSize = append(all, n), append(r.loads, n.load), n.fileSize
	}
	if err := r.beIdle(all); err != nil {
		return err
	}
	empty, err := ledger.read()
	if err != nil {
		return err
	}
	if err := r.sell(all, ledger, hooks); err != nil {
		return err
	}
	if r.last, err = all.memory(); err != nil {
		return err
	}
	if r.books, err = ledger.read(); err != nil {
		return err
	}
	r.books.bytes -= empty.bytes
	r.judge(hooks)
	if r.metrics, err = timed(func() error {
		text, err := all[0].fromAdmin("/metrics")
		r.metricsSize = float64(len(text))
		return err
	}); err != nil {
		return all[0].fails(err)
	}
	if r.reload, err = all[0].reload(); err != nil {
		return all[0].fails(err)
	}
	held, err := all[0].processes[0].rss()
	r.reloaded = float64(held)
	return err
}

// beIdle leaves the nodes alone, until the check of the accounts at the start is
// over.
func (r *scaleRun) beIdle(all nodes) (err error) {
	time.Sleep(pick(r.bench, 20*time.Second, 500*time.Millisecond))
	span := pick(r.bench, 10*time.Second, 500*time.Millisecond)
	before, err := cpuOf(all.shops())
	if err != nil {
		return err
	}
	time.Sleep(span)
	after, err := cpuOf(all.shops())
	if err != nil {
		return err
	}
	r.idleCPU = (after - before).Seconds() / span.Seconds()
	r.idle, err = all.memory()
	return err
}

// sell has payers buy, and waits until all is known and told.
func (r *scaleRun) sell(all nodes, ledger *scaleLedger, hooks *hooks) error {
	atGateway, err := r.gateway.tally()
	if err != nil {
		return err
	}
	before, err := r.used(all, ledger)
	if err != nil {
		return err
	}
	watched := all.watchMemory()
	profiled := r.profile(all[0])
	r.purchases, r.took = r.plan.run(all.shops())
	after, err := r.used(all, ledger)
	if err := errors.Join(err, profiled()); err != nil {
		return err
	}
	r.nodesCPU, r.dataCPU, r.otherCPU = after[0]-before[0], after[1]-before[1], after[2]-before[2]
	r.restCPU = max(0, after[3]-before[3]-r.nodesCPU-r.dataCPU-r.otherCPU)
	for _, p := range r.purchases {
		if !p.paid.IsZero() {
			r.made++
		}
	}
	r.connections = hooks.open.Load()
	hooks.await(r.made, pick(r.bench, 90*time.Second, 20*time.Second))
	time.Sleep(time.Second) // until the last of them is in the ledger
	r.highest = watched()
	atEnd, err := r.gateway.tally()
	r.refused = atEnd.Refused - atGateway.Refused
	return err
}

// used is the processor time so far of the nodes, of the database, of what plays the
// world around them, and of the whole machine.
func (r *scaleRun) used(all nodes, ledger *scaleLedger) (used [4]time.Duration, err error) {
	var failed [5]error
	used[0], failed[0] = cpuOf(all.shops())
	used[1], failed[1] = ledger.cpu()
	used[2], failed[2] = r.gateway.cpu()
	var own unix.Timespec
	failed[3] = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &own)
	used[2] += time.Duration(own.Nano())
	used[3], failed[4] = machineCPU()
	return used, errors.Join(failed[:]...)
}

// machineCPU is the time for which the processors were not idle. The kernel counts it
// in hundredths of a second.
func machineCPU() (busy time.Duration, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system, idle, waiting, interrupts, soft int64
	if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &waiting, &interrupts, &soft); err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	return time.Duration(user+nice+system+interrupts+soft) * 10 * time.Millisecond, nil
}

func cpuOf(shops []*shop) (sum time.Duration, err error) {
	for _, s := range shops {
		used, err := s.cpu()
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// profile takes a profile of a node in the middle of the load, if one is asked for,
// and returns how to wait for it.
func (r *scaleRun) profile(n *node) (wait func() error) {
	if r.profiles == "" {
		return func() error { return nil }
	}
	r.profiled++
	done := make(chan error, 1)
	go func() {
		time.Sleep(r.plan.span / 3)
		done <- errors.Join(r.fetchProfile(n.shop, "profile", min(r.plan.span/3, 30*time.Second)), r.fetch(n.shop, "heap", ""))
	}()
	return func() error { return <-done }
}

// judge looks for all that is not as it has to be.
func (r *scaleRun) judge(hooks *hooks) {
	hooks.mu.Lock()
	defer hooks.mu.Unlock()
	r.heard, r.again = hooks.heard, hooks.again
	for _, wrong := range hooks.wrong {
		r.failures = append(r.failures, errors.New(wrong))
	}
	want := make(map[string]int)
	for _, p := range r.purchases {
		if p.err != nil {
			r.failures = append(r.failures, p.err)
		}
		if p.paid.IsZero() {
			continue
		}
		want[scaleName(p.shop)]++
		if _, told := r.heard[p.order]; !told {
			r.failures = append(r.failures, fmt.Errorf("no webhook told of order %s of %s", p.order, scaleName(p.shop)))
		}
	}
	for n := range r.plan.shops {
		if name := scaleName(n); r.books.paid[name] != want[name] {
			r.failures = append(r.failures, fmt.Errorf("%s was paid %d times, and %d of its orders are paid in the ledger", name, want[name], r.books.paid[name]))
		}
	}
	for _, failure := range r.failures[:min(len(r.failures), 5)] {
		fmt.Fprintln(os.Stderr, "scale:", failure)
	}
}

package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// What the configuration of many shops takes from the environment.
const (
	hookVariable   = "BENCH_WEBHOOK_SECRET"
	ledgerVariable = "BENCH_LEDGER"

	hookSecret = "whsec_bm90LWEtc2VjcmV0LWZvci1iZW5jaG1hcmtzLW9ubHk="
)

// groupSize is how many shops have a domain in common.
const groupSize = 100

// scaleName is the name of one of many shops in their ledger, scaleHost that of its
// site, and groupDomain the one that it has in common with others.
func scaleName(n int) string   { return fmt.Sprintf("shop%05d", n) }
func scaleHost(n int) string   { return scaleName(n) + "." + groupDomain(n/groupSize) }
func groupDomain(n int) string { return fmt.Sprintf("group%03d.example", n) }

// node is a Caddy with many shops.
type node struct {
	*shop
	file     string // its Caddyfile
	fileSize float64
	load     time.Duration // from its start until it knows all shops
}

// openScaleNode starts a Caddy with many shops.
func (r *scaleRun) openNode(name, ledger string, hooks *hooks) (*node, error) {
	folder, err := r.folder(r.work)
	if err != nil {
		return nil, err
	}
	n := &node{shop: &shop{name: name, address: freeAddress(), admin: freeAddress(), gateway: r.gateway.address}}
	sites := r.sites(n.shop, ledger, hooks)
	n.fileSize = float64(len(sites))
	if n.file, err = r.writeCaddyfile(n.shop, folder, sites); err != nil {
		return nil, err
	}
	n.load, err = timed(func() error { return r.startScaleNode(n, r.plan.shops) })
	return n, err
}

// loadTime bounds how long a node may take to load many shops.
const loadTime = 5 * time.Minute

// startScaleNode returns when the node knows all its shops. It answers requests
// before.
func (b *bench) startScaleNode(n *node, count int) error {
	err := b.runCaddy(n.shop, b.clustered, n.file)
	if len(n.processes) == 0 {
		return err
	}
	for end := time.Now().Add(loadTime); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = n.countShops(count); err == nil {
			return nil
		}
	}
	return err
}

// sites are those of all shops: one for each of them, or one for each group.
func (r *scaleRun) sites(s *shop, ledger string, hooks *hooks) string {
	_, port, _ := strings.Cut(s.address, ":")
	var text strings.Builder
	site := func(host, shops string) {
		fmt.Fprintf(&text, "http://%s:%s {\n\tbind 127.0.0.1\n%s\troot %s\n\tfile_server\n}\n", host, port, shops, r.site)
	}
	site("127.0.0.1", "")
	if r.alone {
		for n := range r.plan.shops {
			site(scaleHost(n), "\t"+r.block(n, ledger, hooks)+"\n")
		}
		return text.String()
	}
	for first := 0; first < r.plan.shops; first += groupSize {
		var shops strings.Builder
		for n := first; n < min(first+groupSize, r.plan.shops); n++ {
			fmt.Fprintf(&shops, "\t@%s host %s\n\thandle @%[1]s {\n\t\t%[3]s\n\t}\n", scaleName(n), scaleHost(n), r.block(n, ledger, hooks))
		}
		site("*."+groupDomain(first/groupSize), shops.String())
	}
	return text.String()
}

// block is a shop with an account and a webhook of its own.
func (r *scaleRun) block(n int, ledger string, hooks *hooks) string {
	block := strings.TrimSuffix(r.directiveOf(scaleName(n), scaleAccount(n), ledger), "}")
	return fmt.Sprintf("%s\tpublic_url http://%s\n\t\twebhook %s {env.%s}\n\t}", block, scaleHost(n), hooks.link(n), hookVariable)
}

// reload has the node load its configuration once more.
func (n *node) reload() (time.Duration, error) {
	text, err := os.ReadFile(n.file)
	if err != nil {
		return 0, err
	}
	admin := newLine(n.admin)
	defer admin.close()
	return timed(func() error {
		got, err := admin.post("/load", "text/caddyfile", "Cache-Control", "must-revalidate", text)
		if err == nil && got.status != http.StatusOK {
			err = fmt.Errorf("the admin API answered a reload with %v", got)
		}
		return err
	})
}

// nodes of one ledger.
type nodes []*node

func (all nodes) shops() (shops []*shop) {
	for _, n := range all {
		shops = append(shops, n.shop)
	}
	return shops
}

func (all nodes) stop() {
	for _, n := range all {
		n.stop()
	}
}

// memory is what each node holds, in bytes.
func (all nodes) memory() (held []float64, err error) {
	for _, n := range all {
		one, failed := n.processes[0].rss()
		held, err = append(held, float64(one)), errors.Join(err, failed)
	}
	return held, err
}

// watchMemory looks at the nodes' memory until it is stopped, and then says what
// the most was that each held.
func (all nodes) watchMemory() (stop func() []float64) {
	done, most := make(chan struct{}), make(chan []float64)
	go func() {
		highest := make([]float64, len(all))
		for {
			held, err := all.memory()
			for i := range held {
				highest[i] = max(highest[i], held[i])
			}
			select {
			case <-done:
				most <- highest
				return
			case <-time.After(time.Second):
			}
			if err != nil { // a node that has ended shows elsewhere
				<-done
				most <- highest
				return
			}
		}
	}()
	return func() []float64 {
		close(done)
		return <-most
	}
}

package main

import (
	"sync"
	"time"
)

// plan says when somebody buys: at each shop once in every, at even distances,
// whether or not those before are done.
type plan struct {
	shops       int
	every, span time.Duration
}

const (
	// mostBuyers bounds how many buy at once; others wait for one to be done.
	mostBuyers = 500

	// silentEvery is the distance of purchases of which the gateway tells nobody.
	silentEvery = 10
)

// count is how many purchases are planned.
func (p plan) count() int { return int(int64(p.shops) * int64(p.span) / int64(p.every)) }

// at is when a purchase is due after the beginning.
func (p plan) at(n int) time.Duration {
	return time.Duration(int64(n) * int64(p.every) / int64(p.shops))
}

// perSecond is how many purchases are due in a second.
func (p plan) perSecond() float64 { return float64(p.shops) / p.every.Seconds() }

// purchase is the n-th. Shops take turns, and so do those that are silent.
func (p plan) purchase(n int) *purchase {
	return &purchase{shop: n % p.shops, silent: (n+n/p.shops)%silentEvery == silentEvery-1}
}

// run makes the purchases, and returns those that were begun before the end, when
// the last of them is done, with the time from the first to then.
func (p plan) run(nodes []*shop) (begun []*purchase, took time.Duration) {
	free := make(chan *buyer, mostBuyers)
	for range mostBuyers {
		free <- newBuyer(nodes)
	}
	began := time.Now()
	var group sync.WaitGroup
	for n := range p.count() {
		time.Sleep(time.Until(began.Add(p.at(n))))
		b := <-free
		if time.Since(began) >= p.span { // the machine cannot keep up
			free <- b
			break
		}
		bought := p.purchase(n)
		bought.late = time.Since(began) - p.at(n)
		begun = append(begun, bought)
		group.Go(func() {
			bought.err = b.buy(bought)
			free <- b
		})
	}
	group.Wait()
	took = time.Since(began)
	for range mostBuyers {
		(<-free).leave()
	}
	return begun, took
}

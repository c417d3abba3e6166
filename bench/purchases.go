package main

import (
	"sync"
)

// purchases have come as far as the pay page.
type purchases struct {
	mu       sync.Mutex
	payPages []string
}

func (o *purchases) add(payPage string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.payPages = append(o.payPages, payPage)
}

// next takes one out.
func (o *purchases) next() (payPage string, found bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := len(o.payPages) - 1
	if last < 0 {
		return "", false
	}
	payPage = o.payPages[last]
	o.payPages = o.payPages[:last]
	return payPage, true
}

// finish pays them all, when nothing is measured, so that the next round finds
// no more open orders than this one.
func (o *purchases) finish(s *shop) error {
	var group sync.WaitGroup
	var failed error
	var once sync.Once
	for range 16 {
		group.Go(func() {
			p := newPayer(s)
			defer p.leave()
			for payPage, found := o.next(); found; payPage, found = o.next() {
				if err := p.payAndReturn(payPage); err != nil {
					once.Do(func() { failed = s.fails(err) })
					return
				}
			}
		})
	}
	group.Wait()
	return failed
}

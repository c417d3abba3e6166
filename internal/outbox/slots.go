package outbox

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/caddy-qfpay/qfpay-jsapi/internal/ledger"
)

// allSlots is how many attempts run at once in all.
const allSlots = 256

// slots are the places for attempts. Each endpoint has its own, so that one that
// hangs delays no other, and nothing is leased that would have to wait here.
type slots struct {
	mu        sync.Mutex
	endpoints map[ledger.Destination]*endpoint
	busy      int // of allSlots
}

// endpoint is a receiver with its slots.
type endpoint struct {
	ledger.Destination
	receiver Receiver
	terms    Terms
	busy     int       // of the slots of its terms; under the mutex of slots
	sweepAt  time.Time // if it is gone: when what waits for it is looked at next; under the mutex of slots
}

// replace sets the endpoints. Attempts at those before may still run.
func (s *slots) replace(by map[ledger.Destination]Receiver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endpoints = make(map[ledger.Destination]*endpoint, len(by))
	for destination, receiver := range by {
		s.endpoints[destination] = &endpoint{Destination: destination, receiver: receiver, terms: receiver.Terms()}
	}
}

func (s *slots) receivers() (all []Receiver) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.endpoints {
		all = append(all, e.receiver)
	}
	return all
}

// grant are slots of an endpoint that have been taken.
type grant struct {
	*endpoint
	slots int
}

// take takes the free slots of those of the endpoints that are known here and
// not gone. Those with the fewest attempts running come first, so that a few
// endpoints that hang leave room for the others.
func (s *slots) take(due []ledger.Destination) (grants []grant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var known []*endpoint
	for _, destination := range due {
		if e := s.endpoints[destination]; e != nil && e.sweepAt.IsZero() {
			known = append(known, e)
		}
	}
	slices.SortStableFunc(known, func(a, b *endpoint) int { return cmp.Compare(a.busy, b.busy) })
	for _, e := range known {
		free := min(e.terms.Slots-e.busy, allSlots-s.busy)
		if free > 0 {
			e.busy += free
			s.busy += free
			grants = append(grants, grant{e, free})
		}
	}
	return grants
}

// release gives slots back.
func (s *slots) release(e *endpoint, slots int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.busy -= slots
	s.busy -= slots
}

// close says that an endpoint is gone. Its deliveries wait; they are looked at
// when sweepAt has come.
func (s *slots) close(e *endpoint, sweepAt time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.sweepAt = sweepAt
}

// toSweep returns the endpoints that are gone and whose deliveries are to be
// looked at again now, and puts off the next look at them.
func (s *slots) toSweep(due []ledger.Destination, now, next time.Time) (gone []*endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, destination := range due {
		if e := s.endpoints[destination]; e != nil && !e.sweepAt.IsZero() && !now.Before(e.sweepAt) {
			e.sweepAt = next
			gone = append(gone, e)
		}
	}
	return gone
}

// knows reports whether any of the endpoints is known here and not gone.
func (s *slots) knows(due []ledger.Destination) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(due, func(destination ledger.Destination) bool {
		e := s.endpoints[destination]
		return e != nil && e.sweepAt.IsZero()
	})
}

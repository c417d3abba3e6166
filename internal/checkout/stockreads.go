package checkout

import (
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// stockAge is how old what pages are told of an item's stock may be: however
	// many they are, the ledger is read once.
	stockAge = time.Second

	// maxStockReads bounds how many items are remembered.
	maxStockReads = 4096
)

// stockReads remembers for a moment how much there is of items. It is safe for
// concurrent use.
type stockReads struct {
	reads singleflight.Group // by item

	mu   sync.Mutex
	last map[string]stockRead // by item
}

type stockRead struct {
	available int64
	at        time.Time
}

func newStockReads() *stockReads { return &stockReads{last: make(map[string]stockRead)} }

// of returns how many pieces of an item there are, which it reads if what was read
// last is too old.
func (s *stockReads) of(item string, now time.Time, read func() (int64, error)) (int64, error) {
	if available, ok := s.recall(item, now); ok {
		return available, nil
	}
	available, err, _ := s.reads.Do(item, func() (any, error) {
		if available, ok := s.recall(item, now); ok { // somebody has read it meanwhile
			return available, nil
		}
		available, err := read()
		if err == nil {
			s.keep(item, stockRead{available, now})
		}
		return available, err
	})
	return available.(int64), err
}

// recall returns what was read last, if that is not too old.
func (s *stockReads) recall(item string, now time.Time) (available int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.last[item]
	return known.available, ok && now.Sub(known.at).Abs() < stockAge
}

func (s *stockReads) keep(item string, read stockRead) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.last) >= maxStockReads {
		clear(s.last)
	}
	s.last[item] = read
}

package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// outcome is what a load gave.
type outcome struct {
	times []time.Duration
	took  time.Duration // until the last answer
}

// load lets payers do the same at once, each again and again, for a span of
// time; what has begun then is still done. The step returns the time that
// counts. The first error ends it all.
func load(s *shop, payers int, span time.Duration, step func(*payer) (time.Duration, error)) (outcome, error) {
	all := make([]*payer, payers)
	for i := range all {
		all[i] = newPayer(s)
		defer all[i].leave()
	}
	var (
		mu     sync.Mutex
		result outcome
		failed error
		over   atomic.Bool
		group  sync.WaitGroup
	)
	began := time.Now()
	for _, p := range all {
		group.Go(func() {
			var times []time.Duration
			var err error
			for err == nil && !over.Load() && time.Since(began) < span {
				var took time.Duration
				if took, err = step(p); err == nil {
					times = append(times, took)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			result.times = append(result.times, times...)
			if err != nil && failed == nil {
				failed = err
				over.Store(true)
			}
		})
	}
	group.Wait()
	result.took = time.Since(began)
	if failed != nil {
		return outcome{}, s.fails(failed)
	}
	return result, nil
}

// measured is a load together with the processor time that the shop spent on
// each operation.
func (b *bench) measured(s *shop, payers int, span time.Duration, step func(*payer) (time.Duration, error)) (figures, error) {
	before, err := s.cpu()
	if err != nil {
		return figures{}, err
	}
	profiled := b.profiling(s, span)
	result, err := load(s, payers, span, step)
	if err != nil {
		return figures{}, err
	}
	if err := profiled(); err != nil {
		return figures{}, err
	}
	after, err := s.cpu()
	if err != nil {
		return figures{}, err
	}
	times := seconds(result.times)
	return figures{
		count: float64(len(times)),
		rate:  float64(len(times)) / result.took.Seconds(),
		p50:   quantile(times, 0.50),
		p99:   quantile(times, 0.99),
		cpu:   (after - before).Seconds() / float64(len(times)),
	}, nil
}

// timed is how long something takes.
func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}

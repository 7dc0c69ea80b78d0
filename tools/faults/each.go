package main

import (
	"context"
	"sync"
	"time"
)

// workers is how many trials are made side by side: most of their time is waiting.
const workers = 8

// each makes trials side by side, each worker one at a time, and returns how many it has made. Those
// that are drawn end when the part's time is over.
func each[W, T any](ctx context.Context, p *proof, workers []W, trials []T, drawn bool, try func(*proof, W, T)) (made int) {
	if !drawn && p.sample > 1 {
		trials = trials[:(len(trials)+p.sample-1)/p.sample]
	}
	var mu sync.Mutex
	next := func() (T, bool) {
		mu.Lock()
		defer mu.Unlock()
		if made == len(trials) || ctx.Err() != nil || drawn && time.Now().After(p.until) {
			return *new(T), false
		}
		made++
		return trials[made-1], true
	}
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() {
			for t, more := next(); more; t, more = next() {
				try(p, w, t)
			}
		})
	}
	all.Wait()
	return made
}

func (p *proof) shuffle(n int, swap func(i, j int)) { p.random.Shuffle(n, swap) }

// kindsOf names the faults of strikes.
func kindsOf(strikes []strike) (kinds []string) {
	for _, s := range strikes {
		kinds = append(kinds, string(s.fault))
	}
	return kinds
}

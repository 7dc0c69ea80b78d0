package dynamo

import (
	"context"
	"sync"

	"partnerview/internal/fault"
)

// MaxWriters is how many calls a store makes at the same time to write usage;
// more callers wait for each other.
const MaxWriters = 8

// pace bounds how many calls are under way at once by what the table bears: each
// time that it refuses, half as many, and one more after as many successes as
// there may be calls (additive increase, multiplicative decrease, as TCP does).
// So several writers find the rate of a throttled table, share it, and follow it
// up again, without a clock.
type pace struct {
	mu      sync.Mutex
	limit   int // 1 to MaxWriters
	busy    int
	good    int // successes since the limit last changed
	cuts    int // how often the limit was halved
	waiting []chan struct{}
}

func newPace() *pace { return &pace{limit: MaxWriters} }

// enter waits for a place, and returns what leave wants to know.
func (p *pace) enter(ctx context.Context) (cuts int, err error) {
	p.mu.Lock()
	if p.busy < p.limit {
		p.busy++
		defer p.mu.Unlock()
		return p.cuts, nil
	}
	turn := make(chan struct{})
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()
	select {
	case <-turn:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.cuts, nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		p.forget(turn)
		return 0, ctx.Err()
	}
}

// forget gives up waiting, or the place that came just then.
func (p *pace) forget(turn chan struct{}) {
	for i, w := range p.waiting {
		if w == turn {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return
		}
	}
	p.busy--
	p.admit()
}

// leave gives a place back. Calls that were refused together halve the limit
// once: what began before the last cut says nothing of the limit since.
func (p *pace) leave(cuts int, refused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	switch {
	case refused && cuts == p.cuts:
		p.limit, p.good, p.cuts = max(1, p.limit/2), 0, p.cuts+1
	case !refused:
		if p.good++; p.good >= p.limit && p.limit < MaxWriters {
			p.limit, p.good = p.limit+1, 0
		}
	}
	p.admit()
}

// admit lets in who has waited longest, as far as there are places.
func (p *pace) admit() {
	for p.busy < p.limit && len(p.waiting) > 0 {
		p.busy++
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// paced is persist at the store's pace: no place is held while a refused call
// waits for its next try.
func (s *Store) paced(ctx context.Context, call func() error) error {
	return persist(ctx, func() error {
		cuts, err := s.pace.enter(ctx)
		if err != nil {
			return fault.New(fault.Unavailable, "waiting to write", err)
		}
		err = call()
		s.pace.leave(cuts, fault.Is(err, fault.Unavailable))
		return err
	})
}

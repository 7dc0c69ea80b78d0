package dynamo

import (
	"context"
	"testing"
)

// rounds lets n calls in at once and out again, that many times.
func rounds(t *testing.T, p *pace, times, n int, refused bool) {
	t.Helper()
	for range times {
		var cuts []int
		for range n {
			c, err := p.enter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			cuts = append(cuts, c)
		}
		for _, c := range cuts {
			p.leave(c, refused)
		}
	}
}

func TestPaceHalvesWhenRefusedAndRecoversOneByOne(t *testing.T) {
	p := newPace()
	expect := func(when string, limit int) {
		t.Helper()
		if p.limit != limit || p.busy != 0 {
			t.Errorf("%s: limit %d, busy %d; want a limit of %d", when, p.limit, p.busy, limit)
		}
	}
	rounds(t, p, 1, MaxWriters, true)
	expect("all were refused at once", MaxWriters/2)
	rounds(t, p, 1, MaxWriters/2, true)
	expect("and again", MaxWriters/4)
	rounds(t, p, 5, 1, true)
	expect("for good: one always may", 1)
	rounds(t, p, 1, 1, false)
	expect("one went well", 2)
	rounds(t, p, 1, 1, false)
	expect("one of two", 2)
	rounds(t, p, 1, 1, false)
	expect("both of two", 3)
	rounds(t, p, 100, 1, false)
	expect("all went well for long", MaxWriters)
}

func TestPaceAdmitsNoMoreThanItsLimitAndInOrder(t *testing.T) {
	p := newPace()
	p.limit = 1
	cuts, err := p.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	order := make(chan int, 2)
	for i := range 2 {
		waiting := len(p.waiting)
		go func() {
			c, _ := p.enter(context.Background())
			order <- i
			p.leave(c, true) // a refusal, so that the limit stays 1
		}()
		for { // until it stands in line
			p.mu.Lock()
			n := len(p.waiting)
			p.mu.Unlock()
			if n > waiting {
				break
			}
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.enter(gone); err == nil {
		t.Error("who has gone is let in")
	}
	select {
	case i := <-order:
		t.Errorf("%d was let in while the only place was taken", i)
	default:
	}
	p.leave(cuts, true)
	if first, second := <-order, <-order; first != 0 || second != 1 {
		t.Errorf("let in were %d, then %d", first, second)
	}
}

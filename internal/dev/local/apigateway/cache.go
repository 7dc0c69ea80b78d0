package apigateway

import (
	"sync"
	"time"
)

// cache keeps decisions for a time. All are kept equally long, so the oldest is
// always the next to go.
type cache struct {
	ttl   time.Duration // 0: none is ever found again
	clock func() time.Time

	mu    sync.Mutex
	kept  map[string]entry
	order []string // of the keys in kept, the oldest first
}

type entry struct {
	decision *decision
	until    time.Time
}

// However many paths a caller thinks of, no more decisions are kept.
const maxKept = 10_000

func newCache(ttl time.Duration, clock func() time.Time) *cache {
	return &cache{ttl: ttl, clock: clock, kept: make(map[string]entry)}
}

func (c *cache) get(key string) (*decision, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.kept[key]
	return e.decision, ok && c.clock().Before(e.until)
}

func (c *cache) put(key string, d *decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock()
	if e, kept := c.kept[key]; kept && now.Before(e.until) { // two have asked at the same time
		c.kept[key] = entry{d, e.until}
		return
	}
	for len(c.order) > 0 && (len(c.kept) >= maxKept || !now.Before(c.kept[c.order[0]].until)) {
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
	c.kept[key] = entry{d, now.Add(c.ttl)}
	c.order = append(c.order, key)
}

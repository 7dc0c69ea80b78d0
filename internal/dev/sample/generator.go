package sample

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"
)

// generator draws records out of one seeded source. Only times come from the
// clock, and that is the caller's.
type generator struct {
	rng  *rand.Rand
	now  time.Time
	logs []log
	// hours holds, for each hour of the window, how busy it and all hours before
	// it are together.
	hours []int
	last  struct { // what a burst repeats
		log log
		at  time.Time
	}
}

// log is one product of one sender.
type log struct {
	sender
	product string
	weight  int // its share
}

func newGenerator(now time.Time) *generator {
	g := &generator{
		rng: rand.New(rand.NewPCG(7700, 90)),
		now: now.UTC().Truncate(time.Millisecond),
	}
	for _, s := range senders() {
		for _, l := range []log{{s, "sms", s.share.sms}, {s, "voice", s.share.voice}, {s, "video", s.share.video},
			{s, "messaging", s.share.messaging}} {
			if l.weight > 0 {
				g.logs = append(g.logs, l)
			}
		}
	}
	sum := 0
	for h := range int(window / time.Hour) {
		for _, l := range g.logs {
			sum += l.weight * l.rhythm.busy(g.hour(h))
		}
		g.hours = append(g.hours, sum)
	}
	return g
}

// hour is when the i-th hour of the window starts.
func (g *generator) hour(i int) time.Time {
	return g.now.Add(-window + time.Duration(i)*time.Hour)
}

// line draws the i-th of n records.
func (g *generator) line(i, n int) line {
	if i == 0 || !g.oneIn(40) { // else a burst: another one in the same millisecond
		g.last.log, g.last.at = g.place(i, n)
	}
	from, at := g.last.log, g.last.at
	r := line{
		AccountID:   from.account,
		Product:     from.product,
		ID:          g.id(from.product),
		Timestamp:   g.timeText(at),
		ContactName: g.contactName(i),
		Content:     g.content(i),
	}
	switch from.product {
	case "sms":
		g.sms(&r, from)
	case "voice":
		g.voice(&r, from)
	case "video":
		g.video(&r)
	case "messaging":
		g.messaging(&r, from)
	}
	if reached := at.Add(g.delay()); reached.Before(g.now) && !g.oneIn(4) {
		r.StatusAt = g.timeText(reached)
	}
	if g.oneIn(3) {
		r.RecordedPrice = g.price(from)
	}
	if g.oneIn(50) {
		r.AgentNote = fmt.Sprintf("CANARY-NOTE-%05d: call back on %s", i, g.number())
	}
	return r
}

// place chooses the log and the time of the i-th of n records, in step with how
// busy each log is in each hour.
func (g *generator) place(i, n int) (log, time.Time) {
	whole := g.hours[len(g.hours)-1]
	h := sort.SearchInts(g.hours, (2*i+1)*whole/(2*n)+1)
	start, load := g.hour(h), g.hours[h]
	if h > 0 {
		load -= g.hours[h-1]
	}
	at := start.Add(time.Duration(g.rng.IntN(int(time.Hour/time.Millisecond))) * time.Millisecond)

	var chosen log
	left := g.rng.IntN(load)
	for _, chosen = range g.logs {
		if left -= chosen.weight * chosen.rhythm.busy(start); left < 0 {
			break
		}
	}
	return chosen, at
}

// delay is how long a status takes: mostly seconds, or half a day until a
// telephone is switched on again.
func (g *generator) delay() time.Duration {
	longest := 90 * time.Second
	if g.oneIn(10) {
		longest = 12 * time.Hour
	}
	return time.Duration(g.rng.Int64N(int64(longest/time.Millisecond))) * time.Millisecond
}

// timeText writes a time in one of the forms that RFC 3339 has.
func (g *generator) timeText(t time.Time) string {
	switch {
	case g.oneIn(20):
		t = t.In(time.FixedZone("", 2*60*60))
	case g.oneIn(30):
		t = t.Add(time.Duration(g.rng.IntN(1000)) * time.Microsecond)
	}
	return t.Format(time.RFC3339Nano)
}

func (g *generator) oneIn(n int) bool { return g.rng.IntN(n) == 0 }

// odds are words and how often each is drawn.
type odds []struct {
	weight int
	word   string
}

func (g *generator) draw(o odds) string {
	sum := 0
	for _, w := range o {
		sum += w.weight
	}
	word, left := "", g.rng.IntN(sum)
	for _, w := range o {
		word = w.word
		if left -= w.weight; left < 0 {
			break
		}
	}
	return word
}

// pick draws one of several that are equally likely.
func pick[T any](g *generator, from ...T) T { return from[g.rng.IntN(len(from))] }

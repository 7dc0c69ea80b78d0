package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"partnerview/internal/usage"
	"partnerview/tools/report"
)

// cost is what one page took.
type cost struct {
	wall, cpu     time.Duration
	allocs, bytes int64
}

// work is something that is done over and over, and what it cost each round.
type work struct {
	name  string
	do    func() error
	costs []cost
}

func (c cost) times() (wall, cpu time.Duration) { return c.wall, c.cpu }

// blockTime is for how long one work is repeated before the next has its turn:
// long enough for it to collect its own garbage several times.
const blockTime = 200 * time.Millisecond

// warm measures what a page of 100 records costs, next to its floors. It leaves this
// process one CPU: a function of 256 MB has less, and what is done at the same
// time is then not passed off as less to do. A refusal: others used the machine
// meanwhile.
func warm(ctx context.Context, p usage.Product, value any, rounds int) (warmPage, error) {
	page, err := newPage(p, value)
	if err != nil {
		return warmPage{}, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	measured := warmPage{product: p, works: page.works()}
	if measured.repeats, err = calibrate(measured.works[0]); err != nil {
		return measured, err
	}
	from, err := look()
	if err != nil {
		return measured, err
	}
	for range rounds {
		for _, w := range measured.works {
			if ctx.Err() != nil {
				return measured, errors.New("interrupted")
			}
			c, err := measure(w.do, measured.repeats)
			if err != nil {
				return measured, err
			}
			w.costs = append(w.costs, c)
		}
	}
	to, err := look()
	if err != nil {
		return measured, err
	}
	return measured, judgeMachine(from, to)
}

// works are the page, its floors, and what it would be if the function packed it.
func (p *page) works() []*work {
	return []*work{
		{name: "page", do: func() error { _, err := p.answer(); return err }},
		{name: "floor", do: func() error {
			if err := p.bareCalls(); err != nil {
				return err
			}
			_, err := p.encode()
			return err
		}},
		{name: "lower floor", do: func() error {
			if err := p.bareQuery(names.Usage); err != nil {
				return err
			}
			_, err := p.encode()
			return err
		}},
		{name: "packed here", do: p.packed},
	}
}

// warmPage is what was measured of a product's page.
type warmPage struct {
	product usage.Product
	works   []*work // the page, its floor, the lower floor, the page packed
	repeats int     // in a round
}

// overFloor is the page's ratio to its floor.
func (m warmPage) overFloor() (wall, cpu float64) {
	return ratios(m.works[0].costs, m.works[1].costs, cost.times)
}

// table shows the page beside its floors.
func (m warmPage) table() report.Table {
	t := report.Table{
		Title: fmt.Sprintf("Warm page of %d records (%s), medians of %d rounds of %d pages, without network.", recordsOnPage, m.product, len(m.works[0].costs), m.repeats),
		Notes: []string{
			"page: all that functions/getusage does with an event: gateway.Handler, api.GetUsage, dynamo.Store.",
			"floor: the SDK's two calls for it, to AttributeValues, and encoding/json of the same answer. lower floor: the same without the call for the price lists.",
			"packed here: the page, then gzip of its answer and base64, as a function must send what is not text. The gateway packs for nothing.",
			fmt.Sprintf("Goal: page %.2f × the floor.", warmGoal),
		},
		Head: []string{"", "wall µs", "page is ×", "CPU µs", "page is ×", "allocs", "kB", "goal"},
	}
	for i, w := range m.works {
		wall, cpu := ratios(m.works[0].costs, w.costs, cost.times)
		goal := ""
		if i == 1 && wall <= warmGoal {
			goal = "reached"
		} else if i == 1 {
			goal = "missed"
		}
		t.Rows = append(t.Rows, []string{
			w.name,
			us(report.Median(w.costs, func(c cost) time.Duration { return c.wall })), times(wall),
			us(report.Median(w.costs, func(c cost) time.Duration { return c.cpu })), times(cpu),
			fmt.Sprint(report.Median(w.costs, func(c cost) int64 { return c.allocs })), fmt.Sprint(report.Median(w.costs, func(c cost) int64 { return c.bytes }) / 1000), goal,
		})
	}
	return t
}

// warmGoal is a warm page's, × the floor, wall time: issue 16 names it.
const warmGoal = 1.10

// calibrate finds how often work fits into a block.
func calibrate(w *work) (int, error) {
	repeats := 10
	for {
		c, err := measure(w.do, repeats)
		if err != nil || c.wall*time.Duration(repeats) >= blockTime {
			return repeats, err
		}
		repeats *= 2
	}
}

// measure repeats work, and says what it costs once.
func measure(do func() error, repeats int) (cost, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, cpu := time.Now(), processorTime(syscall.RUSAGE_SELF)
	for range repeats {
		if err := do(); err != nil {
			return cost{}, err
		}
	}
	c := cost{wall: time.Since(began) / time.Duration(repeats), cpu: (processorTime(syscall.RUSAGE_SELF) - cpu) / time.Duration(repeats)}
	runtime.ReadMemStats(&after)
	c.allocs = int64(after.Mallocs-before.Mallocs) / int64(repeats)
	c.bytes = int64(after.TotalAlloc-before.TotalAlloc) / int64(repeats)
	return c, nil
}

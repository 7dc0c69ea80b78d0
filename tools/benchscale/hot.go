package main

import (
	"container/heap"
	"fmt"
	"time"

	"partnerview/tools/report"
)

// What AWS says that a partition bears a second:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
const partitionReads = 3000.0 // units

// What a function does with a read that is held back: internal/dynamo's retryer.
const (
	tries     = 3
	retryWait = 300 * time.Millisecond
)

// programs read one partition of one log, each a page after the other without a rest,
// as fast as they are answered: what a customer of many programs is at worst.
type programs struct {
	number int
	units  float64       // of a page
	took   time.Duration // from asking for a page to asking for the next, where nothing is held back
}

// outcome is what came of it in a time.
type outcome struct {
	pages, refused int // answered, and given up after all tries: a 503
	again          int // reads that were held back and tried again
	waits          []time.Duration
}

// attempt is the next read of a program.
type attempt struct {
	at, asked time.Duration // when it is, and when its page was first asked for
	try       int
}

type attempts []attempt

func (a attempts) Len() int           { return len(a) }
func (a attempts) Less(i, j int) bool { return a[i].at < a[j].at }
func (a attempts) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *attempts) Push(x any)        { *a = append(*a, x.(attempt)) }
func (a *attempts) Pop() any {
	old := *a
	last := old[len(old)-1]
	*a = old[:len(old)-1]
	return last
}

// simulate lets programs read for a time. The partition is a bucket of units, of one
// second at most, that a read empties, if need be below zero, where anything is in it.
// It knows no burst beyond that second and no split, which AWS does not promise.
func simulate(p programs, lasting time.Duration) outcome {
	var next attempts
	for i := range p.number { // they begin within one page's time
		at := p.took * time.Duration(i) / time.Duration(p.number)
		heap.Push(&next, attempt{at: at, asked: at, try: 1})
	}
	var out outcome
	left, filled := partitionReads, time.Duration(0)
	for next.Len() > 0 {
		a := heap.Pop(&next).(attempt)
		if a.at >= lasting {
			return out
		}
		left = min(partitionReads, left+partitionReads*(a.at-filled).Seconds())
		filled = a.at
		switch {
		case left > 0:
			left -= p.units
			out.pages++
			out.waits = append(out.waits, a.at+p.took-a.asked)
			heap.Push(&next, attempt{at: a.at + p.took, asked: a.at + p.took, try: 1})
		case a.try < tries:
			out.again++
			heap.Push(&next, attempt{at: a.at + retryWait, asked: a.asked, try: a.try + 1})
		default: // told to come back after two seconds, as Retry-After says
			out.refused++
			at := a.at + 2*time.Second
			heap.Push(&next, attempt{at: at, asked: at, try: 1})
		}
	}
	return out
}

// hotTable shows how many programs a partition bears.
func hotTable() report.Table {
	const lasting = 5 * time.Minute
	t := report.Table{
		Title: "Simulated: programs that read the same partition without a rest, for five minutes.",
		Head:  []string{"page", "programs", "pages a second", "of all, 503 %", "p50 ms", "p99 ms"},
	}
	for _, page := range []struct {
		records int
		units   float64 // as make bench-scale counts them, without the price list's
		took    time.Duration
	}{{50, 1.5, 40 * time.Millisecond}, {500, 13.5, 120 * time.Millisecond}} {
		for _, number := range []int{10, 25, 50, 100, 200} {
			o := simulate(programs{number, page.units, page.took}, lasting)
			t.Rows = append(t.Rows, []string{
				fmt.Sprintf("%d records", page.records), fmt.Sprint(number),
				fmt.Sprintf("%.0f", float64(o.pages)/lasting.Seconds()), fmt.Sprintf("%.1f", 100*float64(o.refused)/float64(o.pages+o.refused)),
				fmt.Sprintf("%.0f", float64(report.Median(o.waits, report.Itself))/1e6), fmt.Sprintf("%.0f", float64(report.Quantile(o.waits, 0.99, report.Itself))/1e6),
			})
		}
	}
	return t
}

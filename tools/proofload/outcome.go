package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerview/tools/report"
)

// outcome is what came of the load on one engine.
type outcome struct {
	engine        string
	lasting       time.Duration
	requests      int
	perSecond     float64
	p50, p99      time.Duration
	calls, failed int64 // of functions to the engine
	statuses      map[int]int
	wrong         []string
	wrongs        int
	mixedUp       int
	withinPlan    map[string]int // answers to each bronze partner but 429
	trends        []trend
}

// steepest is how much a function's processes may grow in the two thirds of a load that are
// looked at, by the line through the samples: what a heap moves by from one collection to the
// next. A shorter load than settles says nothing of that: heaps still fill up to where the
// collector holds them.
const (
	steepest = 6 << 10 // kB
	settles  = 2 * time.Minute
)

// mostMemory is what a process may have in any case: a quarter of what template.yaml gives it.
const mostMemory = 64 << 10 // kB

// faults are what was not as it must be.
func (o outcome) faults() (all []string) {
	all = append(all, o.wrong...)
	if more := o.wrongs - len(o.wrong); more > 0 {
		all = append(all, fmt.Sprintf("and %d more wrong answers", more))
	}
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized, http.StatusNotFound} {
		if o.statuses[status] == 0 {
			all = append(all, fmt.Sprintf("nothing was answered with %d: that was not tried", status))
		}
	}
	for who, answers := range o.withinPlan {
		if most := bronzeBurst + bronzeRate*int(o.lasting.Seconds()+requestTimeout.Seconds()); answers > most {
			all = append(all, fmt.Sprintf("%s got %d answers, and its plan has %d", who, answers, most))
		}
	}
	if share := o.failedPart(); share < 0.02 || share > 0.10 {
		all = append(all, fmt.Sprintf("%.1f %% of the functions' calls failed, and a twentieth was to", 100*share))
	}
	for _, t := range o.trends {
		if t.kB > mostMemory {
			all = append(all, fmt.Sprintf("a process of %s takes %.0f MB", t.function, t.kB/1024))
		}
		if grown := t.kBPerMin * o.lasting.Minutes() * 2 / 3; o.lasting >= settles && grown > steepest {
			all = append(all, fmt.Sprintf("the memory of %s grows by %.0f kB a minute", t.function, t.kBPerMin))
		}
		if t.restarted {
			all = append(all, fmt.Sprintf("a process of %s has ended under the load", t.function))
		}
	}
	return all
}

func (o outcome) failedPart() float64 { return float64(o.failed) / float64(max(o.calls, 1)) }

// requestsTable has a column for each engine.
func requestsTable(all []outcome) report.Table {
	t := report.Table{Title: fmt.Sprintf("Answers to %d partners, %d requests at a time, for %s on each engine.",
		partners, workers, all[0].lasting), Head: []string{""}}
	rows := [][]string{{"requests"}, {"a second"}, {"p50 ms"}, {"p99 ms"}, {"200, its asker's own"}, {"401, bad credential"},
		{"404, another's customer"}, {"429, over its plan"}, {"503, the database failed"}, {"anything else"},
		{"calls to the engine"}, {"of which failed %"}}
	for _, o := range all {
		t.Head = append(t.Head, o.engine)
		named := []int{http.StatusOK, http.StatusUnauthorized, http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable}
		cells := []string{fmt.Sprint(o.requests), fmt.Sprintf("%.0f", o.perSecond), milliseconds(o.p50), milliseconds(o.p99)}
		rest := o.requests
		for _, status := range named {
			cells = append(cells, fmt.Sprint(o.statuses[status]))
			rest -= o.statuses[status]
		}
		cells = append(cells, fmt.Sprint(rest), fmt.Sprint(o.calls), fmt.Sprintf("%.1f", 100*o.failedPart()))
		for i := range rows {
			rows[i] = append(rows[i], cells[i])
		}
	}
	t.Rows = rows
	return t
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/1e6) }

// memoryTable has a row for each function, and for each engine its processes, the largest of
// them, and how they grow.
func memoryTable(all []outcome) report.Table {
	t := report.Table{Title: "Memory of the functions' processes over the last two thirds of the load: their number, MB of the " +
		"largest, and growth of one in kB a minute.", Head: []string{"function"}}
	rows := make(map[string][]string)
	for i, o := range all {
		t.Head = append(t.Head, o.engine)
		for _, trend := range o.trends {
			for len(rows[trend.function]) < i {
				rows[trend.function] = append(rows[trend.function], "–")
			}
			rows[trend.function] = append(rows[trend.function],
				fmt.Sprintf("%d × %.1f MB, %+.0f", trend.processes, trend.kB/1024, trend.kBPerMin))
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(rows), strings.Compare) {
		cells := rows[name]
		for len(cells) < len(all) {
			cells = append(cells, "–")
		}
		t.Rows = append(t.Rows, append([]string{name}, cells...))
	}
	return t
}

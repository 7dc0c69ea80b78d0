package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"partnerview/tools/report"
)

// start is what one cold start cost.
type start struct {
	wall time.Duration // from exec to the first answer, over the Runtime API
	cpu  time.Duration // of the process and all its threads, user and system
	peak int64         // bytes resident at most
}

func (s start) times() (wall, cpu time.Duration) { return s.wall, s.cpu }

// settle is a rest before each start: what ran just before then neither helps
// nor hurts it.
const settle = 10 * time.Millisecond

// coldStart starts a function, hands it one event, and ends its process once it has
// answered.
func coldStart(ctx context.Context, f *side, env variables, on cores) (start, error) {
	runtime.GC() // none of this program's while the function starts
	time.Sleep(settle)
	p, err := launch(ctx, f, env, on)
	if err != nil {
		return start{}, err
	}
	p.hand(f.payload)
	_, answered, err := p.await(ctx)
	cpu, peak, err := p.end(err)
	return start{answered.Sub(p.began), cpu, peak}, err
}

// startInTurn starts each function so many times, one after the other, so that what
// the machine does meanwhile slows all. The first of each brings the binary into the
// page cache, and does not count. A refusal: others used the machine meanwhile.
func startInTurn(ctx context.Context, functions []*side, starts int, env variables, on cores) error {
	from, err := look()
	if err != nil {
		return err
	}
	for i := range starts + 1 {
		for _, f := range functions {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			s, err := coldStart(ctx, f, env, on)
			if err != nil {
				return err
			}
			if i > 0 {
				f.starts = append(f.starts, s)
			}
		}
		if i%10 != 9 && i != starts {
			continue
		}
		to, err := look()
		if err != nil {
			return err
		}
		if err := judgeMachine(from, to); err != nil {
			return err
		}
	}
	return nil
}

// twins starts the hello-world beside itself. A refusal: it differs from itself.
func twins(ctx context.Context, one *side, starts int, env variables, on cores) error {
	a, b := *one, *one
	if err := startInTurn(ctx, []*side{&a, &b}, starts, env, on); err != nil {
		return err
	}
	wall, cpu := ratios(a.starts, b.starts, start.times)
	return judgeTwins(wall, cpu)
}

// coldRatios are a function's, over another that was started in turn with it.
type coldRatios struct{ wall, cpu, peak float64 }

func over(f, other *side) coldRatios {
	wall, cpu := ratios(f.starts, other.starts, start.times)
	peak := func(s start) int64 { return s.peak }
	return coldRatios{wall, cpu, float64(report.Median(f.starts, peak)) / float64(report.Median(other.starts, peak))}
}

// What a start is to cost at most: issue 16 names it, for a quiet machine.
const (
	endpointGoal = 2.0 // × the hello-world, wall time
	floorGoal    = 1.1 // × the floor, wall time; the authorizer and the dashboard too
	peakGoal     = 2.2 // × the hello-world, bytes
)

// coldGoal is a function's, × the hello-world.
func coldGoal(name string) float64 {
	switch name {
	case "authorizer":
		return 1.8
	case "dashboard":
		return 1.3
	}
	return endpointGoal
}

// missed names the goals that a function does not reach.
func missed(name string, hello, floor coldRatios) string {
	text := ""
	for _, goal := range []struct {
		what      string
		is, limit float64
	}{{"hello", hello.wall, coldGoal(name)}, {"floor", floor.wall, floorGoal}, {"peak", hello.peak, peakGoal}} {
		if goal.is > goal.limit {
			text += fmt.Sprintf(", %s %.2g", goal.what, goal.limit)
		}
	}
	if text == "" {
		return "reached"
	}
	return "missed: " + text[2:]
}

// coldTable shows all starts.
func coldTable(functions []*side, starts int) report.Table {
	t := report.Table{
		Title: fmt.Sprintf("Cold start: from exec to the first answer over the Runtime API, medians of %d starts in turn, on one core.", starts),
		Notes: []string{
			fmt.Sprintf("DynamoDB is canned answers on loopback, without TLS; X-Ray is on and sampled; the binaries are in the page cache. getusage answers with %d records.", firstPage),
			fmt.Sprintf("Goals, wall time: authorizer %.1f ×, dashboard %.1f ×, others %.1f × hello, each %.1f × floor; peak memory %.1f × hello.",
				coldGoal("authorizer"), coldGoal("dashboard"), endpointGoal, floorGoal, peakGoal),
		},
		Head: []string{"", "wall ms", "× hello", "× floor", "CPU ms", "× hello", "× floor", "peak MiB", "× hello", "× floor", "binary MB", "zip MB", "goals"},
	}
	for _, f := range functions {
		hello, floor := over(f, functions[0]), over(f, functions[1])
		goals := ""
		if yardsticks[f.name] == "" {
			goals = missed(f.name, hello, floor)
		}
		t.Rows = append(t.Rows, []string{
			f.name,
			ms(report.Median(f.starts, func(s start) time.Duration { return s.wall })), times(hello.wall), times(floor.wall),
			ms(report.Median(f.starts, func(s start) time.Duration { return s.cpu })), times(hello.cpu), times(floor.cpu),
			fmt.Sprintf("%.1f", float64(report.Median(f.starts, func(s start) int64 { return s.peak }))/(1<<20)), times(hello.peak), times(floor.peak),
			fmt.Sprintf("%.1f", float64(f.binary)/1e6), fmt.Sprintf("%.1f", float64(f.zipped)/1e6), goals,
		})
	}
	return t
}

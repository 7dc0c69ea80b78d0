package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

// What is still a quiet machine.
const (
	foreignLimit  = 0.05 // of all cores, used by others
	stolenLimit   = 0.02 // of all cores
	queueLimit    = 1    // other processes that run or wait at a time, on average
	twinLimit     = 0.05 // hello-world against itself
	quietSamples  = 20
	quietInterval = 50 * time.Millisecond
	quietTries    = 5 // a command that has just ended may still be tidying up
)

// refusal is why nothing is told: on this machine, at this time, the figures would
// flatter one side.
type refusal struct{ reason string }

func (r refusal) Error() string { return r.reason }

func refuse(format string, args ...any) error { return refusal{fmt.Sprintf(format, args...)} }

// awaitQuiet looks at the machine for a second while this program does nothing, up
// to five times, and returns the two cores that were used least: the functions' and
// the bench's own. A refusal: it is loaded, or has one core.
func awaitQuiet(ctx context.Context, allowed []int) (functions, own int, err error) {
	if len(allowed) < 2 {
		return 0, 0, refuse("there is one core: the functions would wait for the bench")
	}
	for range quietTries {
		if functions, own, err = quietCores(ctx, allowed); err == nil || ctx.Err() != nil {
			return functions, own, err
		}
	}
	return 0, 0, err
}

func quietCores(ctx context.Context, allowed []int) (functions, own int, err error) {
	from, err := look()
	if err != nil {
		return 0, 0, err
	}
	queue, to := 0, from
	for range quietSamples {
		select {
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-time.After(quietInterval):
		}
		if to, err = look(); err != nil {
			return 0, 0, err
		}
		queue += to.running - 1
	}
	if err := judgeMachine(from, to); err != nil {
		return 0, 0, err
	}
	if average := float64(queue) / quietSamples; average > queueLimit {
		return 0, 0, refuse("%.1f other processes run or wait for a core; the load average is %s", average, loadAverage())
	}
	functions, own = idlest(from, to, allowed)
	return functions, own, nil
}

// judgeMachine is a refusal where others used the machine between two snapshots.
func judgeMachine(from, to snapshot) error {
	foreign, stolen := others(from, to)
	switch {
	case stolen > stolenLimit:
		return refuse("%.0f %% of the machine's time were stolen by others on its host, more than %.0f %%", 100*stolen, 100*stolenLimit)
	case foreign > foreignLimit:
		return refuse("others used %.0f %% of the machine's time, more than %.0f %%; the load average is %s", 100*foreign, 100*foreignLimit, loadAverage())
	}
	return nil
}

// idlest are the two cores that had the most time to spare.
func idlest(from, to snapshot, allowed []int) (first, second int) {
	first, second = -1, -1
	spare := func(core int) time.Duration { return to.idle[core] - from.idle[core] }
	for _, core := range allowed {
		switch {
		case first < 0 || spare(core) > spare(first):
			first, second = core, first
		case second < 0 || spare(core) > spare(second):
			second = core
		}
	}
	return first, second
}

// judgeTwins is a refusal where a hello-world measured beside itself is not equal to
// itself: no other ratio would then be worth more.
func judgeTwins(wall, cpu float64) error {
	for what, ratio := range map[string]float64{"wall time": wall, "processor time": cpu} {
		if math.Abs(ratio-1) > twinLimit {
			return refuse("the hello-world beside itself differs by %.1f %% in %s, more than %.0f %%; the load average is %s",
				100*math.Abs(ratio-1), what, 100*twinLimit, loadAverage())
		}
	}
	return nil
}

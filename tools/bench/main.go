// Command bench measures what the functions cost on this machine, as ratios of
// two things that are run in turn: a figure of its own says little on a machine
// that others use too. On one that is too loaded for ratios it tells none, and why,
// and ends with 3.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// How long all may take, and what a check measures: that is a part of what CI does.
const (
	timeLimit  = 20 * time.Minute
	checkLimit = 2 * time.Minute
)

// options are what the command line says.
type options struct {
	starts, rounds         int
	quotaStarts, quotaWarm int
	beside                 string
	check, record          bool
	markdown               bool
}

// What the bench ends with.
const (
	done = iota
	failed
	_ // flag's own, for arguments that it cannot read
	refused
)

func main() {
	var o options
	flag.IntVar(&o.starts, "starts", 60, "cold starts of each function, at least 60")
	flag.IntVar(&o.rounds, "rounds", 60, "rounds of warm pages")
	flag.IntVar(&o.quotaStarts, "quota-starts", 20, "starts of each function and memory size; 0 leaves the table out")
	flag.IntVar(&o.quotaWarm, "quota-warm", 10, "warm answers of each of these")
	flag.StringVar(&o.beside, "beside", "", "PATH of another checkout, whose functions are measured with quotas too")
	flag.BoolVar(&o.check, "check", false, "hold the main ratios against "+recordedFile)
	flag.BoolVar(&o.record, "record", false, "write them there")
	flag.BoolVar(&o.markdown, "markdown", false, "tables as docs/performance.md has them")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(conclude(run(ctx, o, os.Stdout), o.check, os.Stderr))
}

// conclude tells how a run ended, and its exit code. A check that could not be made is
// none that failed.
func conclude(err error, check bool, out io.Writer) int {
	if err == nil {
		return done
	}
	fmt.Fprintln(out, "bench:", err)
	if _, ok := errors.AsType[refusal](err); !ok {
		return failed
	}
	if check {
		fmt.Fprintln(out, "bench: nothing was checked, and nothing has failed")
		return done
	}
	return refused
}

func run(ctx context.Context, o options, out io.Writer) error {
	if o.starts < 60 {
		return fmt.Errorf("-starts %d is too few for a median that holds: 60 or more", o.starts)
	}
	ctx, cancel := within(ctx, timeLimit)
	defer cancel()
	b, err := newBench(ctx, o, out)
	if err != nil {
		return overdue(ctx, err)
	}
	if o.check { // what is not built yet is not counted
		ctx, cancel = within(ctx, checkLimit)
		defer cancel()
	}
	return overdue(ctx, errors.Join(b.all(ctx), b.close()))
}

func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, refusal{fmt.Sprintf("it took more than %s", limit)})
}

// overdue is a refusal where the bench ran out of time, whatever that broke.
func overdue(ctx context.Context, err error) error {
	if late, ok := errors.AsType[refusal](context.Cause(ctx)); ok && err != nil {
		return late
	}
	return err
}

// Command bench measures what the functions cost on this machine, as ratios of
// two things that are run in turn: a figure of its own says little on a machine
// that others use too.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"partnerview/internal/usage"
)

// The budgets, as ratios.
const (
	coldBudget = 2.5
	warmBudget = 1.5
)

func main() {
	starts := flag.Int("starts", 60, "cold starts of each function")
	rounds := flag.Int("rounds", 60, "rounds of warm pages")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *starts, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, starts, rounds int) error {
	fmt.Printf("%s %s/%s, %d CPUs; medians, measured in turn\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if err := cold(ctx, starts); err != nil {
		return err
	}
	for _, p := range []struct {
		product usage.Product
		value   any
	}{{usage.SMS, new(usageAnswer[smsAnswer])}, {usage.Voice, new(usageAnswer[voiceAnswer])}} {
		if err := warm(ctx, p.product, p.value, rounds); err != nil {
			return err
		}
	}
	return nil
}

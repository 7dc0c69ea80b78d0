package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// side is one of two partnerctls that are compared.
type side struct {
	name, binary string
	loads        []spent
	engine       []time.Duration // processor time
}

// compared imports the native file with the repository's partnerctl and with another, in turn,
// each time into an empty store, so that what else the machine does slows both alike.
func (b *bench) compared(ctx context.Context, beside string, rounds int) error {
	other, err := filepath.Abs(beside)
	if err != nil {
		return err
	}
	sides := []*side{{name: "the other", binary: other}, {name: "this one"}}
	fmt.Printf("An import of %s, %d records, into an empty store:\n\n", b.load.Files()[0].Name, b.load.Files()[0].Lines)
	fmt.Printf("%-12s %10s %10s %12s   %s\n", "", "seconds", "CPU, s", "engine's, s", "machine's load")
	for round := range rounds {
		if round > 0 {
			slices.Reverse(sides)
		}
		for _, of := range sides {
			if err := b.timed(ctx, of); err != nil {
				return fmt.Errorf("%s: %w", of.name, err)
			}
			last := len(of.loads) - 1
			fmt.Printf("%-12s %10.1f %10.1f %12.1f   %s\n", of.name, of.loads[last].wall.Seconds(),
				of.loads[last].cpu.Seconds(), of.engine[last].Seconds(), machineLoad())
		}
	}
	ours, others := sides[slices.IndexFunc(sides, func(s *side) bool { return s.binary == "" })],
		sides[slices.IndexFunc(sides, func(s *side) bool { return s.binary != "" })]
	fmt.Printf("\nThis one took %.2f × the time of the other (medians), %.2f × the processor time, the engine's too.\n",
		median(ours.loads, wallOf)/median(others.loads, wallOf), ours.cpu()/others.cpu())
	return nil
}

// timed imports the native file once.
func (b *bench) timed(ctx context.Context, of *side) error {
	b.binary = of.binary
	defer func() { b.binary = "" }()
	s, err := b.newStage(ctx, "beside")
	if err != nil {
		return err
	}
	defer s.end()
	before := cpuTime(s.engine.PID())
	u, err := s.load1(ctx, b.load.Files()[0])
	if err != nil {
		return err
	}
	of.loads, of.engine = append(of.loads, u), append(of.engine, cpuTime(s.engine.PID())-before)
	return nil
}

func wallOf(s spent) time.Duration { return s.wall }

// cpu is the median of the processor time of both processes, in seconds.
func (s *side) cpu() float64 {
	both := make([]time.Duration, len(s.loads))
	for i, l := range s.loads {
		both[i] = l.cpu + s.engine[i]
	}
	return median(both, func(d time.Duration) time.Duration { return d })
}

func median[T any](of []T, what func(T) time.Duration) float64 {
	all := make([]float64, len(of))
	for i, one := range of {
		all[i] = what(one).Seconds()
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// machineLoad is the load average of the last minute, where the system tells it.
func machineLoad() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "-"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// totals has partnerctl compare what it has counted with what is stored; again where the engine, on
// a busy machine, takes longer to answer than it is waited for.
func (s *stage) totals(ctx context.Context) (err error) {
	for range 3 {
		if err = s.checkTotals(ctx); err == nil || !strings.Contains(err.Error(), "does not answer") {
			break
		}
	}
	return err
}

func (s *stage) checkTotals(ctx context.Context) error {
	cmd := s.partnerctl(ctx, "totals", "check")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("totals check: %w\n%s%s", err, out.Bytes(), errOut.Bytes())
	}
	text := strings.TrimSpace(out.String())
	if strings.Contains(text, "Pending") {
		return fmt.Errorf("totals check: days are pending that nobody is to count any more\n%s", text)
	}
	fmt.Printf("Totals: %s\n", text)
	return nil
}

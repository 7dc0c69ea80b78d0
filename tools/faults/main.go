// Command faults tries what becomes of an answer when something goes wrong under it: of each call
// that the product makes to DynamoDB, for every route of openapi.yaml, every command of partnerctl
// and an import by the inbox. What a route, a command or an import calls is learned first, without
// a fault. Then each fault of dynamotest.Faults strikes each call alone, and after that pairs of
// them do, which are drawn; -long tries all.
//
// An answer is right when it is the one without a fault, or the documented problem 503, in time. A
// command must end well or say the way out, and when it is run again the tables must be those of a
// run without a fault: records, grants, totals, all.
//
// Then functions are killed and stopped while they answer, clocks jump, S3 fails under the inbox,
// and the disk of the engine is full.
//
// It runs the real binaries, in the repository's root, and binds and calls loopback only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	long := flag.Bool("long", false, "every fault at every call of everything, and all pairs of them at the routes: hours")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is drawn; a run prints its own")
	only := flag.String("only", "", "one part alone: "+strings.Join(names(), ", "))
	sample := flag.Int("sample", 1, "of what must be tried, one in so many: to try this program")
	minutes := flag.Duration("within", 2*time.Minute, "how long faults are drawn for, without -long; what must be tried comes on top")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &proof{long: *long, seed: *seed, random: rand.New(rand.NewPCG(*seed, 0)), began: time.Now(), within: *minutes, sample: *sample}
	if err := p.run(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// part is one of the things that are tried, with its share of the time.
type part struct {
	name  string
	share float64
	try   func(*proof, context.Context) error
}

func parts() []part {
	return []part{
		{"routes", 0.25, (*proof).routes}, {"commands", 0.40, (*proof).commands}, {"inbox", 0.15, (*proof).inbox},
		{"lives", 0.08, (*proof).lives}, {"clocks", 0.04, (*proof).clocks}, {"disk", 0.05, (*proof).disk},
	}
}

func names() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// proof is one run.
type proof struct {
	long   bool
	seed   uint64
	random *rand.Rand
	began  time.Time
	within time.Duration
	sample int

	until time.Time // the part that is tried draws no more
	house *house
	tally tally
}

func (p *proof) run(ctx context.Context, only string) (err error) {
	fmt.Printf("Seed %d.\n", p.seed)
	if p.house, err = newHouse(ctx); err != nil {
		return err
	}
	defer p.house.end()
	found := false
	for _, part := range parts() {
		if only != "" && only != part.name {
			continue
		}
		found = true
		p.until = time.Now().Add(time.Duration(part.share * float64(p.within)))
		if p.long {
			p.until = time.Now().Add(24 * time.Hour)
		}
		p.tally.begin(part.name)
		if err := part.try(p, ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		if ctx.Err() != nil {
			return errors.Join(errors.New("interrupted"), p.tally.end(os.Stdout, time.Since(p.began)))
		}
	}
	if !found {
		return fmt.Errorf("there is no part %q: choose of %s", only, strings.Join(names(), ", "))
	}
	return p.tally.end(os.Stdout, time.Since(p.began))
}

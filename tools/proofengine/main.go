// Command proofengine runs the tests of what reads and writes tables against DynamoDB
// Local, Amazon's own engine, in place of dynalite: the store's, the operator's, the
// authorizer's and the API's, the inbox's, and the whole product's. It prints a line for
// each package, and ends with a sentence that counts them.
//
// What differs between the two engines, and what the tests do about it, is listed in
// docs/decisions/006-local-engine.md.
//
// "make proof-engine" installs the engine and runs it. ARGS=-long leaves nothing out; packages
// may be named, as ARGS="internal/dynamo internal/e2e".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"partnerview/tools/dynamodblocal"
)

// suites are the packages whose tests need an engine, cheapest first.
var suites = []string{
	"internal/access", "internal/api", "internal/dynamo", "internal/operator", "internal/inbox", "internal/e2e",
}

// The longest that all may take: in make proof, and with -long.
const (
	timeout     = 20 * time.Minute
	longTimeout = 90 * time.Minute
)

func main() {
	long := flag.Bool("long", false, "run the tests that -short leaves out, too")
	flag.Parse()
	limit := timeout
	if *long {
		limit = longTimeout
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	wanted := flag.Args()
	if len(wanted) == 0 {
		wanted = suites
	}
	if err := run(ctx, wanted, *long, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

// errFailed: tests have failed, and were listed.
var errFailed = errors.New("not all tests passed")

// run starts the engine, and runs the tests of packages on it.
func run(ctx context.Context, wanted []string, long bool, out io.Writer) error {
	began := time.Now()
	running, err := dynamodblocal.Start(ctx, ".")
	if err != nil {
		return err
	}
	defer running.Stop()
	counter, err := newCounter(running.Endpoint)
	if err != nil {
		return err
	}
	defer counter.close()
	name := "DynamoDB Local " + running.Version
	fmt.Fprintf(out, "%s serves and is warm after %.0f s\n", name, time.Since(began).Seconds())
	var all result
	for _, suite := range wanted {
		began := time.Now()
		r, err := test(ctx, suite, counter.url, long)
		if err != nil {
			return err
		}
		calls := counter.since()
		if calls == 0 {
			r.failed = append(r.failed, failure{suite, "it has asked nothing of the engine"})
		}
		fmt.Fprintf(out, "%-18s %4d passed, %d failed, %d left out; %7d calls, %4.0f s\n",
			suite, r.passed, len(r.failed), len(r.skipped), calls, time.Since(began).Seconds())
		r.show(out)
		all.add(r)
	}
	fmt.Fprintln(out, all.sentence(name))
	if len(all.failed) > 0 {
		return errFailed
	}
	return nil
}

// sentence is what was shown.
func (r result) sentence(engine string) string {
	s := fmt.Sprintf("engine: %d tests passed on %s, %d failed", r.passed, engine, len(r.failed))
	if len(r.skipped) > 0 {
		s += fmt.Sprintf(", %d left out", len(r.skipped))
	}
	return s
}

// show lists what failed, and what was left out.
func (r result) show(out io.Writer) {
	for _, f := range r.failed {
		fmt.Fprintf(out, "FAIL %s\n%s\n", f.test, strings.TrimRight(f.said, "\n"))
	}
	for _, s := range r.skipped {
		fmt.Fprintf(out, "     left out: %s\n", s)
	}
}

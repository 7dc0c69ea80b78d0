package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// result is what came of tests; of those within another, only the outer one counts.
type result struct {
	passed  int
	failed  []failure
	skipped []string
}

// failure is a test that failed, or a package that did, and what it printed.
type failure struct{ test, said string }

func (r *result) add(other result) {
	r.passed += other.passed
	r.failed = append(r.failed, other.failed...)
	r.skipped = append(r.skipped, other.skipped...)
}

// endTimeout is how long tests may take to end when they are asked to.
const endTimeout = 20 * time.Second

// test runs the tests of a package on an engine. Tests that fail are no error.
func test(ctx context.Context, folder, endpoint string, long bool) (result, error) {
	args := []string{"test", "-json", "-count=1", "-timeout=" + left(ctx).String()}
	if !long {
		args = append(args, "-short")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+folder)...)
	cmd.Env = append(os.Environ(), "DYNAMODB_ENDPOINT="+endpoint)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // tests end what they started
	cmd.WaitDelay = endTimeout
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	events, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	if err := cmd.Start(); err != nil {
		return result{}, fmt.Errorf("go test: %w", err)
	}
	r, err := read(events)
	ended := cmd.Wait()
	if ctx.Err() != nil {
		return result{}, fmt.Errorf("the tests of %s did not end in time: %w", folder, ctx.Err())
	}
	if err == nil && ended != nil && len(r.failed) == 0 {
		err = fmt.Errorf("go test ./%s: %w: %s", folder, ended, &complaints)
	}
	return r, err
}

// left is how long tests may take, so that they end before ctx does, and what they have
// started with them.
func left(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return longTimeout
	}
	return max(time.Until(deadline).Truncate(time.Second)-endTimeout, time.Second)
}

// event is a line of "go test -json".
type event struct{ Action, Package, Test, Output string }

// read counts what go test tells of one package.
func read(events io.Reader) (r result, err error) {
	said := make(map[string]*strings.Builder) // by the outer test; "": of none
	for d := json.NewDecoder(events); ; {
		var e event
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return r, fmt.Errorf("what go test -json tells cannot be read: %w", err)
		}
		outer, _, within := strings.Cut(e.Test, "/")
		if said[outer] == nil {
			said[outer] = new(strings.Builder)
		}
		said[outer].WriteString(e.Output)
		if !within {
			r.count(e, said[outer].String())
		}
	}
}

// count counts the end of a test, or of its package.
func (r *result) count(e event, said string) {
	ofPackage := e.Test == ""
	switch {
	case e.Action == "pass" && !ofPackage:
		r.passed++
	case e.Action == "skip":
		r.skipped = append(r.skipped, reason(e, said))
	case e.Action == "fail" && !ofPackage:
		r.failed = append(r.failed, failure{e.Test, said})
	case e.Action == "fail" && len(r.failed) == 0: // it did not come to its tests, or not to their end
		r.failed = append(r.failed, failure{e.Package, said})
	}
}

// reason is why a test was left out: its name, and what it said.
func reason(e event, said string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if _, why, found := strings.Cut(line, "_test.go:"); found {
			_, why, _ = strings.Cut(why, ": ")
			return e.Test + ": " + why
		}
	}
	return strings.TrimSpace(e.Test + " " + e.Package)
}

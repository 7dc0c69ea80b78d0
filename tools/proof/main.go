// Command proof runs the proofs of this project one after the other: the targets proof-NAME
// of the Makefile, in its order. Of each it prints one line, the last that the proof printed
// itself, and the whole of what it printed is kept in build/proof. It ends with a plain
// line, "7 passed, 0 failed", and with 1 where one failed.
//
// Arguments are the names of those to run; none means all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// folder keeps what the proofs print, from the repository's root.
const folder = "build/proof"

func main() {
	limit := flag.Duration("limit", 20*time.Minute, "the longest that one proof may take")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, "Makefile", flag.Args(), *limit, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// run runs those that are wanted, and says how many failed.
func run(ctx context.Context, makefile string, wanted []string, limit time.Duration, out io.Writer) (failed int, err error) {
	all, err := proofs(makefile)
	if err != nil {
		return 0, err
	}
	for _, name := range wanted {
		if !slices.Contains(all, name) {
			return 0, fmt.Errorf("there is no proof %s; there are %s", name, strings.Join(all, ", "))
		}
	}
	if len(wanted) == 0 {
		wanted = all
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, err
	}
	for _, name := range wanted {
		started := time.Now()
		said, err := prove(ctx, makefile, name, limit)
		if ctx.Err() != nil {
			return failed, errors.New("interrupted")
		}
		verdict := "ok  "
		if err != nil {
			verdict, failed = "FAIL", failed+1
		}
		fmt.Fprintf(out, "%s %6s  %s\n", verdict, time.Since(started).Round(time.Second), said.last)
		if err != nil {
			fmt.Fprintf(out, "%v; all that it printed is in %s:\n%s\n", err, logOf(name), said.end)
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", len(wanted)-failed, failed)
	return failed, nil
}

var target = regexp.MustCompile(`(?m)^proof-([a-z]+):`)

// proofs are the names of a Makefile's proofs, in its order. proof-long is none: it is these
// and more.
func proofs(makefile string) (names []string, err error) {
	text, err := os.ReadFile(makefile)
	if err != nil {
		return nil, err
	}
	for _, found := range target.FindAllStringSubmatch(string(text), -1) {
		if found[1] != "long" {
			names = append(names, found[1])
		}
	}
	return names, nil
}

func logOf(name string) string { return filepath.Join(folder, name+".log") }

// said is what a proof printed.
type said struct {
	last string // its last line
	end  string // its last lines
}

// shownLines is how many of a failed proof's are shown.
const shownLines = 60

// prove makes one target. What it started ends with it.
func prove(ctx context.Context, makefile, name string, limit time.Duration) (said, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took more than %s", limit))
	defer cancel()
	log, err := os.Create(logOf(name))
	if err != nil {
		return said{}, err
	}
	defer log.Close()
	made := exec.CommandContext(ctx, "make", "--no-print-directory", "-f", makefile, "proof-"+name)
	made.Stdout, made.Stderr = log, log
	made.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all of it can be ended
	made.Cancel = func() error { return syscall.Kill(-made.Process.Pid, syscall.SIGTERM) }
	made.WaitDelay = 20 * time.Second
	err = made.Run()
	if late := context.Cause(ctx); late != nil && made.Process != nil {
		_ = syscall.Kill(-made.Process.Pid, syscall.SIGKILL) // whoever did not heed; there may be nobody
		err = late
	}
	text, readErr := os.ReadFile(log.Name())
	if err = errors.Join(err, readErr); err != nil && len(text) == 0 {
		return said{last: name + ": it printed nothing"}, err
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	out := said{lines[len(lines)-1], strings.Join(lines[max(0, len(lines)-shownLines):], "\n")}
	if err == nil && !strings.HasPrefix(out.last, name+": ") {
		return out, fmt.Errorf("%s does not end with what it has proved", name)
	}
	return out, err
}

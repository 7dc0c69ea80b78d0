// Command clients tries openapi.yaml as machines read it. It makes a client with
// each of five generators, compiles it strictly, and lets a small program call
// the running product through it; it runs a linter on the document, and lets
// schemathesis try the product with it, with a key and without. It prints a line
// for each, and ends with "N passed, N failed".
//
// Each program (testdata/clients) lists the customers and counts them; reads the
// logs of one, of all four products, to their ends; reads the price of one record
// with its explanation; reads what is wrong with a request from its 400; and meets
// a wrong key as an error. What they print must be what this command finds out by
// itself, without any client: a generator that drops a field, a page or a kind of
// record is found, though it compiles.
//
// "make clients" builds what is served, installs the generators, and runs it.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The time that everything may take, and one check: on a machine with nothing
// else to do it is a quarter of that.
const (
	timeout      = 20 * time.Minute
	checkTimeout = 10 * time.Minute
)

func main() {
	only := flag.String("only", "", "run the checks whose names contain this")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	failed, err := run(ctx, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

// run runs the checks, and returns how many failed.
func run(ctx context.Context, only string) (failed int, err error) {
	root, err := filepath.Abs(".")
	if err != nil {
		return 0, err
	}
	if _, err := os.Stat("openapi.yaml"); err != nil {
		return 0, errors.New("run this in the repository's root")
	}
	if err := checkJar(root); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Join(root, "testdata", "clients", "oapicodegen", "generated"), 0o755); err != nil {
		return 0, err // oapi-codegen does not make it
	}
	p, err := start(ctx, root)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	s, err := p.look(ctx)
	if err != nil {
		return 0, fmt.Errorf("read the product without a client: %w", err)
	}

	var checks []check
	for _, c := range checksOf(root, p, s) {
		if strings.Contains(c.name, only) {
			checks = append(checks, c)
		}
	}
	if len(checks) == 0 {
		return 0, fmt.Errorf("no check has %q in its name", only)
	}
	free := make(chan struct{}, runtime.NumCPU())
	var all sync.WaitGroup
	var printing sync.Mutex
	for _, c := range checks {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			began := time.Now()
			output, err := c.run(ctx)
			printing.Lock()
			defer printing.Unlock()
			verdict := "ok  "
			if err != nil {
				verdict = "FAIL"
				failed++
			}
			fmt.Printf("%s %s, %.0f s\n", verdict, c.name, time.Since(began).Seconds())
			if err != nil {
				fmt.Printf("%s\n%v\n", output, err)
			}
		})
	}
	all.Wait()
	fmt.Printf("%d passed, %d failed\n", len(checks)-failed, failed)
	return failed, nil
}

// check is a client or another reader of the contract.
type check struct {
	name  string
	steps []step
	want  func(output string) error // looks at what the last step printed; nil: anything is right
}

// step is one command of a check.
type step struct {
	dir  string
	env  []string // beside our own
	args []string
}

// run carries the steps out, and returns the output of the one that failed.
func (c check) run(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var output string
	for _, s := range c.steps {
		cmd := command(ctx, s)
		var out, told bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &told
		err := cmd.Run()
		if output = out.String(); err != nil {
			return told.String() + output, fmt.Errorf("%s: %w", strings.Join(s.args, " "), err)
		}
	}
	if c.want != nil {
		return output, c.want(output)
	}
	return "", nil
}

// command is a step to be started. It ends with ctx, and whatever it has started
// ends with it.
func command(ctx context.Context, s step) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

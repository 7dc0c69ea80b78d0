package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"partnerview/internal/testkit/output"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var probe string // the binary of testdata/functions/probe

// With this variable set, the test binary is a program that runs the binary that
// it names as a function, tells the function's process id, and does nothing more.
const asParent = "LAMBDA_TEST_AS_PARENT"

func TestMain(m *testing.M) {
	if bootstrap := os.Getenv(asParent); bootstrap != "" {
		f := New(Config{Name: "Probe", Bootstrap: bootstrap, Timeout: time.Minute})
		response, err := f.Invoke(context.Background(), payload(order{}))
		if err != nil {
			os.Exit(1)
		}
		fmt.Printf("%s\n", response)
		select {}
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "partnerview-lambda-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	probe = filepath.Join(folder, "bootstrap")
	if err := Build(context.Background(), "../../../..", "internal/dev/local/testdata/functions/probe", probe); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestAnInvocationCarriesItsIDItsDeadlineAndTheFunctionsARN(t *testing.T) {
	answer := ask(t, start1(t, Config{Timeout: 3 * time.Second}), order{Text: "hello"})
	if answer.Text != "hello" || answer.ARN != "arn:aws:lambda:us-east-1:123456789012:function:Probe" || len(answer.RequestID) != 36 {
		t.Errorf("the function saw %+v", answer)
	}
	if answer.LeftMS <= 2000 || answer.LeftMS > 3000 {
		t.Errorf("the function has %d ms left, want nearly 3000", answer.LeftMS)
	}
}

func TestOneInstanceServesOneInvocationAfterTheOther(t *testing.T) {
	f := start1(t, Config{})
	first := ask(t, f, order{}).PID
	for range 20 {
		if pid := ask(t, f, order{}).PID; pid != first {
			t.Fatalf("process %d answers, and %d before", pid, first)
		}
	}
}

func TestInvocationsAtOnceHaveAnInstanceEach(t *testing.T) {
	f := start1(t, Config{MaxInstances: 4})
	if pids := together(t, f, 4, order{Do: "sleep", Millis: 300}); len(pids) != 4 {
		t.Errorf("4 invocations at once ran in %d processes", len(pids))
	}
}

func TestMoreInvocationsThanInstancesWaitTheirTurn(t *testing.T) {
	f := start1(t, Config{MaxInstances: 2})
	if pids := together(t, f, 10, order{Do: "sleep", Millis: 20}); len(pids) > 2 {
		t.Errorf("at most 2 instances are allowed, and %d answered", len(pids))
	}
}

func TestNobodyWaitsWhereTooManyDo(t *testing.T) {
	f := start1(t, Config{MaxInstances: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { f.Invoke(ctx, payload(order{Do: "sleep", Millis: 60_000})) })
	waitUntil(t, f.isBusyWith(0))
	for range maxWaiting {
		all.Go(func() { f.Invoke(ctx, payload(order{})) })
	}
	waitUntil(t, f.isBusyWith(maxWaiting))
	if _, err := f.Invoke(ctx, payload(order{})); !errors.Is(err, ErrBusy) {
		t.Errorf("Invoke = %v, want ErrBusy", err)
	}
	cancel()
	all.Wait()
	if len(f.waiting) != 0 {
		t.Errorf("%d invocations still wait, though nobody waits for them", len(f.waiting))
	}
}

func TestAnInvocationGoesOnWhenItsCallerLeaves(t *testing.T) {
	f := start1(t, Config{MaxInstances: 1})
	before := ask(t, f, order{}).PID
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.Invoke(ctx, payload(order{Do: "sleep", Millis: 200})); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Invoke = %v, want the deadline's error", err)
	}
	if after := ask(t, f, order{}).PID; after != before {
		t.Errorf("process %d was replaced by %d, though it did nothing wrong", before, after)
	}
}

func TestAFailureIsToldAndAnInstanceThatEndsIsReplaced(t *testing.T) {
	log := new(output.Buffer)
	for _, c := range []struct {
		order        order
		typ, message string
		timeout      time.Duration
		staysAsItIs  bool // an error is no crash
	}{
		{order: order{Do: "error", Text: "Unauthorized"}, typ: "errorString", message: "Unauthorized", staysAsItIs: true},
		{order: order{Do: "panic", Text: "oh no"}, typ: "string", message: "oh no"},
		{order: order{Do: "exit"}, typ: "Runtime.ExitError", message: "exit status 7"},
		{order: order{Do: "sleep", Millis: 60_000}, typ: "Sandbox.Timedout", message: "Task timed out after 0.10 seconds", timeout: 100 * time.Millisecond},
	} {
		f := start1(t, Config{MaxInstances: 1, Timeout: c.timeout, Log: log})
		before := ask(t, f, order{}).PID
		wantFailure(t, f, c.order, c.typ, c.message)
		if after := ask(t, f, order{}).PID; (after == before) != c.staysAsItIs {
			t.Errorf("%s: process %d answers, and %d before", c.order.Do, after, before)
		}
		waitUntil(t, func() bool { return c.staysAsItIs || syscall.Kill(before, 0) != nil })
	}
	if !strings.Contains(log.String(), "Probe | Sandbox.Timedout: Task timed out") {
		t.Errorf("the log does not tell: %s", log)
	}
}

func TestThoseWhoWaitForAnInstanceThatEndsGetAnother(t *testing.T) {
	f := start1(t, Config{MaxInstances: 1})
	ask(t, f, order{})
	var all sync.WaitGroup
	all.Go(func() { f.Invoke(t.Context(), payload(order{Do: "exit"})) })
	all.Go(func() { ask(t, f, order{}) })
	all.Go(func() { ask(t, f, order{}) })
	all.Wait()
}

func TestAFunctionThatCannotStartFailsEachInvocationAndIsNotTriedForEver(t *testing.T) {
	log := new(output.Buffer)
	f := start1(t, Config{MaxInstances: 2, Environment: map[string]string{"PROBE_START": "exit"}, Log: log})
	for range 3 {
		wantFailure(t, f, order{}, "Runtime.ExitError", "exit status 3")
	}
	if n := strings.Count(log.String(), "Probe | I cannot start\n"); n != 3 {
		t.Errorf("it was started %d times for 3 invocations:\n%s", n, log)
	}
}

func TestABinaryThatIsNotThereIsTold(t *testing.T) {
	f := New(Config{Name: "Probe", Bootstrap: filepath.Join(t.TempDir(), "bootstrap")})
	defer f.Stop()
	if _, err := f.Invoke(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "Probe cannot be started") {
		t.Errorf("Invoke = %v", err)
	}
}

func TestAResponseLargerThanLambdaTakesIsAFailure(t *testing.T) {
	f := start1(t, Config{})
	if _, err := f.Invoke(t.Context(), payload(order{Do: "fill", Millis: maxPayload - 2})); err != nil { // two quotes
		t.Errorf("the greatest response that Lambda takes: %v", err)
	}
	wantFailure(t, f, order{Do: "fill", Millis: maxPayload - 1}, "Function.ResponseSizeTooLarge", "6291556 bytes")
}

func TestAFunctionSeesLambdasEnvironmentAndItsOwnButNotTheShells(t *testing.T) {
	t.Setenv("SECRET_OF_THE_SHELL", "yes")
	f := start1(t, Config{MemoryMB: 256, Environment: map[string]string{"USAGE_TABLE": "Usage-1"}})
	env := askFor[[]string](t, f, order{Do: "environment"})
	all := "\n" + strings.Join(env, "\n") + "\n"
	for _, want := range []string{"USAGE_TABLE=Usage-1", "AWS_REGION=us-east-1", "AWS_SESSION_TOKEN=local-Probe", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "TZ=:UTC"} {
		if !strings.Contains(all, "\n"+want+"\n") {
			t.Errorf("%s is missing in %s", want, all)
		}
	}
	for _, no := range []string{"SECRET_OF_THE_SHELL", "HOME=", "AWS_XRAY_DAEMON_ADDRESS"} {
		if strings.Contains(all, "\n"+no) {
			t.Errorf("%s is in %s", no, all)
		}
	}
}

func TestWhatAFunctionPrintsIsLoggedLineByLineUnderItsName(t *testing.T) {
	log := new(output.Buffer)
	f := start1(t, Config{Log: log})
	ask(t, f, order{Do: "print", Text: "one\ntwo"})
	waitUntil(t, func() bool { return strings.Contains(log.String(), "Probe | one\nProbe | two\n") })
}

func TestALineThatDoesNotEndIsCut(t *testing.T) {
	log := new(output.Buffer)
	l := &lines{prefix: "Probe", to: log}
	for range 3 * maxLine / 1024 {
		l.Write(bytes.Repeat([]byte("x"), 1024))
	}
	if n := strings.Count(log.String(), "\n"); n != 3 {
		t.Errorf("a line of three times the longest is printed as %d", n)
	}
}

func TestStopEndsTheWaitForAnInstance(t *testing.T) {
	f := start1(t, Config{MaxInstances: 1})
	ask(t, f, order{})
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := f.Invoke(context.Background(), payload(order{Do: "sleep", Millis: 60_000}))
			errs <- err
		}()
	}
	waitUntil(t, f.isBusyWith(1))
	begun := time.Now()
	f.Stop()
	if took := time.Since(begun); took >= stopTimeout {
		t.Errorf("Stop took %s: the process was killed, not asked to end", took)
	}
	var failed *Failure
	one, other := <-errs, <-errs
	if errors.Is(other, ErrStopped) {
		one, other = other, one
	}
	if !errors.Is(one, ErrStopped) || !errors.As(other, &failed) {
		t.Errorf("the one that waited got %v, the one at work %v", one, other)
	}
}

func TestStopEndsEveryProcessAndPortAndGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	f := start1(t, Config{MaxInstances: 3})
	pids := together(t, f, 3, order{Do: "sleep", Millis: 100})
	var busy sync.WaitGroup
	busy.Go(func() { f.Invoke(t.Context(), payload(order{Do: "sleep", Millis: 60_000})) })
	f.mu.Lock()
	var ports []string
	for i := range f.instances {
		for _, v := range i.cmd.Env {
			if address, ok := strings.CutPrefix(v, "AWS_LAMBDA_RUNTIME_API="); ok {
				ports = append(ports, address)
			}
		}
	}
	f.mu.Unlock()
	f.Stop()
	busy.Wait()
	for pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d lives on", pid)
		}
	}
	for _, port := range ports {
		if conn, err := net.Dial("tcp", port); err == nil {
			conn.Close()
			t.Errorf("%s is still open", port)
		}
	}
	waitUntil(t, func() bool { return runtime.NumGoroutine() <= before })
	if _, err := f.Invoke(t.Context(), nil); !errors.Is(err, ErrStopped) {
		t.Errorf("Invoke after Stop = %v, want ErrStopped", err)
	}
}

func TestAFunctionEndsWithTheProcessThatStartedIt(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), asParent+"="+probe)
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var function answer
	err = json.NewDecoder(stdout).Decode(&function)
	parent.Process.Kill()
	parent.Wait()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(function.PID, syscall.SIGKILL)
	waitUntil(t, func() bool {
		state, _ := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(function.PID)).Output()
		return len(state) == 0 || state[0] == 'Z' // nobody may be there to bury it
	})
}

func TestTheDeployedFlagsAreUsed(t *testing.T) {
	if err := Build(t.Context(), "../../../..", "internal/dev/local/testdata/functions/nothing", filepath.Join(t.TempDir(), "b")); err == nil ||
		!strings.Contains(err.Error(), "internal/dev/local/testdata/functions/nothing does not build:") {
		t.Errorf("Build of a folder that is not there = %v", err)
	}
	binary, err := os.ReadFile(probe)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-tags=lambda.norpc", "-trimpath=true", "CGO_ENABLED=0"} {
		if !bytes.Contains(binary, []byte(want)) {
			t.Errorf("the binary was not built with %s", want)
		}
	}
}

type order struct {
	Do, Text string
	Millis   int
}

type answer struct {
	PID       int
	Text, ARN string
	LeftMS    int
	RequestID string
}

func payload(o order) []byte {
	b, _ := json.Marshal(o)
	return b
}

// start1 makes the probe as a function that ends with the test.
func start1(t *testing.T, c Config) *Function {
	t.Helper()
	c.Name, c.Bootstrap = "Probe", probe
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	f := New(c)
	t.Cleanup(f.Stop)
	return f
}

func ask(t *testing.T, f *Function, o order) answer {
	t.Helper()
	return askFor[answer](t, f, o)
}

func askFor[T any](t *testing.T, f *Function, o order) (a T) {
	t.Helper()
	response, err := f.Invoke(t.Context(), payload(o))
	if err != nil {
		t.Error(err)
		return a
	}
	if err := json.Unmarshal(response, &a); err != nil {
		t.Error(err)
	}
	return a
}

// isBusyWith asks whether the one instance is at work, and so many invocations wait for it.
func (f *Function) isBusyWith(waiting int) func() bool {
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.instances) == 1 && f.coming == 0 && len(f.waiting) == waiting
	}
}

// together invokes n times at once and returns the processes that answered.
func together(t *testing.T, f *Function, n int, o order) map[int]bool {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	pids := make(map[int]bool)
	for range n {
		all.Go(func() {
			a := ask(t, f, o)
			mu.Lock()
			defer mu.Unlock()
			pids[a.PID] = true
		})
	}
	all.Wait()
	return pids
}

func wantFailure(t *testing.T, f *Function, o order, typ, message string) {
	t.Helper()
	response, err := f.Invoke(t.Context(), payload(o))
	var failed *Failure
	if !errors.As(err, &failed) || failed.Type != typ || !strings.Contains(failed.Message, message) {
		t.Errorf("Invoke = %.80q, %v; want a failure %s with %q", response, err, typ, message)
	}
}

func waitUntil(t *testing.T, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("it did not come true within 10 s")
			return
		}
	}
}

package lambda

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// instance is one process of a function, and the Runtime API that it asks for
// work. All but the channels is guarded by the function's mutex.
type instance struct {
	function *Function
	cmd      *exec.Cmd
	log      *lines
	api      *http.Server
	work     chan *invocation // unbuffered: taken while the process waits for work
	ended    chan struct{}    // closed when process and port are gone

	initialised bool // it has asked for work once
	offered     bool // it has asked for work, and what it gets is not answered yet
	gone        bool
	current     *invocation
	timer       *time.Timer // ends the process: what it does takes too long
	why         *Failure    // why it was ended
}

// invocation is a payload on its way through an instance.
type invocation struct {
	id      string
	payload []byte

	done     chan struct{} // closed when the two below are set
	response []byte
	err      error
}

// start runs a process of f and a port for it. It belongs to f, whose mutex is
// held.
func start(f *Function) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	bootstrap, err := filepath.Abs(f.Bootstrap)
	if err != nil {
		return nil, err
	}
	i := &instance{
		function: f,
		cmd:      exec.Command(bootstrap),
		log:      &lines{prefix: f.Name, to: f.Log},
		work:     make(chan *invocation),
		ended:    make(chan struct{}),
	}
	i.cmd.Dir = filepath.Dir(bootstrap)
	i.cmd.Env = environment(f.Config, i.cmd.Dir, listener.Addr().String())
	i.cmd.Stdout, i.cmd.Stderr = i.log, i.log
	i.cmd.WaitDelay = time.Second
	i.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us; we end it in order
	i.api = &http.Server{Handler: i.runtimeAPI()}
	if err := i.cmd.Start(); err != nil {
		listener.Close()
		return nil, err
	}
	i.endAfter(initTimeout,
		&Failure{"Sandbox.Timedout", fmt.Sprintf("the function did not ask for work within %s", initTimeout)})
	go i.api.Serve(listener) // until wait closes it
	go i.wait()
	return i, nil
}

// wait belongs to the process, and cleans up when it has ended.
func (i *instance) wait() {
	i.cmd.Wait()
	i.api.Close()
	i.log.flush()
	f := i.function
	f.mu.Lock()
	i.gone = true
	i.timer.Stop()
	if i.why == nil {
		i.why = &Failure{"Runtime.ExitError", "the function's process ended: " + i.cmd.ProcessState.String()}
	}
	i.finish(nil, i.why)
	f.remove(i, i.why)
	f.mu.Unlock()
	close(i.ended)
}

// invoke hands the process a payload and waits for its answer. errGone: the
// process ended before it took it.
func (i *instance) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	v := &invocation{id: NewRequestID(), payload: payload, done: make(chan struct{})}
	select {
	case i.work <- v:
	case <-i.ended:
		return nil, errGone
	}
	select {
	case <-v.done:
		return v.response, v.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// offer says that the process waits for work.
func (i *instance) offer() {
	f := i.function
	f.mu.Lock()
	defer f.mu.Unlock()
	if i.offered {
		return
	}
	i.offered, i.initialised = true, true
	f.coming--
	i.timer.Stop()
	f.assign(i)
}

// begin puts v under way: from now on it is the process that must end it. The
// deadline is when that must have happened.
func (i *instance) begin(v *invocation) (deadline time.Time) {
	f := i.function
	f.mu.Lock()
	defer f.mu.Unlock()
	if i.gone {
		v.err = errGone
		close(v.done)
		return time.Now()
	}
	i.current = v
	i.endAfter(f.Timeout,
		&Failure{"Sandbox.Timedout", fmt.Sprintf("Task timed out after %.2f seconds", f.Timeout.Seconds())})
	return time.Now().Add(f.Timeout)
}

// end takes the answer to the invocation id; false if that is not under way.
func (i *instance) end(id string, response []byte, err error) bool {
	f := i.function
	f.mu.Lock()
	defer f.mu.Unlock()
	if i.current == nil || i.current.id != id {
		return false
	}
	i.finish(response, err)
	return true
}

func (i *instance) finish(response []byte, err error) {
	if i.current == nil {
		return
	}
	i.timer.Stop()
	i.current.response, i.current.err = response, err
	close(i.current.done)
	i.current, i.offered = nil, false
	i.function.coming++
}

// endAfter ends the process unless the timer is stopped before.
func (i *instance) endAfter(d time.Duration, why *Failure) {
	current := i.current
	i.timer = time.AfterFunc(d, func() {
		i.function.mu.Lock()
		defer i.function.mu.Unlock()
		if i.gone || i.current != current || i.current == nil && i.offered {
			return // it was just in time
		}
		i.why = why
		fmt.Fprintln(i.log, why)
		i.kill()
	})
}

func (i *instance) terminate() { i.cmd.Process.Signal(syscall.SIGTERM) }
func (i *instance) kill()      { i.cmd.Process.Kill() }

// lines passes on whole lines, each after the name of the function that printed
// it, so that the lines of many instances do not run into each other.
type lines struct {
	prefix string
	to     io.Writer // nil: nowhere

	mu   sync.Mutex
	rest []byte // of a line that has not ended
}

// A line that is longer is cut into several.
const maxLine = 64 << 10

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole && len(l.rest) < maxLine {
			return len(p), nil
		}
		l.print(line)
		l.rest = rest
	}
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.print(l.rest)
		l.rest = nil
	}
}

func (l *lines) print(line []byte) {
	if l.to != nil {
		fmt.Fprintf(l.to, "%s | %s\n", l.prefix, line)
	}
}

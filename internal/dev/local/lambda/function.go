// Package lambda runs Lambda functions on one machine: the very binaries that
// are deployed, as processes with Lambda's environment and nothing of the
// shell's, driven over the Lambda Runtime API.
//
// It keeps Lambda's promises: an instance has one invocation at a time; more at
// once start more instances; one that runs out of time, crashes or cannot start
// is replaced, and its invocation fails as a function error. Unlike Lambda,
// instances are bounded and invocations wait for one for a while.
//
// It owns the processes and the loopback ports that they ask, and ends both. It
// knows neither HTTP requests nor events: a payload goes in, a payload comes out.
package lambda

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Config says how a function is run.
type Config struct {
	Name         string // as "GetUsageFunction"; it begins each line of the log
	Bootstrap    string // path of the binary
	Timeout      time.Duration
	MemoryMB     int // told to the function, not enforced
	Environment  map[string]string
	MaxInstances int       // 0: 10
	Log          io.Writer // gets what the function prints, a line a call, from many goroutines; nil: nowhere
}

// Function is a function that can be invoked, by many goroutines at once. It
// starts no process before it is.
type Function struct {
	Config

	mu        sync.Mutex
	stopped   bool
	instances map[*instance]struct{}
	coming    int                // instances that will soon ask for work: they start, or have just answered
	idle      []*instance        // those that wait for work
	waiting   []chan<- placement // invocations that wait for an instance, first come first served
}

// placement is an instance for a waiting invocation, or why there is none.
type placement struct {
	instance *instance
	err      error
}

const (
	defaultMaxInstances = 10
	maxWaiting          = 100
	initTimeout         = 10 * time.Second // Lambda's own
	stopTimeout         = 2 * time.Second
)

// ErrBusy: all instances are at work, and enough invocations wait for one.
var ErrBusy = errors.New("all instances of the function are busy")

// ErrStopped: the function was stopped.
var ErrStopped = errors.New("the function was stopped")

// Failure is a function error, as Lambda reports one: the function answered with
// an error, or did not answer. Type is the function's own word, or Lambda's:
// "Sandbox.Timedout", "Runtime.ExitError", "Function.ResponseSizeTooLarge".
type Failure struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (f *Failure) Error() string { return f.Type + ": " + f.Message }

// errGone: the instance ended before anything was asked of it.
var errGone = errors.New("the instance is gone")

// New makes a function of a configuration.
func New(c Config) *Function {
	if c.MaxInstances == 0 {
		c.MaxInstances = defaultMaxInstances
	}
	return &Function{Config: c, instances: make(map[*instance]struct{})}
}

// Invoke hands a payload to an instance and returns its answer. Its errors are
// [*Failure], [ErrBusy], [ErrStopped], the context's, and those of a process
// that cannot be started. When ctx ends, Invoke returns; an invocation that has
// begun goes on, as it does in Lambda.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	for {
		i, err := f.place(ctx)
		if err != nil {
			return nil, err
		}
		response, err := i.invoke(ctx, payload)
		if !errors.Is(err, errGone) {
			return response, err
		}
	}
}

// place finds an idle instance, or waits for one.
func (f *Function) place(ctx context.Context) (*instance, error) {
	f.mu.Lock()
	if f.stopped {
		f.mu.Unlock()
		return nil, ErrStopped
	}
	if last := len(f.idle) - 1; last >= 0 {
		i := f.idle[last] // the warmest
		f.idle = f.idle[:last]
		f.mu.Unlock()
		return i, nil
	}
	if len(f.waiting) >= maxWaiting {
		f.mu.Unlock()
		return nil, ErrBusy
	}
	mine := make(chan placement, 1)
	f.waiting = append(f.waiting, mine)
	f.grow()
	f.mu.Unlock()

	select {
	case p := <-mine:
		return p.instance, p.err
	case <-ctx.Done():
		f.leave(mine)
		return nil, ctx.Err()
	}
}

// leave gives up waiting; an instance that has come meanwhile goes to the next.
func (f *Function) leave(mine chan placement) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at := slices.Index(f.waiting, chan<- placement(mine)); at >= 0 {
		f.waiting = slices.Delete(f.waiting, at, at+1)
		return
	}
	if p := <-mine; p.instance != nil {
		f.assign(p.instance)
	}
}

// grow starts an instance where more invocations wait than instances are about
// to ask for work, and there may be one more. f.mu is held, as in all that
// follows.
func (f *Function) grow() {
	if f.stopped || f.coming >= len(f.waiting) || len(f.instances) >= f.MaxInstances {
		return
	}
	i, err := start(f)
	if err != nil {
		f.give(placement{err: fmt.Errorf("%s cannot be started: %w", f.Name, err)})
		return
	}
	f.instances[i] = struct{}{}
	f.coming++
}

// assign gives an instance that waits for work to the first that waits for an
// instance.
func (f *Function) assign(i *instance) {
	if f.stopped || i.gone {
		return
	}
	if !f.give(placement{instance: i}) {
		f.idle = append(f.idle, i)
	}
}

// give ends the wait of the first that waits; false if nobody does.
func (f *Function) give(p placement) bool {
	if len(f.waiting) == 0 {
		return false
	}
	f.waiting[0] <- p
	f.waiting = f.waiting[1:]
	return true
}

// remove takes an instance that has ended out of the pool. One that never asked
// for work fails an invocation that waits: otherwise a function that cannot
// start would be started for ever.
func (f *Function) remove(i *instance, why *Failure) {
	delete(f.instances, i)
	f.idle = slices.DeleteFunc(f.idle, func(other *instance) bool { return other == i })
	if !i.offered {
		f.coming--
	}
	if !i.initialised {
		f.give(placement{err: why})
	}
	f.grow()
}

// Stop ends all instances and returns when they are gone. Invocations that have
// not ended fail.
func (f *Function) Stop() {
	f.mu.Lock()
	f.stopped = true
	for f.give(placement{err: ErrStopped}) {
	}
	var all []*instance
	for i := range f.instances {
		all = append(all, i)
		i.terminate()
	}
	f.mu.Unlock()
	late := time.After(stopTimeout)
	for _, i := range all {
		select {
		case <-i.ended:
		case <-late:
			late = time.After(0)
			i.kill()
			<-i.ended
		}
	}
}

// NewRequestID makes an id of the form that Lambda and API Gateway give to each
// invocation and request: a random UUID.
func NewRequestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

package states

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Runner runs executions of a machine side by side, and ends them all.
type Runner struct {
	name    string
	machine *Machine
	config  Config
	log     io.Writer

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped bool
	under   sync.WaitGroup
}

// ErrStopped: the runner was stopped.
var ErrStopped = errors.New("the state machine was stopped")

// NewRunner makes the runner of a machine of a name, which begins each line of the log. A
// line a call is written for the end of each execution, from many goroutines; of its input,
// and of the cause of its failure, nothing. Nil: nowhere.
func NewRunner(name string, m *Machine, c Config, log io.Writer) *Runner {
	r := &Runner{name: name, machine: m, config: c, log: log}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Start begins an execution and does not wait for it.
func (r *Runner) Start(execution string, input []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return ErrStopped
	}
	r.under.Go(func() {
		outcome := r.machine.Run(r.ctx, r.config, Execution{Machine: r.name, Name: execution, Input: input})
		r.tell(execution, outcome)
	})
	return nil
}

// Stop ends all executions, and returns when they have ended.
func (r *Runner) Stop() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	r.cancel()
	r.under.Wait()
}

func (r *Runner) tell(execution string, o Outcome) {
	if r.log == nil {
		return
	}
	last := "no state"
	if len(o.Visited) > 0 {
		last = o.Visited[len(o.Visited)-1]
	}
	why := ""
	if o.Failure != nil {
		why = ", " + o.Failure.Name
	}
	fmt.Fprintf(r.log, "%s | execution %s: %s after %d states, in %s%s\n",
		r.name, execution, o.Status, len(o.Visited), last, why)
}

package operator

import (
	"cmp"
	"context"
	"sync"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
)

// handover lends the lease's writer to work that cannot begin anew, since it reads what
// comes but once, as from a pipe. Where the lease is lost, the work waits for the next
// writer, and does with that what it was about to write.
type handover struct {
	mu      sync.Mutex
	current *turn         // nil: nobody has the lease now
	changed chan struct{} // closed when there is another turn, or none any more
}

// turn is the time of one writer.
type turn struct {
	*writer
	ctx  context.Context // ends with the lease
	used sync.WaitGroup  // by those that write
}

func newHandover() *handover { return &handover{changed: make(chan struct{})} }

// give begins a turn, which ends with ctx.
func (h *handover) give(ctx context.Context, w *writer) { h.set(&turn{writer: w, ctx: ctx}) }

// take ends the turn, and returns when nobody uses its writer any more.
func (h *handover) take() { h.set(nil).used.Wait() }

func (h *handover) set(next *turn) (before *turn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, h.current = h.current, next
	close(h.changed)
	h.changed = make(chan struct{})
	return before
}

// next waits for a turn that goes on. Who has it calls used.Done.
func (h *handover) next(ctx context.Context) (*turn, error) {
	for {
		h.mu.Lock()
		t, changed := h.current, h.changed
		if t != nil && t.ctx.Err() == nil {
			t.used.Add(1)
			h.mu.Unlock()
			return t, nil
		}
		h.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// write does something with the writer, and again with the next one where the lease is
// lost meanwhile.
func (h *handover) write(ctx context.Context, do func(context.Context, *writer) error) error {
	for {
		t, err := h.next(ctx)
		if err != nil {
			return err
		}
		err = t.write(ctx, do)
		if dynamo.IsOvertaken(err) {
			_ = t.lease.Renew(ctx) // which tells whether it is lost
		}
		if err != nil && t.lease.Lost() {
			select { // in a moment
			case <-t.ctx.Done():
			case <-ctx.Done():
			}
		}
		if err == nil || t.ctx.Err() == nil || ctx.Err() != nil {
			return err
		}
	}
}

func (t *turn) write(ctx context.Context, do func(context.Context, *writer) error) error {
	defer t.used.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	return do(ctx, t.writer)
}

// writingOnce does work that cannot begin anew under the lease: where that is lost, the work
// goes on with the next. Before it comes begin, and behind it end, which may be repeated.
func (o *Operator) writingOnce(ctx context.Context, what string, lent *handover,
	begin func(context.Context, *writer) error, work func(context.Context) error,
	end func(context.Context, *writer) error) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var worked error
	ended := make(chan struct{})
	begun := false
	err := o.writing(ctx, what, func(ctx context.Context, w *writer) error {
		if err := begin(ctx, w); err != nil {
			return err
		}
		lent.give(ctx, w)
		if !begun {
			begun = true
			go func() {
				defer close(ended)
				worked = fault.Caught(func() error { return work(working) })
			}()
		}
		select {
		case <-ended:
		case <-ctx.Done():
		}
		lent.take()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case fault.Is(worked, fault.Unavailable):
			return worked
		}
		return cmp.Or(worked, end(ctx, w))
	})
	if begun {
		cancel(err)
		<-ended
	}
	return cmp.Or(worked, err)
}

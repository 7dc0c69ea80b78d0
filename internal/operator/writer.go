package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// writing does something that changes usage, price lists, time zones or totals: under the
// writer's lease, which it waits for, renews meanwhile and gives back. Days that somebody
// left open are counted before do is called, and those that do has opened when it has
// returned, unless the store is Unavailable or ctx has ended; these stay open, for the next
// who writes. What do starts must end before it returns.
//
// do's context ends when the lease is lost. If do then fails it is called again under
// another lease, with another writer. A lease that is lost behind do's last write changes
// nothing.
func (o *Operator) writing(ctx context.Context, what string, do func(context.Context, *writer) error) error {
	var former *dynamo.Lease // that could not be given back
	for patience := startTimeout; ; patience = writeTimeout {
		lease, err := o.takeLease(ctx, what, former, patience)
		if err != nil {
			return err
		}
		var givenBack bool
		givenBack, err = o.underLease(ctx, lease, do)
		if err == nil || ctx.Err() != nil || !errors.Is(err, dynamo.ErrLeaseLost) {
			return err
		}
		if former = lease; givenBack {
			former = nil
		}
	}
}

// longestPause is how long one who waits for the lease does so without looking again.
const longestPause = 2 * time.Second

// takeLease waits for the lease, and for a store that is unavailable as long as patience
// is. former is a lease that was lost here and is still held, so that one would wait for
// oneself; nil: there is none. UserError: this machine's clock is wrong. *dynamo.LeaseBusy:
// somebody has it for longer than Patience.
func (o *Operator) takeLease(ctx context.Context, what string, former *dynamo.Lease,
	patience time.Duration) (*dynamo.Lease, error) {
	wish := dynamo.LeaseWish{What: what, Where: o.where(), Work: o.Work, Times: o.LeaseTimes, Now: o.LeaseClock}
	tooLong := time.Now().Add(o.Patience)
	for pause := longestPause / 64; ; pause = min(2*pause, longestPause) {
		if former != nil && o.giveBack(ctx, former) {
			former = nil
		}
		lease, err := o.tryLease(ctx, wish, patience)
		var wrong *dynamo.WrongClock
		if errors.As(err, &wrong) {
			return nil, UserError(wrong.Error())
		}
		if !errors.As(err, &wish.Refused) {
			return lease, err
		}
		if o.Patience > 0 && time.Now().After(tooLong) {
			return nil, wish.Refused
		}
		if o.Waiting != nil {
			o.Waiting(*wish.Refused)
		}
		patience = writeTimeout
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fault.New(fault.Unavailable, "waiting for the writer's lease", ctx.Err())
		}
	}
}

func (o *Operator) where() string {
	if o.Where != "" {
		return o.Where
	}
	host, err := os.Hostname()
	if err != nil {
		host = "a host without a name"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

func (o *Operator) tryLease(ctx context.Context, wish dynamo.LeaseWish, patience time.Duration) (*dynamo.Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return o.store.TakeLease(ctx, wish)
}

// giveBack gives a lease back where that can be done soon; else it runs out.
func (o *Operator) giveBack(ctx context.Context, lease *dynamo.Lease) bool {
	ctx, cancel := finish(ctx)
	defer cancel()
	ctx, end := context.WithTimeout(ctx, lease.Times().Gone+startTimeout)
	defer end()
	return lease.GiveBack(ctx) == nil
}

// underLease is writing with a lease that is taken. An error is ErrLeaseLost where do is
// to be called again. A lease under which do has panicked is not given back: nobody knows
// what is still under way.
func (o *Operator) underLease(ctx context.Context, lease *dynamo.Lease,
	do func(context.Context, *writer) error) (givenBack bool, err error) {
	leased, cancel := context.WithCancelCause(ctx)
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var renewal sync.WaitGroup
	renewal.Go(func() {
		cancel(fault.Caught(func() error { return keepLease(renewing, lease) }))
	})
	func() {
		defer func() { stop(); renewal.Wait() }()
		err = o.writeAndCount(leased, newWriter(leased, o.store.Under(lease), lease), do)
		if dynamo.IsOvertaken(err) {
			_ = lease.Renew(renewing) // which tells whether it is lost
		}
	}()
	if err != nil && lease.Lost() && !errors.Is(err, dynamo.ErrLeaseLost) {
		err = fmt.Errorf("%w: %w", dynamo.ErrLeaseLost, err) // it failed for that, or will fail again
	}
	return o.giveBack(ctx, lease), err
}

// keepLease renews a lease until ctx ends or it is lost, which is the error.
func keepLease(ctx context.Context, lease *dynamo.Lease) error {
	times := lease.Times()
	for pause := times.Renew; ; {
		select {
		case <-time.After(min(pause, lease.Left())):
		case <-lease.Ended(): // as one knows who was put to sleep, and sends something
		case <-ctx.Done():
			return nil
		}
		err := renew(ctx, lease)
		if errors.Is(err, dynamo.ErrLeaseLost) {
			return err
		}
		if pause = times.Renew; err != nil {
			pause = min(pause, time.Second)
		}
	}
}

func renew(ctx context.Context, lease *dynamo.Lease) error {
	ctx, cancel := context.WithTimeout(ctx, lease.Left())
	defer cancel()
	return lease.Renew(ctx)
}

// writeAndCount counts what others have left open, does something, and counts what that has
// touched; also where it failed, since it may have written some.
func (o *Operator) writeAndCount(ctx context.Context, w *writer, do func(context.Context, *writer) error) error {
	if err := w.openLeft(ctx); err != nil {
		return err
	}
	if err := w.count(ctx, o.Counting); err != nil {
		return err
	}
	err := do(ctx, w)
	if fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
		return cmp.Or(err, context.Cause(ctx))
	}
	notCounted := w.count(ctx, o.Counting)
	switch {
	case err != nil:
		return err
	case notCounted != nil:
		return &NotCounted{notCounted}
	}
	return nil
}

// NotCounted says that all was done, and days stay open that it has touched: whoever
// writes next counts them, as CountOpen does.
type NotCounted struct{ Err error }

func (e *NotCounted) Error() string { return e.Err.Error() }
func (e *NotCounted) Unwrap() error { return e.Err }

// CountOpen counts the days that stand open, from whoever did not come to count them.
func (o *Operator) CountOpen(ctx context.Context) error {
	return o.writing(ctx, "count totals", func(context.Context, *writer) error { return nil })
}

// writer writes under one lease. Its methods may be called from several goroutines, count
// when nobody writes or opens days.
type writer struct {
	store *dynamo.Store // whose calls are sent while the lease counts
	lease *dynamo.Lease

	zonesUntil context.Context // in which zones are read
	mu         sync.Mutex
	zones      map[usage.AccountID]func() (*time.Location, error)
	marked     *dynamo.SharedMarks             // months and logs
	opened     map[totals.LogDay]totals.Mark   // and not counted since
	opening    map[totals.LogDay]chan struct{} // closed when it is opened, or is not
}

func newWriter(ctx context.Context, store *dynamo.Store, lease *dynamo.Lease) *writer {
	return &writer{store: store, lease: lease, zonesUntil: ctx,
		zones: make(map[usage.AccountID]func() (*time.Location, error)), marked: new(dynamo.SharedMarks),
		opened: make(map[totals.LogDay]totals.Mark), opening: make(map[totals.LogDay]chan struct{})}
}

// dayOf is the day of a log on which an instant lies for its customer, whose zone is read
// once: nobody else changes it.
func (w *writer) dayOf(log usage.Log, t time.Time) (totals.LogDay, error) {
	w.mu.Lock()
	zone := w.zones[log.Account]
	if zone == nil {
		zone = sync.OnceValues(func() (*time.Location, error) {
			z, err := w.store.AccountZone(w.zonesUntil, log.Account)
			if err != nil {
				return nil, err
			}
			return z.Location()
		})
		w.zones[log.Account] = zone
	}
	w.mu.Unlock()
	location, err := zone()
	if err != nil {
		return totals.LogDay{}, err
	}
	return totals.LogDay{Log: log, Day: totals.DayOf(t, location)}, nil
}

// open makes days known as being written. When it returns without an error all of them
// are, by whichever goroutine, and may be written into until they are counted.
func (w *writer) open(ctx context.Context, days []totals.LogDay) error {
	for {
		mine, others := w.notOpen(days)
		if len(mine) > 0 {
			mark := w.lease.NextMark()
			err := w.store.OpenMoreDays(ctx, mark, mine, w.marked)
			w.haveOpened(mine, mark, err)
			if err != nil {
				return err
			}
		}
		if len(others) == 0 {
			return nil
		}
		for _, done := range others {
			select {
			case <-done:
			case <-ctx.Done():
				return fault.New(fault.Unavailable, "waiting for a day to be opened", ctx.Err())
			}
		}
	}
}

// notOpen claims those of some days that nobody has opened, and finds those that others are
// opening.
func (w *writer) notOpen(days []totals.LogDay) (mine []totals.LogDay, others []chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := make(chan struct{})
	for _, d := range days {
		if _, open := w.opened[d]; open {
			continue
		}
		switch opening := w.opening[d]; opening {
		case nil:
			w.opening[d] = done
			mine = append(mine, d)
		case done: // it is named twice
		default:
			others = append(others, opening)
		}
	}
	return mine, others
}

func (w *writer) haveOpened(days []totals.LogDay, mark totals.Mark, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := w.opening[days[0]] // the same for all
	for _, d := range days {
		delete(w.opening, d)
		if err == nil {
			w.opened[d] = mark
		}
	}
	close(done)
}

// openLeft opens anew the days that stand open, from a writer that did not come to count
// them.
func (w *writer) openLeft(ctx context.Context) error {
	left, _, err := w.store.DaysUnderWay(ctx)
	if err != nil {
		return err
	}
	days := make([]totals.LogDay, len(left))
	for i, d := range left {
		days[i] = d.LogDay
	}
	return w.open(ctx, days)
}

// count counts all days that are open, when all that was written into them is answered.
// progress may be nil.
func (w *writer) count(ctx context.Context, progress func(days, of int)) error {
	days := w.openDays()
	if len(days) == 0 {
		return nil
	}
	if err := w.lease.Settled(ctx); err != nil {
		return err
	}
	w.marked = new(dynamo.SharedMarks) // a count takes marks off, also one that fails
	if err := countDays(ctx, w.store, w.lease.Now, days, progress); err != nil {
		return err
	}
	// A count's write that comes late must not make a day whole that is open again.
	if err := w.lease.Settled(ctx); err != nil && !errors.Is(err, dynamo.ErrLeaseLost) {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range days {
		delete(w.opened, d.LogDay)
	}
	return nil
}

// openDays are those that are to be counted, by account, product and day.
func (w *writer) openDays() []totals.OpenDay {
	w.mu.Lock()
	defer w.mu.Unlock()
	days := make([]totals.OpenDay, 0, len(w.opened))
	for d, mark := range w.opened {
		days = append(days, totals.OpenDay{LogDay: d, Mark: mark})
	}
	slices.SortFunc(days, func(a, b totals.OpenDay) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Product, b.Product), cmp.Compare(a.Day, b.Day))
	})
	return days
}

package dynamo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/fault"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// LeaseTimes say how long what of the writer's lease counts.
type LeaseTimes struct {
	Renew time.Duration // from one renewal to the next
	Lost  time.Duration // since the last renewal began: nothing is written any more
	Free  time.Duration // since the last renewal, by DynamoDB's clock: anybody may take it
	Gone  time.Duration // after which a call that was never answered is over, and what a dead process has sent
	Apart time.Duration // that this machine's clock may differ from DynamoDB's
}

// StandardLeaseTimes are those of a table on AWS. Free is more than Lost and Apart, and
// the five minutes for which a signature counts: a call that its writer has sent while it
// might, and that was held up on the way, is refused by then.
func StandardLeaseTimes() LeaseTimes {
	return LeaseTimes{Renew: 20 * time.Second, Lost: time.Minute, Free: 9 * time.Minute, Gone: time.Minute,
		Apart: 30 * time.Second}
}

// leaseTimes are those that a wish may have. They are settings on an engine of one's own
// alone: on AWS a shorter one would let two write at once.
func (s *Store) leaseTimes(wished LeaseTimes) LeaseTimes {
	times := StandardLeaseTimes()
	if !s.engineIsHere() {
		return times
	}
	if wished != (LeaseTimes{}) {
		return wished
	}
	times.Gone = 100 * time.Millisecond // nothing is on its way for longer within a machine
	return times
}

// ErrLeaseLost is what every call ends with that was to be sent under a lease which
// counts no longer.
var ErrLeaseLost = errors.New("the writer's lease is lost")

// leaseLost is an ErrLeaseLost with its reason.
type leaseLost struct{ why string }

func (e *leaseLost) Error() string { return ErrLeaseLost.Error() + ": " + e.why }
func (e *leaseLost) Unwrap() error { return ErrLeaseLost }

// CanceledError keeps the SDK from trying again: to it, what was never sent is a broken
// connection.
func (e *leaseLost) CanceledError() bool { return true }

// Lease is the right to write usage, price lists, time zones and totals, which one
// process has at a time. It is kept by renewing it, and counts only for so long after a
// renewal (LeaseTimes.Lost). What is sent under it goes through [Store.Under].
//
// Its methods may be called from several goroutines.
type Lease struct {
	store *Store // whose calls are not held back
	times LeaseTimes
	now   func() time.Time
	clock *engineClock
	id    string // new at each taking
	term  int64

	renewing sync.Mutex // one at a time
	stored   time.Time  // the time of the renewal that was sent last: only a later one replaces it

	mu       sync.Mutex
	renewed  time.Time     // when the last renewal that succeeded began
	lost     *leaseLost    // for good
	ended    chan struct{} // closed when it is known to be lost
	marks    int64         // given out
	underWay int           // writes that were sent and are not answered yet
	silent   time.Time     // when the last one ended that was never answered
	changed  chan struct{} // closed when a write has ended
}

func (l *Lease) update(ctx context.Context, op, update, condition string, values item, names map[string]string) error {
	_, err := l.store.updateOnce(ctx, op, &dynamodb.UpdateItemInput{
		TableName: &l.store.tables.Ledger, Key: leaseKey, UpdateExpression: &update, ConditionExpression: &condition,
		ExpressionAttributeValues: values, ExpressionAttributeNames: names,
	})
	return err
}

// Renew tries once to renew the lease. ErrLeaseLost: it is lost for good. Unavailable: it
// was not answered, and may be tried again for as long as it counts.
func (l *Lease) Renew(ctx context.Context) error {
	l.renewing.Lock()
	defer l.renewing.Unlock()
	begun := l.now()
	if err := l.counts(); err != nil {
		return err
	}
	const op = "renew the writer's lease"
	at := wall(begun).Truncate(time.Millisecond)
	if !at.After(l.stored) {
		at = l.stored.Add(time.Millisecond) // the clock was set back a little
	}
	l.stored = at
	// An older one that comes late does not replace it.
	err := l.update(ctx, op, "SET renewedAt = :now", "holder = :id AND renewedAt < :now",
		item{":id": str(l.id), ":now": str(usage.FormatTime(at))}, nil)
	if isConditionFailed(err) {
		var there storedLease
		if there, err = l.store.storedLease(ctx); err != nil {
			return err
		}
		if there.holder != l.id {
			return l.lose("%q (%s) has taken it", there.What, there.Where)
		}
		if there.renewedAt != usage.FormatTime(at) {
			return fault.New(fault.Unavailable, op+": renewed out of turn", nil)
		}
	}
	if err != nil {
		return err
	}
	if err := l.clock.check(l.times.Apart); err != nil {
		return l.lose("%v", err)
	}
	l.mu.Lock()
	l.renewed = begun
	l.mu.Unlock()
	return l.counts() // the answer may have come late
}

// GiveBack ends the lease, so that another can take it at once. From then on nothing is
// sent under it; what was sent it waits for, as [Lease.Settled] does. It is no error if the
// lease is somebody else's by then. With an error the lease runs out by itself.
func (l *Lease) GiveBack(ctx context.Context) error {
	_ = l.lose("it is given back") // an error for others
	if err := l.allAnswered(ctx); err != nil {
		return err
	}
	return retryUnavailable(ctx, func() error {
		err := l.update(ctx, "give the writer's lease back", "REMOVE holder, #process",
			"holder = :id", item{":id": str(l.id)}, map[string]string{"#process": "process"})
		if isConditionFailed(err) {
			return nil
		}
		return err
	})
}

// counts is nil while the lease counts, and ErrLeaseLost from then on, even if a renewal
// succeeds later.
func (l *Lease) counts() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.countsLocked()
}

func (l *Lease) countsLocked() error {
	if l.lost == nil && since(l.renewed, l.now()) >= l.times.Lost {
		l.loseLocked("it was not renewed for %v", l.times.Lost)
	}
	if l.lost != nil {
		return l.lost
	}
	return nil
}

func (l *Lease) lose(format string, args ...any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == nil {
		l.loseLocked(format, args...)
	}
	return l.lost
}

func (l *Lease) loseLocked(format string, args ...any) {
	l.lost = &leaseLost{fmt.Sprintf(format, args...)}
	close(l.ended)
}

// Ended is closed when the lease is known to be lost, or is given back. That it has run out
// is found by who asks or sends something.
func (l *Lease) Ended() <-chan struct{} { return l.ended }

// Lost reports whether the lease counts no longer.
func (l *Lease) Lost() bool { return l.counts() != nil }

// Term is how often the lease was taken, this time included.
func (l *Lease) Term() int64 { return l.term }

// Times are those that count for this lease.
func (l *Lease) Times() LeaseTimes { return l.times }

// Left is how long the lease still counts if it is not renewed before.
func (l *Lease) Left() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.countsLocked() != nil {
		return 0
	}
	return l.times.Lost - since(l.renewed, l.now())
}

// NextMark is above every mark that this lease, or one before it, has given out.
func (l *Lease) NextMark() totals.Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks++
	return totals.Mark{Term: l.term, Number: l.marks}
}

// Now is the time by DynamoDB's clock.
func (l *Lease) Now() time.Time { return l.clock.Now() }

// Settled waits until no write that was sent under the lease can land any more: each was
// answered, or ended without an answer so long ago (LeaseTimes.Gone) that it is over.
func (l *Lease) Settled(ctx context.Context) error {
	if err := l.allAnswered(ctx); err != nil {
		return err
	}
	return l.counts()
}

func (l *Lease) allAnswered(ctx context.Context) error {
	for {
		l.mu.Lock()
		underWay, changed := l.underWay, l.changed
		var rest time.Duration // until what was never answered is over
		if !l.silent.IsZero() {
			rest = l.times.Gone - l.now().Sub(l.silent)
		}
		l.mu.Unlock()
		var timer <-chan time.Time
		switch {
		case underWay > 0:
		case rest <= 0:
			return nil
		default:
			timer = time.After(rest)
		}
		select {
		case <-changed:
		case <-timer:
		case <-ctx.Done():
			return fault.New(fault.Unavailable, "waiting for what was sent under the writer's lease", ctx.Err())
		}
	}
}

// since is how long ago something was: by the wall clock, since the other stops while a
// machine sleeps, and by the other, since the wall clock may be set back.
func since(t, now time.Time) time.Duration { return max(now.Sub(t), wall(now).Sub(wall(t))) }

// wall is a time without the reading of the clock that only runs forward.
func wall(t time.Time) time.Time { return t.Round(0) }

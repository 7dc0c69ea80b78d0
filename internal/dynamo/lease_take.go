package dynamo

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/usage"
)

// LeaseWish is who wants the writer's lease.
type LeaseWish struct {
	What  string // it does, for those who wait: "import usage"
	Where string // it runs: "host/pid"
	// Work names what is done by several calls of which none begins before the one before it
	// has ended, or is known to have failed. A holder of the same work is such a one. Empty:
	// there is none.
	Work string
	// Times count on an engine on this machine; zero: the standard ones, with a short Gone.
	Times LeaseTimes
	// Now is the wall clock; nil: time.Now.
	Now func() time.Time
	// Refused is what the try before this one was answered: a holder that is gone is
	// waited for since it was first seen to be.
	Refused *LeaseBusy
}

// LeaseBusy says that somebody else has the lease.
type LeaseBusy struct {
	LeaseHolder
	// FreeAt is when the lease can be taken unless it is renewed, by this machine's clock;
	// if it is given back, before.
	FreeAt time.Time

	id        string
	goneSince time.Time
}

func (b *LeaseBusy) Error() string {
	return fmt.Sprintf("%q is writing (%s, since %s)", b.What, b.Where, usage.FormatTime(b.Since))
}

// TakeLease tries once to take the writer's lease, and repeats that only while the store
// is Unavailable. *LeaseBusy: somebody has it. *WrongClock: this machine may not write.
func (s *Store) TakeLease(ctx context.Context, wish LeaseWish) (*Lease, error) {
	l := &Lease{times: s.leaseTimes(wish.Times), now: wish.Now, id: rand.Text(), changed: make(chan struct{}),
		ended: make(chan struct{})}
	if l.now == nil {
		l.now = time.Now
	}
	l.clock = &engineClock{now: l.now}
	l.store = s.through(func(next dynamodb.HTTPClient) dynamodb.HTTPClient { return &dated{l.clock, next} })
	var firstTry time.Time
	err := retryUnavailable(ctx, func() error {
		for {
			there, err := l.store.storedLease(ctx)
			if err != nil {
				return err
			}
			if err := l.clock.check(l.times.Apart); err != nil {
				return err
			}
			if there.holder == l.id { // the answer was lost, and not the lease
				l.term, l.stored, l.renewed = there.term, there.Renewed, firstTry
				return nil
			}
			if busy := l.busy(there, wish); busy != nil {
				return busy
			}
			begun := l.now()
			if firstTry.IsZero() {
				firstTry = begun
			}
			if err = l.take(ctx, there, wish, begun); err == nil {
				l.term, l.stored, l.renewed = there.term+1, wall(begun), begun
			}
			if !isConditionFailed(err) {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// busy says who has the lease; nil: it may be taken. What was sent under it is over then.
func (l *Lease) busy(there storedLease, wish LeaseWish) *LeaseBusy {
	if there.holder == "" {
		return nil
	}
	local := l.now()
	age := l.clock.Now().Sub(there.Renewed)
	busy := &LeaseBusy{LeaseHolder: there.LeaseHolder, FreeAt: local.Add(l.times.Free - age), id: there.holder}
	over := local.Add(l.times.Lost + l.times.Gone - age) // what it has sent last it has sent before Lost
	if busy.Gone = l.store.processIsGone(there.process); busy.Gone {
		busy.goneSince = local
		if refused := wish.Refused; refused != nil && refused.id == there.holder && refused.Gone {
			busy.goneSince = refused.goneSince
		}
		busy.FreeAt = earliest(busy.FreeAt, over, busy.goneSince.Add(l.times.Gone))
	}
	// One of which only others say that it has ended may live, and then it renews the lease.
	if busy.Former = wish.Work != "" && there.work == wish.Work; busy.Former {
		busy.FreeAt = earliest(busy.FreeAt, over)
	}
	if local.Before(busy.FreeAt) {
		return busy
	}
	return nil
}

func earliest(times ...time.Time) time.Time { return slices.MinFunc(times, time.Time.Compare) }

// take writes the lease over what was read of it.
func (l *Lease) take(ctx context.Context, there storedLease, wish LeaseWish, begun time.Time) error {
	values := item{":new": num(there.term + 1), ":id": str(l.id), ":what": str(wish.What), ":where": str(wish.Where),
		":process": str(l.store.thisProcess()), ":work": str(wish.Work), ":now": str(usage.FormatTime(begun))}
	condition := "attribute_not_exists(pk)"
	if there.term > 0 {
		condition = "term = :term AND attribute_not_exists(holder)"
		values[":term"] = num(there.term)
	}
	if there.holder != "" {
		condition = "term = :term AND holder = :holder AND renewedAt = :renewed"
		values[":holder"], values[":renewed"] = str(there.holder), str(there.renewedAt)
	}
	return l.update(ctx, "take the writer's lease", "SET term = :new, holder = :id, #what = :what, #where = :where, "+
		"#process = :process, #work = :work, takenAt = :now, renewedAt = :now", condition, values,
		map[string]string{"#what": "what", "#where": "where", "#process": "process", "#work": "work"})
}

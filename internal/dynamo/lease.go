package dynamo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// LeaseHolder is who has the writer's lease.
type LeaseHolder struct {
	What, Where string
	Since       time.Time // it has the lease, by its clock
	Renewed     time.Time // when it said so last, by its clock
	Gone        bool      // its process was on this machine and is no more
	Former      bool      // it was a call of the same work, which has ended
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

var leaseKey = item{"pk": str("WRITER"), "sk": str("LEASE")}

var leaseAttributes = project("pk", "sk", "term", "holder", "what", "where", "process", "work", "takenAt",
	"renewedAt")

// storedLease is the item of the lease. Without a holder it is free; a term of 0: it was
// never taken.
type storedLease struct {
	term      int64
	holder    string
	process   string
	work      string
	renewedAt string // as it stands there
	LeaseHolder
}

func (s *Store) storedLease(ctx context.Context) (l storedLease, err error) {
	it, err := s.getConsistent(ctx, "writer's lease", s.tables.Ledger, leaseKey, leaseAttributes)
	if fault.Is(err, fault.NotFound) {
		return storedLease{}, nil
	}
	if err != nil {
		return storedLease{}, err
	}
	r := reader{item: it}
	if n := r.number("term"); n != nil {
		l.term = *n
	}
	l.holder, l.process, l.renewedAt = r.text("holder"), r.text("process"), r.text("renewedAt")
	l.work = r.text("work")
	l.LeaseHolder = LeaseHolder{What: r.text("what"), Where: r.text("where"), Since: r.time("takenAt"),
		Renewed: r.time("renewedAt")}
	if r.err == nil && (l.term <= 0 || l.holder != "" && l.Renewed.IsZero()) {
		r.fail("term or renewedAt", "there")
	}
	if r.err != nil {
		return storedLease{}, badItem("lease", "WRITER", r.err)
	}
	return l, nil
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

// engineClock is DynamoDB's, as the dates of its answers tell it.
type engineClock struct {
	now func() time.Time // this machine's

	mu    sync.Mutex
	known bool
	ahead time.Duration // of this machine's; 0 while the answers do not contradict that
}

// heard compares the date of an answer, which is in whole seconds, with when the call
// began and ended here.
func (c *engineClock) heard(date, began, ended time.Time) {
	began, ended = wall(began), wall(ended)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known, c.ahead = true, 0
	if last := date.Add(time.Second); last.Before(began) {
		c.ahead = last.Sub(began)
	} else if date.After(ended) {
		c.ahead = date.Sub(ended)
	}
}

// Now is the time by DynamoDB's clock.
func (c *engineClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wall(c.now()).Add(c.ahead).UTC()
}

// check is an error where the clocks differ too much, in words for the operator.
func (c *engineClock) check(most time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.known:
		return fault.New(fault.Internal, "DynamoDB's answers bear no date", nil)
	case c.ahead.Abs() <= most:
		return nil
	}
	return &WrongClock{c.ahead, most}
}

// WrongClock says that this machine's clock and DynamoDB's are too far apart.
type WrongClock struct {
	Ahead time.Duration // DynamoDB's of this machine's
	Most  time.Duration // that they may be apart
}

func (w *WrongClock) Error() string {
	word := "behind"
	if w.Ahead < 0 {
		word = "ahead of"
	}
	return fmt.Sprintf("this machine's clock is %v %s DynamoDB's: set it right, to within %v, before anything "+
		"is written",
		w.Ahead.Abs().Round(time.Second), word, w.Most)
}

// through is a copy of the store whose calls pass something on their way, after they are
// signed, each attempt of its own.
func (s *Store) through(wrap func(dynamodb.HTTPClient) dynamodb.HTTPClient) *Store {
	db := dynamodb.New(s.db.Options(), func(o *dynamodb.Options) { o.HTTPClient = wrap(o.HTTPClient) })
	return &Store{Consumed: s.Consumed, db: db, tables: s.tables, limiter: s.limiter}
}

// dated tells a clock the dates of answers.
type dated struct {
	clock *engineClock
	next  dynamodb.HTTPClient
}

func (d *dated) Do(r *http.Request) (*http.Response, error) {
	began := d.clock.now()
	answer, err := d.next.Do(r)
	if err == nil {
		if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
			d.clock.heard(date, began, d.clock.now())
		}
	}
	return answer, err
}

package dynamo

import (
	"context"
	"time"

	"partnerview/internal/fault"
)

// LeaseHolder is who has the writer's lease.
type LeaseHolder struct {
	What, Where string
	Since       time.Time // it has the lease, by its clock
	Renewed     time.Time // when it said so last, by its clock
	Gone        bool      // its process was on this machine and is no more
	Former      bool      // it was a call of the same work, which has ended
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

// Writer reads who has the writer's lease, as far as that can be told without taking it; nil:
// nobody, or somebody who is surely gone, or who has not renewed it for so long that anybody
// may take it.
func (s *Store) Writer(ctx context.Context, now time.Time) (holder *LeaseHolder, err error) {
	var there storedLease
	err = retryUnavailable(ctx, func() (err error) {
		there, err = s.storedLease(ctx)
		return err
	})
	if err != nil || there.holder == "" || s.processIsGone(there.process) ||
		now.Sub(there.Renewed) >= s.leaseTimes(LeaseTimes{}).Free {
		return nil, err
	}
	return &there.LeaseHolder, nil
}

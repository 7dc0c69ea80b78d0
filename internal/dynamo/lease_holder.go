package dynamo

import (
	"context"
	"time"
)

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

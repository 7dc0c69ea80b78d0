package operator

import (
	"context"
	"slices"

	"partnerview/internal/dynamo"
	"partnerview/internal/totals"
)

// openDaysOf opens the days of records that are about to be written.
func (w *writer) openDaysOf(ctx context.Context, touched []dynamo.Touched) error {
	days := make([]totals.LogDay, 0, 1)
	seen := make(map[totals.LogDay]bool)
	for _, t := range touched {
		day, err := w.dayOf(t.Log, t.Timestamp)
		if err != nil {
			return err
		}
		if !seen[day] {
			seen[day] = true
			days = append(days, day)
		}
	}
	return w.openAll(ctx, days)
}

// leave has the open days counted by totals rebuild alone: until then they are pending.
func (w *writer) leave(ctx context.Context) error {
	if err := w.lease.Settled(ctx); err != nil {
		return err
	}
	days := w.openDays()
	for batch := range slices.Chunk(days, leftAtOnce) {
		err := within(ctx, func(ctx context.Context) error { return w.store.LeaveForLater(ctx, batch) })
		if err != nil {
			return err
		}
		w.mu.Lock()
		for _, d := range batch {
			delete(w.opened, d.LogDay)
		}
		w.mu.Unlock()
	}
	return nil
}

// leftAtOnce is how many days are left for later within the time of one write.
const leftAtOnce = 1000

// openAll opens days within the time of one write.
func (w *writer) openAll(ctx context.Context, days []totals.LogDay) error {
	if len(days) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return w.open(ctx, days)
}

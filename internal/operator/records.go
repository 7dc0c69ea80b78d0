package operator

import (
	"context"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/usage"
)

// Selection says which of a customer's records are meant: those that meet every
// condition which is given.
type Selection struct {
	Account  usage.AccountID
	Products []usage.Product // empty: all
	Period   usage.Period
	IDs      []usage.RecordID // the platform's; WhatsApp's may be given as they are
	Last4    string           // the last four digits of from or to
}

func (s Selection) logs() []usage.Log {
	var logs []usage.Log
	for _, p := range usage.Products() {
		if len(s.Products) == 0 || slices.Contains(s.Products, p) {
			logs = append(logs, usage.Log{Account: s.Account, Product: p})
		}
	}
	return logs
}

// storedIDs are the ids under which the selection's may be stored in a log.
func (s Selection) storedIDs(log usage.Log) (ids []usage.RecordID) {
	for _, id := range s.IDs {
		for _, stored := range storedIDs(log, id) {
			if !slices.Contains(ids, stored) {
				ids = append(ids, stored)
			}
		}
	}
	return ids
}

// storedIDs are those under which a record may be stored that the platform calls
// so: one of WhatsApp's is mostly hashed, but another program may have stored it as
// it is.
func storedIDs(log usage.Log, id usage.RecordID) []usage.RecordID {
	if hashed, err := log.RecordID(string(id)); err == nil && hashed != id {
		return []usage.RecordID{hashed, id}
	}
	return []usage.RecordID{id}
}

func (s Selection) has(r usage.Record) bool {
	return s.Period.Contains(r.Timestamp) && (s.Last4 == "" || r.From.Last4() == s.Last4 || r.To.Last4() == s.Last4)
}

// Records reads the records of a selection, product by product and each oldest
// first, as they are asked for. Those whose retention has ended by now are not
// among them.
func (o *Operator) Records(ctx context.Context, s Selection) iter.Seq2[usage.Record, error] {
	return o.records(ctx, s, o.now())
}

// pageOfRecords is how many records are read at a time.
const pageOfRecords = 500

// records reads the records whose retention has not ended by a time; zero: all.
func (o *Operator) records(ctx context.Context, s Selection, now time.Time) iter.Seq2[usage.Record, error] {
	return func(yield func(usage.Record, error) bool) {
		for _, log := range s.logs() {
			for page, err := range o.pages(ctx, log, s, now) {
				if err != nil {
					yield(usage.Record{}, err)
					return
				}
				for _, r := range page {
					if s.has(r) && !yield(r, nil) {
						return
					}
				}
			}
		}
	}
}

// pages reads a log: those records that bear the selection's ids, or else those
// of its period.
func (o *Operator) pages(ctx context.Context, log usage.Log, s Selection, now time.Time) iter.Seq2[[]usage.Record, error] {
	return func(yield func([]usage.Record, error) bool) {
		for _, id := range s.storedIDs(log) {
			records, err := o.store.RecordsByID(ctx, log, id)
			records = slices.DeleteFunc(records, func(r usage.Record) bool {
				return !now.IsZero() && !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
			})
			if !yield(records, err) || err != nil {
				return
			}
		}
		if len(s.IDs) > 0 {
			return
		}
		for q := (usage.Query{Period: s.Period, Order: usage.OldestFirst, Limit: pageOfRecords, Now: now}); ; {
			page, err := o.store.Log(ctx, log, q)
			if !yield(page.Records, err) || err != nil || page.Next == nil {
				return
			}
			q.After = page.Next
		}
	}
}

// RecordCount is how many records of a product a selection has, and from when.
type RecordCount struct {
	Product     usage.Product
	Records     int
	First, Last time.Time
}

// CountRecords counts what DeleteRecords would delete, by product; one without
// any is left out. It reads every record of the selection.
func (o *Operator) CountRecords(ctx context.Context, s Selection) ([]RecordCount, error) {
	var counts []RecordCount
	for r, err := range o.records(ctx, s, time.Time{}) {
		if err != nil {
			return nil, err
		}
		if last := len(counts) - 1; last < 0 || counts[last].Product != r.Product {
			counts = append(counts, RecordCount{Product: r.Product, First: r.Timestamp, Last: r.Timestamp})
		}
		c := &counts[len(counts)-1]
		c.Records++
		if r.Timestamp.Before(c.First) { // records by id come in the order of the ids
			c.First = r.Timestamp
		}
		if r.Timestamp.After(c.Last) {
			c.Last = r.Timestamp
		}
	}
	return counts, nil
}

const (
	deleteBatch   = 25 // records of one call
	deletesAtOnce = 8  // calls
)

// DeleteRecords deletes the records of a selection, those too whose retention
// has ended, and counts them. It tells progress how many are deleted so far,
// from one goroutine. Interrupted, it has deleted some; to run it again deletes
// the rest. A record that is loaded meanwhile may stay.
func (o *Operator) DeleteRecords(ctx context.Context, s Selection, progress func(int)) (deleted int, err error) {
	batch := make([]usage.Record, 0, deletesAtOnce*deleteBatch)
	flush := func() error {
		group, ctx := errgroup.WithContext(ctx)
		for part := range slices.Chunk(batch, deleteBatch) {
			places := make([]usage.Position, len(part))
			for i, r := range part {
				places[i] = r.Position()
			}
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				return o.store.DeleteUsage(ctx, part[0].Log, places)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		deleted += len(batch)
		progress(deleted)
		batch = batch[:0]
		return nil
	}
	for r, err := range o.records(ctx, s, time.Time{}) {
		if err != nil {
			return deleted, err
		}
		if full := len(batch) == cap(batch); full || len(batch) > 0 && batch[0].Log != r.Log {
			if err := flush(); err != nil {
				return deleted, err
			}
		}
		batch = append(batch, r)
	}
	return deleted, flush()
}

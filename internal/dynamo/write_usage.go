package dynamo

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"partnerview/internal/usage"
)

// MaxUsageBatch is how many records or receipts are taken at a time.
const MaxUsageBatch = maxBatchGet

// Writing says how usage is written. The zero Writing is for a plain import.
type Writing struct {
	// CountChanges compares what is to be written with what is stored, and leaves
	// a record that is stored already as it is.
	CountChanges bool
	// DryRun reads and counts, and writes nothing.
	DryRun bool
	// Before is called before the first write, with the records that will be written;
	// its error ends the batch. Where nothing will be, it is not called. It may be nil.
	Before func(context.Context, []Touched) error
}

// Touched is when a record of a log is, that is about to be written.
type Touched struct {
	usage.Log
	Timestamp time.Time
}

func (w Writing) before(ctx context.Context, touched []Touched) error {
	if w.Before == nil || len(touched) == 0 {
		return nil
	}
	return w.Before(ctx, touched)
}

// Written counts what became of a batch: Records and Duplicates are, together
// with the receipts that were not taken, as many as there were.
type Written struct {
	Records    int // written, whether new or in place of what was stored
	Duplicates int // not written, since a later one of the batch had the same key
	// What Records are made of, where changes are counted.
	New, Changed, Unchanged int
}

// WriteUsage is WriteUsageAs for a plain import.
func (s *Store) WriteUsage(ctx context.Context, records []usage.Record) (Written, error) {
	return s.WriteUsageAs(ctx, records, Writing{})
}

// WriteUsageAs writes up to MaxUsageBatch records in place of those that have the
// same log, timestamp and id. Of several in the batch the last one wins. Of the
// outcome (status, its time, error code, recorded price) stays what is later news by
// [usage.Version], whether it was stored or stands in the batch.
//
// Two calls at the same time must not hold the same record: each could miss
// what the other writes. Throttling and broken connections are tried again until
// ctx ends. After an error, some may be written; writing the batch again is safe.
func (s *Store) WriteUsageAs(ctx context.Context, records []usage.Record, how Writing) (Written, error) {
	if len(records) > MaxUsageBatch {
		return Written{}, fmt.Errorf("dynamo: a batch of %d usage records; at most %d are taken",
			len(records), MaxUsageBatch)
	}
	merged := merge(records)
	written := Written{Records: len(merged), Duplicates: len(records) - len(merged)}
	if how.DryRun && !how.CountChanges {
		return written, nil
	}
	attributes := outcomeAttributes
	if how.CountChanges {
		attributes = storedAttributes
	}
	keys := make([]recordKey, len(merged))
	for i, r := range merged {
		keys[i] = keyOfRecord(r.Record)
	}
	stored, err := s.stored(ctx, keys, attributes)
	if err != nil {
		return Written{}, err
	}
	var items []item
	var touched []Touched
	for i, r := range merged {
		before, exists := stored[keys[i]]
		if exists {
			r = r.Supersede(before.Version)
		}
		it := encodeVersion(r)
		if how.CountChanges && written.compare(before.item, it) {
			continue
		}
		items = append(items, it)
		touched = append(touched, Touched{r.Log, r.Timestamp})
	}
	if how.DryRun {
		return written, nil
	}
	if err := how.before(ctx, touched); err != nil {
		return Written{}, err
	}
	return written, s.putAll(ctx, "write usage", s.tables.Usage, items)
}

// compare counts a record as new, changed or unchanged, and reports whether it is
// the last. before is nil where nothing is stored.
func (w *Written) compare(before, after item) (unchanged bool) {
	switch {
	case before == nil:
		w.New++
	case reflect.DeepEqual(before, after):
		w.Unchanged++
		return true
	default:
		w.Changed++
	}
	return false
}

// merge leaves one record of each key.
func merge(records []usage.Record) []usage.Version {
	merged := make([]usage.Version, 0, len(records))
	at := make(map[recordKey]int, len(records))
	for _, r := range records {
		key := keyOfRecord(r)
		if i, again := at[key]; again {
			merged[i] = usage.VersionOf(r).Supersede(merged[i])
			continue
		}
		at[key] = len(merged)
		merged = append(merged, usage.VersionOf(r))
	}
	return merged
}

// storedRecord is a record as far as it was asked for, and the item that holds it.
type storedRecord struct {
	usage.Version
	item item
}

// stored reads those of up to MaxUsageBatch records that exist.
func (s *Store) stored(ctx context.Context, wanted []recordKey, p projection) (map[recordKey]storedRecord, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	logs := make(map[string]usage.Log)
	keys := make([]item, len(wanted))
	for i, w := range wanted {
		logs[w.log.Key()] = w.log
		keys[i] = w.item()
	}
	var items []item
	err := s.limited(ctx, func() (err error) {
		items, err = s.batchGet(ctx, "read usage before writing", s.tables.Usage, keys, p, true, once)
		return err
	})
	if err != nil {
		return nil, err
	}
	stored := make(map[recordKey]storedRecord, len(items))
	for _, it := range items {
		r := reader{item: it}
		v, err := decodeVersion(logs[r.text("log")], it)
		if err != nil {
			return nil, err
		}
		stored[recordKey{v.Log, r.text("at")}] = storedRecord{v, it}
	}
	return stored, nil
}

// DeleteUsage deletes records of a log by their positions. A record that is not there
// is no error: to delete again is safe.
func (s *Store) DeleteUsage(ctx context.Context, log usage.Log, positions []usage.Position) error {
	keys := make(map[string]item, len(positions)) // a call may have each but once
	for _, p := range positions {
		if !p.Raw {
			keys[p.String()] = recordKey{log, p.String()}.item()
			continue
		}
		raw, err := s.rawKeys(ctx, log, p)
		if err != nil {
			return err
		}
		for _, key := range raw {
			r := reader{item: key}
			keys[r.text("at")] = key
		}
	}
	return s.deleteAll(ctx, "delete usage of "+log.Text(), s.tables.Usage, slices.Collect(maps.Values(keys)))
}

package operator

import (
	"cmp"
	"context"
	"hash/fnv"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// usageLoads are what the files of a command have in common.
type usageLoads struct {
	handover *handover // nil: nothing is written
	through  time.Time
	products []usage.Product // that the format may have

	mu    sync.Mutex
	got   map[usage.Log]bool // records
	named map[usage.AccountID]bool
}

func newUsageLoads(in UsageImport, h *handover) *usageLoads {
	l := &usageLoads{handover: h, through: in.Through, products: in.Format.Products(),
		got: make(map[usage.Log]bool), named: make(map[usage.AccountID]bool)}
	if in.Account != "" {
		l.named[in.Account] = true
	}
	return l
}

// load loads one file.
func (l *usageLoads) load(ctx context.Context, store *dynamo.Store, in UsageImport,
	rows iter.Seq2[importer.Row, error]) (UsageCounts, error) {
	load := &usageLoad{
		usageLoads: l, store: store,
		how:      dynamo.Writing{CountChanges: in.CountChanges, DryRun: in.DryRun},
		receipts: in.Format == importer.ConnectReceipts,
		stats:    newImportStats(in),
		enough:   func() bool { return false },
	}
	if in.Enough != nil {
		load.enough = in.Enough
	}
	group, ctx := errgroup.WithContext(ctx)
	shards := make([]chan importer.Row, dynamo.MaxWriters)
	for i := range shards {
		shards[i] = make(chan importer.Row, dynamo.MaxUsageBatch)
		group.Go(func() error { return load.write(ctx, shards[i]) })
	}
	readErr := fault.Caught(func() error { return load.dispatch(ctx, rows, shards) })
	for _, shard := range shards {
		close(shard) // what was read before an error is written all the same
	}
	err := cmp.Or(group.Wait(), readErr)
	return load.stats.snapshot(), err
}

// loaded notes which logs have got records.
func (l *usageLoads) loaded(records []usage.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		l.got[r.Log] = true
	}
}

// names notes whose usage a file has.
func (l *usageLoads) names(row importer.Row) {
	if l.through.IsZero() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := row.Receipt; r != nil {
		l.named[r.Account] = true
	} else {
		l.named[row.Record.Account] = true
	}
}

// state writes when logs were loaded, and until when they are whole, if that was said.
func (l *usageLoads) state(ctx context.Context, w *writer, now time.Time) error {
	l.mu.Lock()
	through := make(map[usage.Log]time.Time)
	for log := range l.got {
		through[log] = time.Time{}
	}
	for account := range l.named {
		for _, product := range l.products {
			if !l.through.IsZero() {
				through[usage.Log{Account: account, Product: product}] = l.through
			}
		}
	}
	l.mu.Unlock()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writesAtOnce)
	for log, t := range through {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, writeTimeout)
			defer cancel()
			return w.store.NoteLoaded(ctx, log, now, t)
		})
	}
	return group.Wait()
}

// usageLoad is one file on its way into the store, by as many shards as calls may
// be under way. What is in memory is that many times two batches.
type usageLoad struct {
	*usageLoads
	store    *dynamo.Store // to read from, where nothing is written
	how      dynamo.Writing
	receipts bool // the rows are receipts, not records
	stats    *importStats
	enough   func() bool
}

// dispatch gives each row to its shard, and tells of those that are not taken.
func (l *usageLoad) dispatch(ctx context.Context, rows iter.Seq2[importer.Row, error],
	shards []chan importer.Row) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		if ctx.Err() != nil { // lines that are rejected wait for no shard
			return ctx.Err()
		}
		if l.enough() {
			l.stats.endAt(row.Line)
			return nil
		}
		if err := l.stats.read(row); err != nil {
			return err
		}
		if row.Rejected != nil || row.Outside {
			continue
		}
		l.names(row)
		select {
		case shards[shardOf(row, len(shards))] <- row:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// shardOf is the same for records of the same key, and for receipts of the same
// record, in every run.
func shardOf(row importer.Row, shards int) int {
	h := fnv.New32a()
	if r := row.Receipt; r != nil {
		_, _ = io.WriteString(h, r.Log.Key()+"#"+string(r.ID))
	} else {
		_, _ = io.WriteString(h, row.Record.Log.Key()+"#"+row.Record.Position().String())
	}
	return int(h.Sum32() % uint32(shards))
}

// write writes a shard's rows in batches, until the shard is closed.
func (l *usageLoad) write(ctx context.Context, shard <-chan importer.Row) error {
	batch := make([]importer.Row, 0, dynamo.MaxUsageBatch)
	for row := range shard {
		if batch = append(batch, row); len(batch) < cap(batch) {
			continue
		}
		if err := l.flush(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	if len(batch) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	return l.flush(ctx, batch)
}

// flush writes a batch. The days of its records are open before.
func (l *usageLoad) flush(ctx context.Context, batch []importer.Row) error {
	if l.handover == nil {
		return l.flushTo(ctx, l.store, l.how, batch)
	}
	return l.handover.write(ctx, func(ctx context.Context, w *writer) error {
		how := l.how
		how.Before = w.openDaysOf
		return l.flushTo(ctx, w.store, how, batch)
	})
}

func (l *usageLoad) flushTo(ctx context.Context, store *dynamo.Store, how dynamo.Writing, batch []importer.Row) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if l.receipts {
		return l.apply(ctx, store, how, batch)
	}
	records := make([]usage.Record, len(batch))
	for i, row := range batch {
		records[i] = row.Record
	}
	written, err := store.WriteUsageAs(ctx, records, how)
	if err != nil {
		return err
	}
	l.loaded(records)
	l.stats.written(written, func(yield func(usage.AccountID, time.Time) bool) {
		for _, r := range records {
			if !yield(r.Account, r.Timestamp) {
				return
			}
		}
	})
	return nil
}

// noRecord is why a receipt is rejected that is of no record.
const noRecord = "no record with this id is loaded: load the log first, and the receipts again"

func (l *usageLoad) apply(ctx context.Context, store *dynamo.Store, how dynamo.Writing, batch []importer.Row) error {
	receipts := make([]usage.Receipt, len(batch))
	for i, row := range batch {
		receipts[i] = *row.Receipt
	}
	written, missing, err := store.ApplyReceipts(ctx, receipts, how)
	if err != nil {
		return err
	}
	l.stats.written(written, func(yield func(usage.AccountID, time.Time) bool) {
		for i, r := range receipts {
			if !slices.Contains(missing, i) && !yield(r.Account, r.StatusAt) {
				return
			}
		}
	})
	for _, i := range missing {
		reject := importer.Reject{Line: batch[i].Line, Field: importer.ReceiptIDField, Reason: noRecord,
			ID: receipts[i].ID}
		if err := l.stats.rejected(reject); err != nil {
			return err
		}
	}
	return nil
}

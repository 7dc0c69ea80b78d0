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

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// UsageImport says how a file of usage is to be read, and who is told of it.
type UsageImport struct {
	Format importer.Format // empty: the native one
	// Account is whose records those are that name no account; it must be a
	// customer. Empty: such records are rejected.
	Account usage.AccountID
	// Period is what is loaded, by a record's timestamp and a receipt's status
	// time. The zero Period loads all.
	Period usage.Period
	// RetentionMonths is how many months after its timestamp a record is kept;
	// 0: importer.DefaultRetentionMonths.
	RetentionMonths int
	// Through is until when all usage is loaded then, of the accounts that are named, as
	// far as the format has products; zero: nothing is said of it.
	Through time.Time
	// FromLine passes over the rows that begin on a line before it, which were loaded
	// before; 0 passes over none.
	FromLine int
	// Enough is asked before each row that is loaded whether the reading is to end there,
	// as if the file did; UsageCounts.NextLine then says where. It may be nil: never.
	Enough func() bool
	// MaxUnpacked is how many bytes a gzipped file may unpack to; 0: any number.
	MaxUnpacked int64
	// DryRun reads and counts, and writes nothing.
	DryRun bool
	// CountChanges compares records with what is stored before it writes them.
	CountChanges bool
	// KeepGoing reads on where the first hundred lines are all rejected for one
	// reason, which is else an importer.FileError.
	KeepGoing bool
	// SameSecond finds ids that stand at two times of a second, over several files;
	// nil: in this one alone.
	SameSecond *SameSecond
	// Rejected is told of each line that is not taken, one after the other, in
	// the order of the file; of receipts without their record as that is found.
	// Its error ends the import. It may be nil.
	Rejected func(importer.Reject) error
	// Progress is told how far the import is, now and then, one call after the
	// other. It may be nil.
	Progress func(UsageCounts)
}

// ImportUsage loads one file of usage, as LoadUsage does.
func (o *Operator) ImportUsage(ctx context.Context, file io.Reader, in UsageImport) (UsageCounts, error) {
	counts := UsageCounts{Dropped: map[string]int{}}
	err := o.LoadUsage(ctx, in, func(one UsageLoader) (err error) {
		counts, err = one(file, in.Rejected, in.Progress)
		return err
	})
	return counts, err
}

// UsageLoader loads a file of usage, gzipped or not. What it tells of it is as in
// UsageImport. importer.FileError: the file cannot be read to its end, or is not what it
// should be; what stands before that is written, and another file may be loaded.
type UsageLoader func(
	file io.Reader, rejected func(importer.Reject) error, progress func(UsageCounts),
) (UsageCounts, error)

// LoadUsage has load load files of usage, one after the other, and counts the days that
// they touch when it has ended: one holds the lease for all of them. A line that cannot
// be taken is told and passed over. Records go to a shard each by their key, so that two
// with the same key are written in the order of the file, and memory does not
// grow with the files.
//
// After an error some records may be written, and their days be pending until somebody
// writes again. To load the files again is safe. The error is load's, or why it could not
// write or count. UserError: the account is no customer's.
func (o *Operator) LoadUsage(ctx context.Context, in UsageImport, load func(UsageLoader) error) error {
	if in.Format == "" {
		in.Format = importer.Native
	}
	accounts, err := o.accounts(ctx)
	if _, known := accounts[string(in.Account)]; err == nil && in.Account != "" && !known {
		err = unknownCustomer(in.Account)
	}
	if err != nil {
		return err
	}
	if in.DryRun {
		return load(o.loader(ctx, in, accounts, newUsageLoads(in, nil)))
	}
	loads := newUsageLoads(in, newHandover())
	return o.writingOnce(ctx, "import usage", loads.handover, o.beginUsage,
		func(ctx context.Context) error { return load(o.loader(ctx, in, accounts, loads)) },
		func(ctx context.Context, w *writer) error { return loads.state(ctx, w, o.now()) })
}

// beginUsage says of a table Usage that is empty that all it holds is counted: from now on
// whoever writes into it counts that.
func (o *Operator) beginUsage(ctx context.Context, w *writer) error {
	return within(ctx, func(ctx context.Context) error {
		ready, err := w.store.TotalsReady(ctx)
		if ready || err != nil {
			return err
		}
		empty, err := w.store.UsageIsEmpty(ctx)
		if !empty || err != nil {
			return err
		}
		return w.store.PutReady(ctx, o.now())
	})
}

// writingOnce does work that cannot begin anew under the lease: where that is lost, the work
// goes on with the next. Before it comes begin, and behind it end, which may be repeated.
func (o *Operator) writingOnce(ctx context.Context, what string, lent *handover,
	begin func(context.Context, *writer) error, work func(context.Context) error,
	end func(context.Context, *writer) error) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var worked error
	ended := make(chan struct{})
	begun := false
	err := o.writing(ctx, what, func(ctx context.Context, w *writer) error {
		if err := begin(ctx, w); err != nil {
			return err
		}
		lent.give(ctx, w)
		if !begun {
			begun = true
			go func() {
				defer close(ended)
				worked = fault.Caught(func() error { return work(working) })
			}()
		}
		select {
		case <-ended:
		case <-ctx.Done():
		}
		lent.take()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case fault.Is(worked, fault.Unavailable):
			return worked
		}
		return cmp.Or(worked, end(ctx, w))
	})
	if begun {
		cancel(err)
		<-ended
	}
	return cmp.Or(worked, err)
}

// loader loads files whose rows name accounts.
func (o *Operator) loader(ctx context.Context, in UsageImport, accounts map[string]usage.AccountID,
	loads *usageLoads) UsageLoader {
	return func(file io.Reader, rejected func(importer.Reject) error,
		progress func(UsageCounts)) (UsageCounts, error) {
		in := in
		in.Rejected, in.Progress = rejected, progress
		rows := importer.ReadUsage(file, in.Format, importer.Options{
			Accounts: func(name string) (usage.AccountID, bool) { id, found := accounts[name]; return id, found },
			Account:  in.Account, Period: in.Period, RetentionMonths: in.RetentionMonths, Now: o.now(),
			FromLine: in.FromLine, MaxUnpacked: in.MaxUnpacked,
		})
		return loads.load(ctx, o.store, in, rows)
	}
}

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

// accounts finds a customer by every name that usage may have for it. An
// account's own ID goes before another's sub-account.
func (o *Operator) accounts(ctx context.Context) (map[string]usage.AccountID, error) {
	customers, err := o.customers(ctx)
	if err != nil {
		return nil, err
	}
	accounts := make(map[string]usage.AccountID, 2*len(customers))
	for _, c := range customers {
		for _, sub := range c.SubAccounts {
			accounts[sub] = c.Account
		}
	}
	for _, c := range customers {
		accounts[string(c.Account)] = c.Account
	}
	return accounts, nil
}

// startTimeout is how long an import that begins waits for a store that is
// unavailable: as long as an engine takes to restart, and not so long that
// somebody who has mistyped its address gives up.
const startTimeout = 10 * time.Second

// customers reads all customers, for an import that begins.
func (o *Operator) customers(ctx context.Context) ([]directory.Customer, error) {
	deadline := time.After(startTimeout)
	for {
		customers, err := o.store.AllCustomers(ctx)
		if !fault.Is(err, fault.Unavailable) {
			return customers, err
		}
		select {
		case <-time.After(startTimeout / 20):
		case <-deadline:
			return nil, err
		case <-ctx.Done():
			return nil, err
		}
	}
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

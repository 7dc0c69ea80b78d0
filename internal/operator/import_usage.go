package operator

import (
	"cmp"
	"context"
	"hash/fnv"
	"io"
	"iter"
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

// ImportUsage loads a file of usage, gzipped or not. A line that cannot be taken
// is told and passed over. Records go to a shard each by their key, so that two
// with the same key are written in the order of the file, and memory does not
// grow with the file.
//
// After an error some records may be written. To import the file again is safe.
// importer.FileError: the file cannot be read to its end, or is not what it should
// be; what stands before that is written.
// UserError: the account is no customer's.
func (o *Operator) ImportUsage(ctx context.Context, file io.Reader, in UsageImport) (UsageCounts, error) {
	if in.Format == "" {
		in.Format = importer.Native
	}
	accounts, err := o.accounts(ctx)
	if _, known := accounts[string(in.Account)]; err == nil && in.Account != "" && !known {
		err = unknownCustomer(in.Account)
	}
	if err != nil {
		return UsageCounts{Dropped: map[string]int{}}, err
	}
	rows := importer.ReadUsage(file, in.Format, importer.Options{
		Accounts:        func(name string) (usage.AccountID, bool) { id, found := accounts[name]; return id, found },
		Account:         in.Account,
		Period:          in.Period,
		RetentionMonths: in.RetentionMonths,
		Now:             o.now(),
	})
	load := &usageLoad{
		store:    o.store,
		how:      dynamo.Writing{CountChanges: in.CountChanges, DryRun: in.DryRun},
		receipts: in.Format == importer.ConnectReceipts,
		stats:    newImportStats(in),
	}
	group, ctx := errgroup.WithContext(ctx)
	shards := make([]chan importer.Row, dynamo.MaxWriters)
	for i := range shards {
		shards[i] = make(chan importer.Row, dynamo.MaxUsageBatch)
		group.Go(func() error { return load.write(ctx, shards[i]) })
	}
	readErr := load.dispatch(ctx, rows, shards)
	for _, shard := range shards {
		close(shard) // what was read before an error is written all the same
	}
	err = cmp.Or(group.Wait(), readErr)
	return load.stats.snapshot(), err
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
	store    *dynamo.Store
	how      dynamo.Writing
	receipts bool // the rows are receipts, not records
	stats    *importStats
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
		if err := l.stats.read(row); err != nil {
			return err
		}
		if row.Rejected != nil || row.Outside {
			continue
		}
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

func (l *usageLoad) flush(ctx context.Context, batch []importer.Row) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if l.receipts {
		return l.apply(ctx, batch)
	}
	records := make([]usage.Record, len(batch))
	for i, row := range batch {
		records[i] = row.Record
	}
	written, err := l.store.WriteUsageAs(ctx, records, l.how)
	if err != nil {
		return err
	}
	l.stats.written(written)
	return nil
}

// noRecord is why a receipt is rejected that is of no record.
const noRecord = "no record with this id is loaded: load the log first, and the receipts again"

func (l *usageLoad) apply(ctx context.Context, batch []importer.Row) error {
	receipts := make([]usage.Receipt, len(batch))
	for i, row := range batch {
		receipts[i] = *row.Receipt
	}
	written, missing, err := l.store.ApplyReceipts(ctx, receipts, l.how)
	if err != nil {
		return err
	}
	l.stats.written(written)
	for _, i := range missing {
		reject := importer.Reject{Line: batch[i].Line, Field: importer.ReceiptIDField, Reason: noRecord,
			ID: receipts[i].ID}
		if err := l.stats.rejected(reject); err != nil {
			return err
		}
	}
	return nil
}

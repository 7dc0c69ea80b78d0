package operator

import (
	"context"
	"io"
	"time"

	"partnerview/internal/directory"
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

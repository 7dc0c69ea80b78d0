package operator

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"iter"
	"maps"
	"sync"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// UsageImport says how a file of usage is to be read, and who is told of it.
type UsageImport struct {
	Format importer.Format // empty: the native one
	// Account is whose records those are that name no account; it must be a
	// customer. Empty: such records are rejected.
	Account usage.AccountID
	// RetentionMonths is how many months after its timestamp a record is kept;
	// 0: importer.DefaultRetentionMonths.
	RetentionMonths int
	// Rejected is told of each line that is not taken, one after the other, in
	// the order of the file. Its error ends the import. It may be nil.
	Rejected func(importer.Reject) error
	// Progress is told how far the import is, now and then, one call after the
	// other. It may be nil.
	Progress func(UsageCounts)
}

// UsageCounts say what became of the lines of a file:
// Read = Written + Duplicate + Rejected.
type UsageCounts struct {
	Read      int `json:"read"`
	Written   int `json:"written"`   // new, or in place of the same record
	Duplicate int `json:"duplicate"` // of the same key as a later one in a batch of writes
	Rejected  int `json:"rejected"`
	// Dropped counts, by the name of the field, what was left out of records that
	// were taken. It is never nil.
	Dropped map[string]int `json:"dropped"`
}

// Add sums the counts of several files.
func (c UsageCounts) Add(other UsageCounts) UsageCounts {
	sum := UsageCounts{c.Read + other.Read, c.Written + other.Written, c.Duplicate + other.Duplicate, c.Rejected + other.Rejected, map[string]int{}}
	for _, dropped := range []map[string]int{c.Dropped, other.Dropped} {
		for field, n := range dropped {
			sum.Dropped[field] += n
		}
	}
	return sum
}

// writers is how many batches are written at the same time, and thereby how
// much of a file is in memory: that many times two batches.
const writers = 8

// ImportUsage loads a file of usage, gzipped or not. A line that cannot be taken
// is told and passed over. Records go to a writer each by their key, so that two
// with the same key are written in the order of the file, and memory does not
// grow with the file.
//
// After an error some records may be written. To import the file again is safe.
// Refusal: the account is no customer's.
func (o *Operator) ImportUsage(ctx context.Context, file io.Reader, in UsageImport) (UsageCounts, error) {
	if in.Format == "" {
		in.Format = importer.Native
	}
	accounts, err := o.accounts(ctx)
	if err != nil {
		return UsageCounts{Dropped: map[string]int{}}, err
	}
	if _, known := accounts[string(in.Account)]; in.Account != "" && !known {
		return UsageCounts{Dropped: map[string]int{}}, Refusal(fmt.Sprintf("there is no customer %q: name it in a directory file and load that with partnerctl apply", in.Account))
	}
	options := importer.Options{
		Accounts:        func(name string) (usage.AccountID, bool) { id, found := accounts[name]; return id, found },
		Account:         in.Account,
		RetentionMonths: in.RetentionMonths,
		Now:             o.now(),
	}
	t := &tally{counts: UsageCounts{Dropped: map[string]int{}}, progress: in.Progress}
	group, ctx := errgroup.WithContext(ctx)
	lanes := make([]chan usage.Record, writers)
	for i := range lanes {
		lanes[i] = make(chan usage.Record, dynamo.MaxUsageBatch)
		group.Go(func() error { return o.write(ctx, lanes[i], t) })
	}
	readErr := deal(ctx, importer.ReadUsage(file, in.Format, options), lanes, t, in.Rejected)
	for _, lane := range lanes {
		close(lane) // what was read before an error is written all the same
	}
	if err := group.Wait(); err != nil {
		return t.snapshot(), err
	}
	return t.snapshot(), readErr
}

// deal gives each record to its lane, and tells of the lines that are not taken.
func deal(ctx context.Context, rows iter.Seq2[importer.Row, error], lanes []chan usage.Record, t *tally, rejected func(importer.Reject) error) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		t.read(row)
		if row.Rejected == nil {
			select {
			case lanes[laneOf(row.Record)] <- row.Record:
			case <-ctx.Done():
				return ctx.Err()
			}
		} else if rejected != nil {
			if err := rejected(*row.Rejected); err != nil {
				return err
			}
		}
	}
	return nil
}

// laneOf is the same for records of the same key, in every run.
func laneOf(r usage.Record) int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, r.Log.String()) // a hash takes everything
	_, _ = io.WriteString(h, r.Position().String())
	return int(h.Sum32() % writers)
}

// write writes a lane's records in batches, until the lane is closed.
func (o *Operator) write(ctx context.Context, lane <-chan usage.Record, t *tally) error {
	batch := make([]usage.Record, 0, dynamo.MaxUsageBatch)
	flush := func() error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		written, err := o.store.WriteUsage(ctx, batch)
		if err != nil {
			return err
		}
		t.written(written)
		batch = batch[:0]
		return nil
	}
	for r := range lane {
		if batch = append(batch, r); len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if len(batch) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	return flush()
}

// accounts finds a customer by every name that usage may have for it. An
// account's own ID goes before another's sub-account.
func (o *Operator) accounts(ctx context.Context) (map[string]usage.AccountID, error) {
	customers, err := o.store.AllCustomers(ctx)
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

// tally counts for the reader and the writers at once.
type tally struct {
	mu       sync.Mutex
	counts   UsageCounts
	progress func(UsageCounts)
}

func (t *tally) read(row importer.Row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Read++
	if row.Rejected != nil {
		t.counts.Rejected++
		if t.counts.Rejected%dynamo.MaxUsageBatch == 0 {
			t.report()
		}
	}
	for _, field := range row.Dropped {
		t.counts.Dropped[field]++
	}
}

func (t *tally) written(w dynamo.Written) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Written += w.Records
	t.counts.Duplicate += w.Duplicates
	t.report()
}

func (t *tally) report() {
	if t.progress != nil {
		t.progress(t.copied())
	}
}

func (t *tally) snapshot() UsageCounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.copied()
}

func (t *tally) copied() UsageCounts {
	c := t.counts
	c.Dropped = maps.Clone(c.Dropped)
	return c
}

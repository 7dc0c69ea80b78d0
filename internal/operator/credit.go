package operator

import (
	"context"
	"io"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// CreditImport says who is told of a file of credit, and whether it counts.
type CreditImport struct {
	// DryRun reads and counts, and writes nothing.
	DryRun bool
	// Decimal says how amounts in CSV are written.
	Decimal importer.DecimalMark
	// MaxUnpacked is how many bytes a gzipped file may unpack to; 0: any number.
	MaxUnpacked int64
	// KeepGoing reads on where the first hundred lines are all rejected for one
	// reason, which is else an importer.FileError.
	KeepGoing bool
	// Rejected is told of each line that is not taken, one after the other. Its
	// error ends the import. It may be nil.
	Rejected func(importer.Reject) error
}

// CreditCounts say what became of the lines of a file of credit:
// Read = Written + Unchanged + Older + Rejected.
type CreditCounts struct {
	Read      int `json:"read"`
	Written   int `json:"written"`   // customers whose credit is renewed; of a dry run, would be
	Unchanged int `json:"unchanged"` // customers whose credit was stored already, as of the same time
	Older     int `json:"older"`     // than what is stored, or than another line of the same customer
	Rejected  int `json:"rejected"`
	// Touched is for the ledger; nil: nothing was written.
	Touched *Touched `json:"-"`
}

// Add sums the counts of several files.
func (c CreditCounts) Add(other CreditCounts) CreditCounts {
	return CreditCounts{c.Read + other.Read, c.Written + other.Written, c.Unchanged + other.Unchanged,
		c.Older + other.Older, c.Rejected + other.Rejected, c.Touched.add(other.Touched)}
}

// Reasons that need what is stored.
const (
	noCustomer      = "is no customer's account"
	onlySubAccount  = "is a sub-account: credit is told of a whole account"
	anotherCurrency = "is not the customer's currency"
)

// ImportCredit brings customers to the remaining credit that a file tells,
// gzipped or not. Of the lines of one customer the one with the latest as-of
// counts, of two with the same the later line; what is stored with a later as-of
// stays. Nothing else of a customer is touched. The file is read to its end
// before the first credit is written: only one line a customer is kept.
//
// After an error some may be written. To import the file again is safe.
func (o *Operator) ImportCredit(ctx context.Context, file io.Reader, in CreditImport) (CreditCounts, error) {
	var counts CreditCounts
	customers, err := o.customers(ctx)
	if err != nil {
		return counts, err
	}
	known, subAccounts := make(map[usage.AccountID]directory.Customer, len(customers)), map[usage.AccountID]bool{}
	for _, c := range customers {
		known[c.Account] = c
		for _, sub := range c.SubAccounts {
			subAccounts[usage.AccountID(sub)] = true
		}
	}
	latest, rejects := map[usage.AccountID]importer.CreditRow{}, rejects{report: in.Rejected, over: in.KeepGoing}
	for row, err := range importer.ReadCredit(file, importer.CreditOptions{
		Now: o.now(), Decimal: in.Decimal, MaxUnpacked: in.MaxUnpacked}) {
		if err != nil {
			return counts, err
		}
		if ctx.Err() != nil { // nothing else waits while the file is read
			return counts, ctx.Err()
		}
		counts.Read++
		if row.Rejected == nil {
			row.Rejected = judgeCredit(row, known, subAccounts)
		}
		if row.Rejected != nil {
			counts.Rejected++
		}
		if err := rejects.add(row.Rejected); err != nil {
			return counts, err
		}
		if row.Rejected != nil {
			continue
		}
		before, again := latest[row.Account]
		if again {
			counts.Older++
		}
		if !again || !row.AsOf.Before(before.AsOf) {
			latest[row.Account] = row
		}
	}
	for account, row := range latest {
		switch stored := known[account].Credit; {
		case stored.AsOf == nil || stored.AsOf.Before(row.AsOf):
		case stored.AsOf.After(row.AsOf):
			counts.Older++
			delete(latest, account)
		case stored.Remaining != nil && stored.Remaining.Equal(row.Amount):
			counts.Unchanged++
			delete(latest, account)
		}
	}
	if in.DryRun {
		counts.Written = len(latest)
		return counts, nil
	}
	err = o.renewCredits(ctx, latest, known, &counts)
	return counts, err
}

// judgeCredit finds what is wrong with a line in view of the customers.
func judgeCredit(row importer.CreditRow, known map[usage.AccountID]directory.Customer,
	subAccounts map[usage.AccountID]bool) *importer.Reject {
	customer, exists := known[row.Account]
	switch {
	case !exists && subAccounts[row.Account]:
		return &importer.Reject{Line: row.Line, Field: importer.CreditAccountField, Reason: onlySubAccount}
	case !exists:
		return &importer.Reject{Line: row.Line, Field: importer.CreditAccountField, Reason: noCustomer}
	case row.Currency != "" && row.Currency != customer.Currency:
		return &importer.Reject{Line: row.Line, Field: importer.CreditCurrencyField, Reason: anotherCurrency}
	}
	return nil
}

// renewCredits writes the credit of some customers. One that became older, or
// whose customer went away, while the file was read is counted as that.
func (o *Operator) renewCredits(ctx context.Context, rows map[usage.AccountID]importer.CreditRow,
	known map[usage.AccountID]directory.Customer, counts *CreditCounts) error {
	accounts := slices.Sorted(maps.Keys(rows))
	outcomes := make([]bool, len(accounts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dynamo.MaxWriters)
	for i, account := range accounts {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, writeTimeout)
			defer cancel()
			renewed, err := o.store.RenewCredit(ctx, account, rows[account].Amount, known[account].Currency,
				rows[account].AsOf)
			if outcomes[i] = renewed; fault.Is(err, fault.NotFound) {
				return UserError("the customer " + string(account) +
					" was deleted while its credit was loaded: run the same command again")
			}
			return err
		})
	}
	err := group.Wait()
	touching := newTouching()
	for i, renewed := range outcomes {
		if renewed {
			counts.Written++
			touching.note(accounts[i], rows[accounts[i]].AsOf)
		} else if err == nil {
			counts.Older++
		}
	}
	counts.Touched = touching.touched()
	return err
}

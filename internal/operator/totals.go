package operator

import (
	"cmp"
	"context"
	"slices"

	"partnerview/internal/dynamo"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// DaysWanted says which days' totals are meant.
type DaysWanted struct {
	Account  usage.AccountID // empty: all
	Products []usage.Product // empty: all
	From, To totals.Day      // from the one up to, and without, the other; empty: no bound
}

func (w DaysWanted) from() totals.Day { return cmp.Or(w.From, firstDay) }
func (w DaysWanted) to() totals.Day   { return cmp.Or(w.To, lastDay) }

// whole reports whether all is meant that there is.
func (w DaysWanted) whole() bool {
	return w.Account == "" && len(w.Products) == 0 && w.From == "" && w.To == ""
}

// ShownTotals are the totals of days, as they stand.
type ShownTotals struct {
	Days []totals.Dated // with records, or that are pending; by account, product and day
	Logs []totals.LogState
	// Ready reports whether all that is stored of usage is counted.
	Ready bool
}

// ShowTotals reads the totals of days. UserError: the account is no customer's, and there are none.
func (o *Operator) ShowTotals(ctx context.Context, wanted DaysWanted) (shown ShownTotals, err error) {
	accounts := []usage.AccountID{wanted.Account}
	if wanted.Account == "" {
		customers, err := o.store.AllCustomers(ctx)
		if err != nil {
			return shown, err
		}
		accounts = accounts[:0]
		for _, c := range customers {
			accounts = append(accounts, c.Account)
		}
		slices.Sort(accounts)
	}
	var logs []usage.Log
	for _, account := range accounts {
		logs = append(logs, Selection{Account: account, Products: wanted.Products}.logs()...)
	}
	if shown.Days, err = o.store.DayTotals(ctx, logs, wanted.from(), wanted.to()); err != nil {
		return shown, err
	}
	shown.Days = slices.DeleteFunc(shown.Days, func(d totals.Dated) bool { return len(d.Sheet) == 0 && !d.Stale })
	if shown.Logs, err = o.store.LogTotals(ctx, logs); err != nil {
		return shown, err
	}
	if wanted.Account != "" && len(shown.Days)+len(shown.Logs) == 0 {
		if _, err := o.ShowCustomer(ctx, wanted.Account); err != nil {
			return shown, err
		}
	}
	shown.Ready, err = o.store.TotalsReady(ctx)
	return shown, err
}

// FinishCounts counts the days that a command has left open which was interrupted, and returns
// how many there were. It does nothing where somebody writes, who has begun with them.
func (o *Operator) FinishCounts(ctx context.Context) (days int, err error) {
	p, err := o.Pending(ctx)
	if err != nil || len(p.Open) == 0 || p.Writer != nil {
		return 0, err
	}
	return len(p.Open), o.writing(ctx, "count days", func(context.Context, *writer) error { return nil })
}

// PendingTotals are days that are not counted, and who counts.
type PendingTotals struct {
	Open, Later []totals.OpenDay
	Writer      *dynamo.LeaseHolder // nil: nobody
	Ready       bool                // whether all that is stored of usage is counted
}

// Pending reads which days are pending.
func (o *Operator) Pending(ctx context.Context) (p PendingTotals, err error) {
	if p.Open, p.Later, err = o.store.DaysUnderWay(ctx); err != nil {
		return p, err
	}
	if p.Ready, err = o.store.TotalsReady(ctx); err != nil {
		return p, err
	}
	p.Writer, err = o.store.Writer(ctx, o.wallClock())
	return p, err
}

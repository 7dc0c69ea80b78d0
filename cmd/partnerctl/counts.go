package main

import (
	"fmt"
	"slices"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

// countingTables are those that whoever writes usage or prices needs besides what it writes:
// by them days are counted anew.
func countingTables() []table {
	return []table{customersTable, priceListsTable, usageTable, totalsTable, ledgerTable}
}

// counts reports whether tables are enough to count days.
func counts(tables []table) bool {
	return slices.ContainsFunc(tables, func(t table) bool { return t.variable == totalsTable.variable })
}

// waiting tells, once of each, for whom a command waits that wants to write.
func (s *session) waiting() func(dynamo.LeaseBusy) {
	told := ""
	return func(busy dynamo.LeaseBusy) {
		text := fmt.Sprintf("partnerctl: waiting: %s (%s) is writing, since %s", busy.What, busy.Where,
			usage.FormatTime(busy.Since))
		if busy.Gone {
			text = fmt.Sprintf("partnerctl: waiting: %s (%s) was writing, since %s, and is gone: it goes on in %s",
				busy.What, busy.Where, usage.FormatTime(busy.Since),
				max(time.Until(busy.FreeAt), 0).Round(time.Second))
		}
		if key := fmt.Sprint(busy.Where, busy.Since, busy.Gone); key != told {
			told = key
			fmt.Fprintln(s.std.err, printable(text))
		}
	}
}

// counting tells on a terminal how many days are counted.
func (s *session) counting() func(days, of int) {
	told, end := s.counter("%d of %d days counted")
	return func(days, of int) {
		if told(days, of); days == of {
			end()
		}
	}
}

// finishCounts counts the days that an interrupted command has left, for one that has counted
// nothing itself: the same, run again, may find everything done that opens days, and more to do.
func (s *session) finishCounts() error {
	o, err := s.operator(countingTables()...)
	if err != nil {
		return err
	}
	days, err := o.FinishCounts(s.ctx)
	if err == nil && days > 0 {
		fmt.Fprintf(s.std.err, "partnerctl: the totals of %s were counted that had been left open\n",
			count(days, "day"))
	}
	return err
}

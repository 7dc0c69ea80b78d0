package totals

import (
	"iter"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

// AccountMonth is a calendar month of a customer, over all its logs.
type AccountMonth struct {
	Account usage.AccountID
	Month   Month
}

// Monthly is what a customer's month comes to. It counts only while it is not stale, is
// of the customer's zone, and no record of it is past its retention; else the days do.
type Monthly struct {
	Zone      directory.TimeZone
	Logs      map[usage.Product]MonthlyLog // not in it: the log had no record then
	ExpiresAt time.Time                    // the earliest of its days; zero: never
	Stale     bool                         // a day of it is being written, or left for later
}

// MonthlyLog is what a log's month comes to. It stands apart from the other logs of its
// customer, so that nothing of one tells anything of another, which a viewer may not see.
type MonthlyLog struct {
	Sheet     Sheet     // coarse
	LastDay   Day       // of its days with records; empty: there is none any more
	UpdatedAt time.Time // the newest of its days
	ExpiresAt time.Time // the earliest of its days; zero: never
}

// SumMonth sums the days of a log's month: those that were counted, and of which no record
// is past its retention.
func SumMonth(days iter.Seq[Dated], now time.Time) MonthlyLog {
	m := MonthlyLog{Sheet: make(Sheet)}
	var emptied time.Time
	for d := range days {
		if len(d.Sheet) == 0 || d.Expired(now) {
			if d.UpdatedAt.After(emptied) {
				emptied = d.UpdatedAt
			}
			continue
		}
		m.Sheet.Merge(d.Sheet.Coarse())
		m.LastDay = max(m.LastDay, d.Day)
		if d.UpdatedAt.After(m.UpdatedAt) {
			m.UpdatedAt = d.UpdatedAt
		}
		if !d.ExpiresAt.IsZero() && (m.ExpiresAt.IsZero() || d.ExpiresAt.Before(m.ExpiresAt)) {
			m.ExpiresAt = d.ExpiresAt
		}
	}
	if m.LastDay == "" {
		m.UpdatedAt = emptied
	}
	return m
}

// LogState is how far a log is loaded and counted.
type LogState struct {
	usage.Log
	FirstDay, LastDay Day       // of its days with records; empty: there is none
	LoadedThrough     time.Time // of its newest record, or what an import said; zero: nothing was loaded
	LoadedAt          time.Time
	UpdatedAt         time.Time // the newest of its days
	PricesChangedAt   time.Time // zero: never
	Stale             bool      // a day of it is being written, or left for later
}

// Counted is what a count has found of a day that was open.
type Counted struct {
	OpenDay
	Zone      directory.TimeZone // by which the day was told from its neighbours
	Sheet     Sheet
	ExpiresAt time.Time // when the retention of the first of its records ends, or has ended; zero: never
}

// Expired reports whether a record of the day, or month, is past its retention: it is no
// row any more.
func (d Dated) Expired(now time.Time) bool { return IsPast(d.ExpiresAt, now) }

// IsPast reports whether a retention has ended. A zero end never comes.
func IsPast(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }

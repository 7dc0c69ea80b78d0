package totals

import (
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
	Sheets    map[usage.Product]Sheet // coarse; no sheet: the log had no record then
	LastDay   Day                     // of its days with records, over all logs; empty: there is none
	UpdatedAt time.Time               // the newest of its days
	ExpiresAt time.Time               // the earliest of its days; zero: never
	Stale     bool                    // a day of it is being written, or left for later
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

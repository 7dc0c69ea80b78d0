// Package ledger is what is kept of who did what: which file was loaded, by whom, and
// what came of it; and who changed access, prices or customers.
//
// It owns the words of that, and neither where it is kept (package dynamo) nor who
// writes it (package operator). Nothing in it tells a number beyond its last four digits,
// a name, or what a message said: sources and errors are masked as they are made, and a
// value that was rejected is in none. If it errs, an operator takes a file for loaded
// that was not.
package ledger

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"partnerview/internal/masking"
	"partnerview/internal/usage"
)

// KeptDays is how long what stands in the ledger is kept, from when it began.
const KeptDays = 400

// MaxAccounts is how many of the accounts that something touched are named; the rest are
// counted.
const MaxAccounts = 100

// Import is what the ledger says of one file that was loaded, or is being loaded.
type Import struct {
	ID     string // NewID
	Who    string // the caller's ARN, or the user's name on an engine of one's own; "unknown"
	Source string // the file's name: Source
	// SHA256 is of the file's bytes as they stand, packed or not: 64 hexadecimal digits, in
	// small letters. Empty where it was not read to its end.
	SHA256 string
	Bytes  int64  // read, of the file as it stands
	Kind   Kind   //
	Format string // as --format has it; of credit, none
	// From and To are the times of the first and the last record that were written, of
	// receipts those of their status, of credit its as-of. Zero: none were.
	From, To time.Time
	// Counts are what became of the lines, as the command's JSON has them; nil while it runs.
	Counts json.RawMessage
	// Accounts are whose data was written, bytewise, the first MaxAccounts of them;
	// AccountCount is how many there are.
	Accounts     []usage.AccountID
	AccountCount int
	// Started and Ended are UTC, to the millisecond; Ended is zero while it runs.
	Started, Ended time.Time
	Outcome        Outcome
	Error          string // why not all was loaded, as Text; empty: all was
}

// Kind is what a file tells of.
type Kind string

const (
	Usage  Kind = "usage" // records, and receipts of them
	Credit Kind = "credit"
)

// Outcome is what came of an import.
type Outcome string

const (
	Running  Outcome = "running"  // it has not said that it ended: it is at work, or was killed
	Done     Outcome = "done"     // all lines were taken
	Rejected Outcome = "rejected" // done, but for lines that could not be taken
	Failed   Outcome = "failed"   // it ended before the file did, or before all was written
	Replaced Outcome = "replaced" // the file became another while it was read
)

// Loaded reports whether the whole file was loaded, but for lines that cannot be.
func (o Outcome) Loaded() bool { return o == Done || o == Rejected }

// longestRun is after how long an import that never said how it ended was killed.
const longestRun = 24 * time.Hour

// HasFailed reports whether not all of the file was loaded, and nobody is about to: also of an
// import that began a day ago and has not ended.
func (i Import) HasFailed(now time.Time) bool {
	return i.Outcome == Failed || i.Outcome == Running && now.Sub(i.Started) > longestRun
}

// Of notes whose data was written: the first MaxAccounts are named, bytewise.
func (i *Import) Of(accounts []usage.AccountID) {
	i.Accounts, i.AccountCount = first(accounts), len(accounts)
}

func first[T ~string](all []T) []T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[:min(len(sorted), MaxAccounts)]
}

// NewID is a random id that people can type: 12 small letters and digits.
func NewID() string { return strings.ToLower(rand.Text()[:12]) }

// Source is how the ledger names a file: its name without its folders, and with what may be a
// number in it masked.
func Source(path string) string {
	return masking.Text(path[strings.LastIndexAny(path, `/\`)+1:])
}

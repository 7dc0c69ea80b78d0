package inbox

import (
	"encoding/json"
	"time"

	"partnerview/internal/operator"
)

// maxTouched is of how many accounts a state says that they were touched: it has 256 kB at most.
// The ledger names a hundred; those beyond this number are not among those that it counts.
const maxTouched = 2000

// State is how far the import of a file is: what a call is given, and what it answers with.
type State struct {
	Bucket string    `json:"bucket"`
	Key    string    `json:"key"`
	ETag   string    `json:"etag"` // without quotes
	Size   int64     `json:"size"` // bytes
	Time   time.Time `json:"time"` // of the upload

	Step  Step `json:"step"`
	Line  int  `json:"line"`  // where the first row begins that is not loaded; 0: none is
	Calls int  `json:"calls"` // that were answered

	ID      string    `json:"id"` // of the execution: the same in every call
	Started time.Time `json:"started"`

	// Counts are those of partnerctl's JSON, over all calls; absent before the first.
	Counts json.RawMessage `json:"counts,omitempty"`
	// Touched is whose data was written, and of when, for the ledger: of at most maxTouched accounts.
	Touched  *operator.Touched `json:"touched,omitempty"`
	Lists    []string          `json:"lists,omitempty"`    // keys of the lists of rejected lines
	Unlisted int               `json:"unlisted,omitempty"` // rejected lines that are in none
	SHA256   string            `json:"sha256,omitempty"`   // of the file as it stands; empty: it was not read to its end

	Outcome Outcome  `json:"outcome,omitempty"`
	Busy    *Busy    `json:"busy,omitempty"`    // with the outcome busy
	Error   string   `json:"error,omitempty"`   // with the outcome failed: why, for people
	Failure *Failure `json:"failure,omitempty"` // why calls failed, as the state machine saw it
}

// Step is what a call is to do.
type Step string

const (
	StepImport Step = "import" // load the rows from State.Line on
	StepCount  Step = "count"  // all rows are loaded: count the days that are open
	StepFail   Step = "fail"   // calls have failed too often: say so
)

// Outcome is what became of a call, by which the state machine goes on.
type Outcome string

const (
	More     Outcome = "more"     // its time was over: the next loads on
	Count    Outcome = "count"    // all is loaded, and its time was over before all was counted
	WasBusy  Outcome = "busy"     // somebody else is writing: again in a while
	Done     Outcome = "done"     // loaded and counted, though lines may be rejected
	Replaced Outcome = "replaced" // another file stands in its place, and has an import of its own
	Failed   Outcome = "failed"   // the file cannot be imported
)

// Busy says who is writing.
type Busy struct {
	What  string    `json:"what"`
	Where string    `json:"where"`
	Since time.Time `json:"since"`
}

// Failure is an error of a call, as the state machine catches it.
type Failure struct {
	Error string // "Lambda.Unknown"
	Cause string // as Lambda tells it; it is not passed on
}

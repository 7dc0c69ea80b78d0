package ledger

import (
	"slices"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

// Event is what an operator has changed by one command: of access, prices, customers or stored
// records.
type Event struct {
	ID      string    // NewID
	At      time.Time // when the change was made, UTC, to the millisecond
	Who     string    // as of an import
	Command string    // "grant add"
	Text    string    // what it did, in one line
	// Partners and Accounts are whom it had to do with, bytewise, the first MaxAccounts of
	// them; the counts are how many there are.
	Partners     []directory.PartnerID
	PartnerCount int
	Accounts     []usage.AccountID
	AccountCount int
	Summary      []Count // by kind and action, in the order in which they came first
	// Incomplete: the command failed, or was interrupted, and not all of it may be written.
	Incomplete bool
}

// Count is how many things of a kind were added, changed or removed.
type Count struct {
	Kind   string `json:"kind"`
	Action string `json:"action"`
	Count  int    `json:"count"`
}

// Of notes whom it had to do with.
func (e *Event) Of(partners []directory.PartnerID, accounts []usage.AccountID) {
	e.Partners, e.PartnerCount = first(partners), len(partners)
	e.Accounts, e.AccountCount = first(accounts), len(accounts)
}

// MayConcern reports whether an event has to do with a partner and with an account, where these are
// given. Of one that touched more than are named that is not known, and it may.
func (e Event) MayConcern(partner directory.PartnerID, account usage.AccountID) bool {
	return may(partner, e.Partners, e.PartnerCount) && may(account, e.Accounts, e.AccountCount)
}

func may[T ~string](one T, named []T, all int) bool {
	return one == "" || all > len(named) || slices.Contains(named, one)
}

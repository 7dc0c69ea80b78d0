package operator

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"partnerview/internal/usage"
)

// Touched is whose data an import has written, and of when. What was stored already as it is
// counts too.
type Touched struct {
	// From and To are the times of the first and the last record, of receipts those of their
	// status, of credit its as-of.
	From, To time.Time
	Accounts []usage.AccountID // all of them, bytewise
}

// add is what two have touched together; either may be nil.
func (t *Touched) add(other *Touched) *Touched {
	if t == nil || other == nil {
		return cmp.Or(t, other)
	}
	sum := newTouching()
	for _, one := range []*Touched{t, other} {
		for _, account := range one.Accounts {
			sum.note(account, one.From)
			sum.note(account, one.To)
		}
	}
	return sum.touched()
}

// Note says of an import what it has touched; nil: nothing.
func (t *Touched) Note(i *Import) {
	if t == nil {
		return
	}
	i.From, i.To = t.From, t.To
	i.Of(t.Accounts)
}

// touching gathers what is touched. What it holds grows with the accounts alone.
type touching struct {
	from, to time.Time
	accounts map[usage.AccountID]bool
}

func newTouching() *touching { return &touching{accounts: make(map[usage.AccountID]bool)} }

func (t *touching) note(account usage.AccountID, at time.Time) {
	if t.from.IsZero() || at.Before(t.from) {
		t.from = at
	}
	if at.After(t.to) {
		t.to = at
	}
	t.accounts[account] = true
}

// touched is nil where nothing is.
func (t *touching) touched() *Touched {
	if len(t.accounts) == 0 {
		return nil
	}
	return &Touched{t.from, t.to, slices.Sorted(maps.Keys(t.accounts))}
}

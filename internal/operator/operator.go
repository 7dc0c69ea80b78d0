// Package operator is what the platform's operator does with the product: bring
// partners, customers, grants and price lists to the state of a directory file,
// or change one of them; make, rotate, find and revoke access keys; load, show and
// delete usage; load credit; and ask why a price is what it is. partnerctl is its
// command line; the product on one machine loads its sample data through it.
//
// It owns the order of the writes and the checks of a file against what is
// stored. It knows no command line and no form of output: what the operator is
// told comes back as values, as [importer.Faults], or as a [Refusal].
//
// If it errs, a partner sees a customer that nobody granted, prices of the past
// change unnoticed, or usage is lost. Every command may be interrupted and
// repeated. Two that change the same things must not run at the same time: there
// are no transactions.
package operator

import (
	"crypto/rand"
	"io"
	"time"

	"partnerview/internal/dynamo"
)

// Operator acts on a store.
type Operator struct {
	store  *dynamo.Store
	now    func() time.Time
	random io.Reader
}

// New makes an operator of a store and a clock.
func New(store *dynamo.Store, now func() time.Time) *Operator {
	return &Operator{store, now, rand.Reader}
}

// Now is the operator's clock.
func (o *Operator) Now() time.Time { return o.now() }

// patience is how long one write is tried again while the store is unavailable:
// long enough for an engine to restart and a throttled table to grow, and short
// enough to be told of a store that is gone.
const patience = 2 * time.Minute

// Refusal says that something cannot be done as asked. Its text is for the
// operator: what is wrong, and what to do.
type Refusal string

func (r Refusal) Error() string { return string(r) }

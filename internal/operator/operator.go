// Package operator is what the platform's operator does with the product: bring
// partners, customers, grants and price lists to the state of a directory file,
// or change one of them; make, rotate, find and revoke access keys; load, show and
// delete usage; load credit; and ask why a price is what it is. partnerctl is its
// command line; the product on one machine loads its sample data through it.
//
// It owns the order of the writes and the checks of a file against what is
// stored. It knows no command line and no form of output: what the operator is
// told comes back as values, as [importer.Faults], or as a [UserError].
//
// If it errs, a partner sees a customer that nobody granted, prices of the past
// change unnoticed, or usage is lost. Every command may be interrupted and
// repeated. There are no transactions: of two that change the same partner the later one is
// refused when it begins to write (claims.go), and of two that change the same customer the
// later write counts.
package operator

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// Operator acts on a store.
type Operator struct {
	// Waiting is told, every second or two, who has the writer's lease while one waits for
	// it; Counting how many days are counted, of how many. Each may be nil.
	Waiting  func(dynamo.LeaseBusy)
	Counting func(days, of int)
	// Patience is how long one waits for somebody who has the lease, before that is the
	// error, a *dynamo.LeaseBusy; 0: for as long as it takes.
	Patience time.Duration
	// Where names the place where it runs, for those who wait; empty: host and process.
	Where string
	// Work names what it does by several calls, one after the other: see dynamo.LeaseWish.
	Work string
	// LeaseTimes count on an engine on this machine alone; zero: the standard ones.
	LeaseTimes dynamo.LeaseTimes
	// LeaseClock is the wall clock, which the operator's own need not be; nil: time.Now.
	LeaseClock func() time.Time

	store  *dynamo.Store
	now    func() time.Time
	random io.Reader
}

// New makes an operator of a store and a clock.
func New(store *dynamo.Store, now func() time.Time) *Operator {
	return &Operator{store: store, now: now, random: rand.Reader}
}

// Now is the operator's clock.
func (o *Operator) Now() time.Time { return o.now() }

// wallClock is the time by LeaseClock.
func (o *Operator) wallClock() time.Time {
	if o.LeaseClock == nil {
		return time.Now()
	}
	return o.LeaseClock()
}

// writeTimeout is how long one write is tried again while the store is unavailable:
// long enough for an engine to restart and a throttled table to grow, and short
// enough to be told of a store that is gone.
const writeTimeout = 2 * time.Minute

// UserError says that something cannot be done as asked. Its text is for the
// operator: what is wrong, and what to do.
type UserError string

func (e UserError) Error() string { return string(e) }

func userErrorf(format string, args ...any) error { return UserError(fmt.Sprintf(format, args...)) }

// unlessNotFound is an error that something has, but that it is not there.
func unlessNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// ListPartners lists all partners, by ID.
func (o *Operator) ListPartners(ctx context.Context) ([]directory.PartnerSummary, error) {
	return o.store.AllPartners(ctx, o.now())
}

// ShowPartner reads a partner and its grants, in the order in which the partner
// sees its customers. UserError: there is no such partner.
func (o *Operator) ShowPartner(
	ctx context.Context, id directory.PartnerID,
) (directory.Partner, []directory.Grant, error) {
	p, grants, err := o.store.PartnerWithGrants(ctx, id)
	if fault.Is(err, fault.NotFound) {
		err = unknownPartner(id)
	}
	slices.SortFunc(grants, func(a, b directory.Grant) int {
		return strings.Compare(directory.SortKey(a.CustomerName, a.Account),
			directory.SortKey(b.CustomerName, b.Account))
	})
	return p, grants, err
}

// Grantee is a partner to which a customer is granted.
type Grantee struct {
	directory.Partner                 // without its name
	Products          []usage.Product // that the grant is narrowed to; empty: all
	OnLists           int             // keys and people of it that have the customer on a list of their own
}

// WhoSees lists the partners that are granted a customer, by ID. A grant of the
// last second may be missing. UserError: there is no such customer.
func (o *Operator) WhoSees(ctx context.Context, account usage.AccountID) ([]Grantee, error) {
	if _, err := o.ShowCustomer(ctx, account); err != nil {
		return nil, err
	}
	lists, err := o.store.ListsWith(ctx, account)
	if err != nil {
		return nil, err
	}
	var partners []directory.PartnerID
	onLists := make(map[directory.PartnerID]int)
	for _, g := range lists {
		if g.Viewer == "" {
			partners = append(partners, g.Partner)
		} else {
			onLists[g.Partner]++
		}
	}
	slices.Sort(partners)
	grantees := make([]Grantee, len(partners))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, id := range partners {
		group.Go(func() error {
			stands, err := o.store.Standing(ctx, id, "", account)
			if stands.Grant != nil {
				grantees[i] = Grantee{stands.Partner, stands.Grant.Products, onLists[id]}
			}
			return unlessNotFound(err) // of a grant that an interrupted command left: nobody sees by it
		})
	}
	err = group.Wait()
	return slices.DeleteFunc(grantees, func(v Grantee) bool { return v.ID == "" }), err
}

// ListCustomers lists the customers whose name or account ID a search finds, in
// the order in which partners see them.
func (o *Operator) ListCustomers(ctx context.Context, search directory.Search) ([]directory.Customer, error) {
	customers, err := o.store.AllCustomers(ctx)
	customers = slices.DeleteFunc(customers,
		func(c directory.Customer) bool { return !search.Finds(c.Name, c.Account) })
	slices.SortFunc(customers, func(a, b directory.Customer) int {
		return strings.Compare(directory.SortKey(a.Name, a.Account), directory.SortKey(b.Name, b.Account))
	})
	return customers, err
}

// ShowCustomer reads a customer. UserError: there is none.
func (o *Operator) ShowCustomer(ctx context.Context, account usage.AccountID) (directory.Customer, error) {
	c, err := o.store.GetCustomer(ctx, account)
	if fault.Is(err, fault.NotFound) {
		err = unknownCustomer(account)
	}
	return c, err
}

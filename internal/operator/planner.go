package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Plan finds what a directory file changes, and writes nothing. A key that the
// file leaves out leaves what is stored; what the file does not name stays.
//
// A price list that is in force is history: where lists exist, one that takes
// effect by now is changed or added only with correctPast, and the plan's
// Corrections tell which prices that touches.
//
// The error is importer.Faults, with every contradiction between the file and
// what is stored, or what reading the store failed with.
func (o *Operator) Plan(ctx context.Context, file importer.Directory, correctPast bool) (Plan, error) {
	return o.plan(ctx, &planner{file: file, correctPast: correctPast}, func(*planner) error { return nil })
}

// plan makes the plan of a file that check accepts, and may complete, when what
// is stored is known.
func (o *Operator) plan(ctx context.Context, p *planner, check func(*planner) error) (Plan, error) {
	p.now = o.now()
	if err := p.load(ctx, o.store); err != nil {
		return Plan{}, err
	}
	if err := check(p); err != nil {
		return Plan{}, err
	}
	for i, c := range p.file.Customers {
		p.customer(c, fmt.Sprintf("customers[%d]", i))
	}
	for i, partner := range p.file.Partners {
		p.partner(partner, fmt.Sprintf("partners[%d]", i))
	}
	p.priceLists()
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b importer.Fault) int { return cmp.Compare(a.Line, b.Line) })
		return Plan{}, p.faults
	}
	return p.plan, nil
}

// planner compares a file with what is stored.
type planner struct {
	file        importer.Directory
	now         time.Time
	correctPast bool
	// needsCustomers: the file will have grants, which check knows only when it
	// knows what is stored.
	needsCustomers bool

	// What is stored, as far as the file has to do with it.
	customers map[usage.AccountID]directory.Customer
	partners  map[directory.PartnerID]storedPartner
	granted   map[usage.AccountID][]directory.Grant // of customers whose name the file tells
	lists     map[usage.Log][]pricing.ListHeader    // oldest first

	after map[usage.AccountID]directory.Customer // all customers as the file leaves them
	names map[string]usage.AccountID             // sub-accounts that the file leaves as they are, and whose

	faults importer.Faults
	plan   Plan
}

type storedPartner struct {
	directory.Partner
	exists bool
	grants map[usage.AccountID]directory.Grant
}

func (p *planner) fail(line int, path, format string, args ...any) {
	p.faults = append(p.faults, importer.Fault{File: p.file.File, Line: line, Path: path, Detail: fmt.Sprintf(format, args...)})
}

func (p *planner) change(c Change) { p.plan.Changes = append(p.plan.Changes, c) }

func (p *planner) in(step int, w write) { p.plan.steps[step] = append(p.plan.steps[step], w) }

// readsAtOnce is how many reads of a plan are under way at the same time.
const readsAtOnce = 16

// load reads what the file is compared with.
func (p *planner) load(ctx context.Context, store *dynamo.Store) error {
	var all []directory.Customer
	if p.namesCustomers() { // a partner that is suspended does not wait for all of them to be read
		var err error
		if all, err = store.AllCustomers(ctx); err != nil {
			return err
		}
	}
	p.customers = make(map[usage.AccountID]directory.Customer, len(all))
	for _, c := range all {
		p.customers[c.Account] = c
	}
	p.merge()

	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	p.partners = make(map[directory.PartnerID]storedPartner)
	for _, entry := range p.file.Partners {
		group.Go(func() error {
			partner, grants, err := store.PartnerWithGrants(ctx, entry.ID)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			stored := storedPartner{partner, err == nil, make(map[usage.AccountID]directory.Grant, len(grants))}
			for _, g := range grants {
				stored.grants[g.Account] = g
			}
			mu.Lock()
			defer mu.Unlock()
			p.partners[entry.ID] = stored
			return nil
		})
	}
	if slices.ContainsFunc(p.file.Customers, func(c importer.Customer) bool { return c.Name.IsSet() }) {
		group.Go(func() error { return p.loadGrants(ctx, store) })
	}
	p.lists = make(map[usage.Log][]pricing.ListHeader)
	for log := range p.logs() {
		group.Go(func() error {
			headers, err := store.PriceListHeaders(ctx, log)
			mu.Lock()
			defer mu.Unlock()
			p.lists[log] = headers
			return err
		})
	}
	return group.Wait()
}

// loadGrants reads who is granted the file's customers. All grants are read: the
// index by account may lack the latest, and a copy of a name that was missed
// would stay old.
func (p *planner) loadGrants(ctx context.Context, store *dynamo.Store) error {
	grants, err := store.AllGrants(ctx)
	slices.SortFunc(grants, func(a, b directory.Grant) int { return cmp.Compare(a.Partner, b.Partner) })
	p.granted = make(map[usage.AccountID][]directory.Grant)
	for _, g := range grants {
		p.granted[g.Account] = append(p.granted[g.Account], g)
	}
	return err
}

// namesCustomers tells whether the file has to do with any customer.
func (p *planner) namesCustomers() bool {
	return p.needsCustomers || len(p.file.Customers) > 0 || len(p.file.PriceLists) > 0 ||
		slices.ContainsFunc(p.file.Partners, func(partner importer.Partner) bool { return partner.Grants.IsSet() })
}

// merge finds what customers are after the file.
func (p *planner) merge() {
	p.after = maps.Clone(p.customers)
	p.names = make(map[string]usage.AccountID)
	for _, c := range p.customers {
		for _, sub := range c.SubAccounts {
			p.names[sub] = c.Account
		}
	}
	for _, entry := range p.file.Customers {
		stored := p.customers[entry.Account]
		p.after[entry.Account] = merged(stored, entry)
		if entry.SubAccounts.IsSet() {
			for _, sub := range stored.SubAccounts {
				delete(p.names, sub)
			}
		}
	}
}

func (p *planner) isRenamed(account usage.AccountID) bool {
	before, exists := p.customers[account]
	return exists && before.Name != p.after[account].Name
}

// logs are those whose price lists matter: the file's own, and those of
// customers who get another currency.
func (p *planner) logs() map[usage.Log]bool {
	logs := make(map[usage.Log]bool)
	for _, l := range p.file.PriceLists {
		logs[l.Log] = true
	}
	for _, entry := range p.file.Customers {
		if p.after[entry.Account].Currency != p.customers[entry.Account].Currency {
			for _, product := range usage.Products() {
				logs[usage.Log{Account: entry.Account, Product: product}] = true
			}
		}
	}
	return logs
}

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
	"partnerview/internal/importer"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Plan is what has to be written so that the tables say what a directory file
// says. The zero Plan changes nothing.
type Plan struct {
	Changes []Change // in the order of customers, partners with their grants, price lists; each in that of the file
	// Corrections tell which prices of the past the Changes touch.
	Corrections []Correction
	// Recount is what has to be counted anew; nil: nothing, or, of a plan that deletes usage,
	// the days of its records.
	Recount *Recount
	// Later leaves that to [Operator.RebuildTotals]: until then those days are pending.
	Later bool
	// Sights tell what a viewer of a partner sees then, where the plan is one viewer's.
	Sights  []Sight
	Viewers directory.PartnerID // whose viewer it is

	// Undoes are what commands have changed in the file's partners, and the plan changes to what
	// the file says. Where there are any, Apply wants Overwrite.
	Undoes    []Undo
	Overwrite bool

	// Progress is told now and then how many records a plan that deletes usage has
	// deleted so far; nil: nobody wants to know.
	Progress func(deleted int)

	steps  [steps][]write
	claims []claim                  // of the partners that change
	lists  map[usage.Log]listChange // of the logs whose price lists change
	zones  []usage.AccountID        // whose time zone changes

	deletes bool       // a customer, with its price lists
	usage   *Selection // records that are deleted; nil: none
}

func (p Plan) tell(deleted int) {
	if p.Progress != nil {
		p.Progress(deleted)
	}
}

// write writes one thing. It may be repeated.
type write func(context.Context, *dynamo.Store) error

// The steps of a plan, one after the other. No partner or viewer ever sees more than the
// old or the new file gives it: first everything is taken away that the new one
// does not give, so that what is left is in both; only then the new is given. Whose list
// counts from now on is said in between, when it has nothing that the new one has not. A
// customer is written before the grants that name it, and the copies of its name
// before the customer, so that an interrupted rename is seen as not yet done. A
// partner's keys are revoked before anything of it is deleted, and what is deleted
// as a whole goes last, so that an interrupted deletion is seen as not yet done.
const (
	stepRevoke = iota
	stepNarrow
	stepMark
	stepRename
	stepCustomers
	stepPriceLists
	stepWiden
	stepDelete // what belongs to what is deleted; usage before it
	stepDeleteLast
	steps
)

// writesAtOnce is how many writes of one step are under way at the same time.
const writesAtOnce = 16

// Apply carries a plan out. Interrupted anywhere, it leaves each partner with no
// more than the old or the new file gives; a new plan of the same file has the
// rest.
//
// Where price lists, time zones or usage change, it holds the writer's lease, but not for what
// is taken away first, and counts the days anew that they change. Interrupted, it leaves days
// pending that whoever writes next counts.
//
// Refused: a partner was changed since the plan was made, or the plan undoes what commands have
// done and may not; nothing is written.
func (o *Operator) Apply(ctx context.Context, p Plan) error {
	if err := o.claim(ctx, p); err != nil {
		return err
	}
	if !p.changesTotals() {
		return p.write(ctx, o.store, 0, steps)
	}
	if err := p.write(ctx, o.store, 0, stepCustomers); err != nil {
		return err
	}
	deleted := 0
	return o.writing(ctx, "apply", func(ctx context.Context, w *writer) error {
		if err := o.stillClaimed(ctx, p); err != nil { // one may have waited long
			return err
		}
		if err := w.openPlanned(ctx, p); err != nil {
			return err
		}
		if err := p.write(ctx, w.store, stepCustomers, stepDelete); err != nil {
			return err
		}
		for log := range p.lists {
			if err := w.store.NotePricesChanged(ctx, log, o.now()); err != nil {
				return err
			}
		}
		if p.usage != nil {
			err := o.deleteRecords(ctx, w, *p.usage, func(more int) { deleted += more; p.tell(deleted) })
			if err != nil {
				return err
			}
		}
		if err := p.write(ctx, w.store, stepDelete, steps); err != nil || !p.Later {
			return err
		}
		return w.leave(ctx)
	})
}

// write takes the steps from one up to another, which it is without.
func (p Plan) write(ctx context.Context, s *dynamo.Store, from, to int) error {
	for _, writes := range p.steps[from:to] {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(writesAtOnce)
		for _, write := range writes {
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, writeTimeout)
				defer cancel()
				return write(ctx, s)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// Action is what happens to a thing.
type Action string

const (
	Add    Action = "add"
	Alter  Action = "change"
	Remove Action = "remove"
)

// Kind is what a change is about.
type Kind string

const (
	PartnerKind   Kind = "partner"
	GrantKind     Kind = "grant"
	CustomerKind  Kind = "customer"
	PriceListKind Kind = "priceList"
	KeyKind       Kind = "key"
	PersonKind    Kind = "viewer"
	UsageKind     Kind = "usage"
)

// Change is one thing that a plan adds, changes or removes. Of the ids those are
// set that name a thing of its kind.
type Change struct {
	Kind          Kind                `json:"kind"`
	Action        Action              `json:"action"`
	PartnerID     directory.PartnerID `json:"partnerId,omitempty"`
	ViewerID      directory.ViewerID  `json:"viewerId,omitempty"` // of a grant: whose list it stands on
	Subject       string              `json:"subject,omitempty"`  // of the person that ViewerID names
	AccountID     usage.AccountID     `json:"accountId,omitempty"`
	Product       usage.Product       `json:"product,omitempty"`
	EffectiveFrom string              `json:"effectiveFrom,omitempty"` // in usage.TimeLayout
	KeyID         string              `json:"keyId,omitempty"`
	Records       int                 `json:"records,omitempty"` // of usage
	// Fields are what changes in it. Those of a price list, whose rates may be
	// thousands, are not told.
	Fields []FieldChange `json:"fields,omitempty"`
}

// FieldChange is a field's value before and after, as text; empty is none.
type FieldChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// changed leaves of a thing's fields those that change.
func changed(fields ...FieldChange) []FieldChange {
	var out []FieldChange
	for _, f := range fields {
		if f.From != f.To {
			out = append(out, f)
		}
	}
	return out
}

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
	p.settle()
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b importer.Fault) int { return cmp.Compare(a.Line, b.Line) })
		return Plan{}, p.faults
	}
	if err := p.zonesOfOld(ctx, o.store); err != nil {
		return Plan{}, err
	}
	var err error
	p.plan.Recount, err = o.recount(ctx, p.plan)
	return p.plan, err
}

// planner compares a file with what is stored.
type planner struct {
	file        importer.Directory
	now         time.Time
	correctPast bool
	// needsCustomers: the file will have grants, which check knows only when it
	// knows what is stored.
	needsCustomers bool
	// command is the one of which this is the plan: "grant add"; empty: it is a file's.
	command string

	// What is stored, as far as the file has to do with it.
	edits     *directory.Edits // of the one partner of a command that has read more of it already
	customers map[usage.AccountID]directory.Customer
	partners  map[directory.PartnerID]storedPartner
	granted   map[usage.AccountID][]directory.Grant // of customers whose name the file tells
	lists     map[usage.Log][]pricing.ListHeader    // oldest first

	after map[usage.AccountID]directory.Customer // all customers as the file leaves them
	names map[string]usage.AccountID             // sub-accounts that the file leaves as they are, and whose

	made []usage.AccountID // customers that are not stored yet

	subjects map[directory.ViewerID]string // of people, as far as they are known

	faults importer.Faults
	plan   Plan
}

// grantList is a partner's or a viewer's grants by their customers.
type grantList = map[usage.AccountID]directory.Grant

type storedPartner struct {
	directory.Partner
	exists bool
	edits  directory.Edits // as they were before all else was read
	next   string          // its version when the plan is carried out
	grants grantList
	noted  map[directory.ViewerID]grantList // the lists of keys and people that notes are about
	// Of a partner whose people the file has, or that is not stored yet:
	people map[directory.ViewerID]directory.Person
	lists  map[directory.ViewerID]grantList // of these people, and of those in the file
}

func byAccount(grants []directory.Grant) grantList {
	list := make(grantList, len(grants))
	for _, g := range grants {
		list[g.Account] = g
	}
	return list
}

func (p *planner) fail(line int, path, format string, args ...any) {
	p.faults = append(p.faults,
		importer.Fault{File: p.file.File, Line: line, Path: path, Detail: fmt.Sprintf(format, args...)})
}

func (p *planner) change(c Change) {
	c.Subject = p.subjects[c.ViewerID]
	p.plan.Changes = append(p.plan.Changes, c)
}

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
	p.subjects = make(map[directory.ViewerID]string)

	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	p.partners = make(map[directory.PartnerID]storedPartner)
	for _, entry := range p.file.Partners {
		group.Go(func() error {
			edits, err := p.editsOf(ctx, store, entry.ID)
			if err != nil {
				return err
			}
			partner, grants, err := store.PartnerWithGrants(ctx, entry.ID)
			if unlessNotFound(err) != nil {
				return err
			}
			stored := storedPartner{Partner: partner, exists: err == nil, edits: edits, next: newVersion(),
				grants: byAccount(grants)}
			if stored.noted, err = p.notedLists(ctx, store, entry, edits); err != nil {
				return err
			}
			if entry.Viewers.IsSet() || !stored.exists {
				if err := p.loadPeople(ctx, store, entry, &stored); err != nil {
					return err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			p.partners[entry.ID] = stored
			for id, person := range stored.people {
				p.subjects[id] = person.Subject
			}
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
	slices.SortFunc(grants, func(a, b directory.Grant) int {
		return cmp.Or(cmp.Compare(a.Partner, b.Partner), cmp.Compare(a.Viewer, b.Viewer))
	})
	p.granted = make(map[usage.AccountID][]directory.Grant)
	for _, g := range grants {
		p.granted[g.Account] = append(p.granted[g.Account], g)
	}
	return err
}

// namesCustomers reports whether the file has to do with any customer.
func (p *planner) namesCustomers() bool {
	return p.needsCustomers || len(p.file.Customers) > 0 || len(p.file.PriceLists) > 0 ||
		slices.ContainsFunc(p.file.Partners,
			func(partner importer.Partner) bool { return partner.Grants.IsSet() || partner.Viewers.IsSet() })
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

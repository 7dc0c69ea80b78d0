package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// Viewers: the keys and the people of a partner that have customers of their own. What
// a viewer sees is on its list and its partner's too, product by product. A list is
// changed in the steps of a plan: what goes is taken off, then the viewer is bound to the
// list, then what comes is put on it.

// Sight is a customer on a viewer's list, and what the viewer sees of it.
type Sight struct {
	Account  usage.AccountID
	Name     string          // of the customer, as the list has it
	Products []usage.Product // that the list names; empty: all
	Granted  bool            // the viewer's partner has the customer
	Shown    []usage.Product // enabled, granted to the partner, and on the list; empty: nothing is seen
}

// loadPeople reads a partner's people and their lists.
func (p *planner) loadPeople(
	ctx context.Context, store *dynamo.Store, entry importer.Partner, stored *storedPartner,
) error {
	people, err := store.People(ctx, entry.ID)
	if err != nil {
		return err
	}
	stored.people = make(map[directory.ViewerID]directory.Person, len(people))
	stored.lists = make(map[directory.ViewerID]grantList)
	for _, person := range people {
		stored.people[person.ID()], stored.lists[person.ID()] = person, nil
	}
	for _, v := range entry.Viewers.Value {
		stored.lists[p.personOf(entry.ID, v).ID()] = nil
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for _, id := range slices.Collect(maps.Keys(stored.lists)) {
		group.Go(func() error {
			grants, err := store.GrantsOf(ctx, entry.ID, id)
			mu.Lock()
			defer mu.Unlock()
			stored.lists[id] = byAccount(grants)
			return err
		})
	}
	return group.Wait()
}

func (p *planner) personOf(partner directory.PartnerID, v importer.Viewer) directory.Person {
	return directory.Person{Partner: partner, Issuer: cmp.Or(v.Issuer, p.file.Issuer), Subject: v.Subject, Name: v.Name}
}

// people plans that a partner's people have the file's lists, and that who is not in the
// file any more is refused: forgotten, they might see all of the partner's customers. Where the
// partner is not stored yet, people are left of an interrupted command, and are forgotten.
func (p *planner) people(entry importer.Partner, path string) {
	stored := p.partners[entry.ID]
	lines := make(map[directory.ViewerID]int)
	for i, v := range entry.Viewers.Value {
		path := fmt.Sprintf("%s.viewers[%d]", path, i)
		person := p.personOf(entry.ID, v)
		if person.Issuer == "" {
			p.fail(v.Line, path+".issuer", "is missing, and which issuer the stack has is not known")
			continue
		}
		if first, twice := lines[person.ID()]; twice {
			p.fail(v.Line, path+".subject", "%q is there twice, first on line %d: the issuer is the stack's own",
				v.Subject, first)
			continue
		}
		lines[person.ID()] = v.Line
		p.person(person, stored.people, v.Customers, stored.lists[person.ID()], func(i int, g importer.Grant) bool {
			has := p.has(entry.ID, g.Account)
			if !has {
				p.fail(g.Line, fmt.Sprintf("%s.customers[%d].accountId", path, i),
					"%q is not among the customers of %s", g.Account, entry.ID)
			}
			return has
		})
	}
	for _, id := range slices.Sorted(maps.Keys(stored.people)) {
		switch _, stays := lines[id]; {
		case stays:
		case entry.Viewers.IsSet():
			p.removePerson(stored.people[id], true, stored.lists[id])
		case !stored.exists:
			p.forgetPerson(stored.people[id], stored.lists[id])
		}
	}
}

// has reports whether a partner has a customer after the file.
func (p *planner) has(partner directory.PartnerID, account usage.AccountID) bool {
	if _, exists := p.after[account]; !exists {
		return false
	}
	for _, entry := range p.file.Partners {
		if entry.ID == partner && entry.Grants.IsSet() {
			return slices.ContainsFunc(entry.Grants.Value, func(g importer.Grant) bool { return g.Account == account })
		}
	}
	stored := p.partners[partner]
	_, granted := stored.grants[account]
	return granted && stored.exists
}

// person plans that a person counts, and has the wanted customers on their list and no
// others. One who was removed counts again.
func (p *planner) person(after directory.Person, people map[directory.ViewerID]directory.Person,
	wanted []importer.Grant, stored grantList, may func(int, importer.Grant) bool) {
	id := after.ID()
	before, exists := people[id]
	p.subjects[id] = after.Subject
	after.CreatedAt = p.now.UTC().Truncate(time.Millisecond)
	change := Change{Kind: PersonKind, Action: Add, PartnerID: after.Partner, ViewerID: id,
		Fields: changed(FieldChange{"name", before.Name, after.Name})}
	if exists {
		after.CreatedAt = before.CreatedAt
		change.Action = Alter
		change.Fields = append(change.Fields,
			changed(FieldChange{"status", string(stateOf(before)), string(stateOf(after))})...)
	}
	if !exists || len(change.Fields) > 0 {
		p.change(change)
		p.in(stepMark, func(ctx context.Context, s *dynamo.Store) error { return s.PutPerson(ctx, after) })
	}
	p.list(holder{after.Partner, id}, wanted, stored, may)
}

func stateOf(p directory.Person) directory.PersonState {
	if p.RemovedAt.IsZero() {
		return directory.Listed
	}
	return directory.Removed
}

// removePerson plans that a person is refused; exists: something is said of them already.
func (p *planner) removePerson(person directory.Person, exists bool, list grantList) {
	id, now := person.ID(), p.now.UTC().Truncate(time.Millisecond)
	change := Change{Kind: PersonKind, Action: Alter, PartnerID: person.Partner, ViewerID: id}
	switch before := ""; {
	case exists && stateOf(person) == directory.Removed:
	case exists:
		before = string(directory.Listed)
		fallthrough
	default:
		change.Fields = changed(FieldChange{"status", before, string(directory.Removed)})
		if !exists {
			change.Action = Add
		}
		p.change(change)
		p.in(stepRevoke, func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.RemovePerson(ctx, person.Partner, id, now)
			if fault.Is(err, fault.NotFound) {
				person.CreatedAt, person.RemovedAt = now, now
				err = s.PutPerson(ctx, person)
			}
			return err
		})
	}
	p.clear(list)
}

// forgetPerson plans that nothing is said of a person any more.
func (p *planner) forgetPerson(person directory.Person, list grantList) {
	id, now := person.ID(), p.now
	p.change(Change{Kind: PersonKind, Action: Remove, PartnerID: person.Partner, ViewerID: id})
	p.in(stepRevoke, func(ctx context.Context, s *dynamo.Store) error {
		_, err := s.RemovePerson(ctx, person.Partner, id, now)
		return unlessNotFound(err)
	})
	p.clear(list)
	p.in(stepMark, func(ctx context.Context, s *dynamo.Store) error { return s.DeletePerson(ctx, person.Partner, id) })
}

// clear plans that all is taken off a list.
func (p *planner) clear(list grantList) {
	for _, account := range slices.Sorted(maps.Keys(list)) {
		p.removeGrant(list[account])
	}
}

// planViewer plans what becomes of one viewer, when what is stored of its partner, and
// its own list, are known. edits were read before all else. UserError: there is no such partner.
func (o *Operator) planViewer(
	ctx context.Context, command string, of holder, edits *directory.Edits,
	change func(p *planner, own grantList) error,
) (Plan, error) {
	own, err := o.store.GrantsOf(ctx, of.partner, of.viewer)
	if err != nil {
		return Plan{}, err
	}
	file := importer.Directory{File: commandLineName, Partners: []importer.Partner{{Line: line, ID: of.partner}}}
	p := &planner{file: file, needsCustomers: true, command: command, edits: edits}
	return o.plan(ctx, p, func(p *planner) error {
		if !p.partners[of.partner].exists {
			return unknownPartner(of.partner)
		}
		return change(p, byAccount(own))
	})
}

// checkList finds what cannot be on a viewer's list, all at once, and tells the way out. What is
// on the list already may stay, though its partner has lost it.
func (p *planner) checkList(partner directory.PartnerID, wanted []importer.Grant, own grantList) error {
	var missing, twice []string
	given := make(map[usage.AccountID]bool)
	for _, g := range wanted {
		_, listed := own[g.Account]
		switch {
		case given[g.Account]:
			twice = append(twice, string(g.Account))
		case !listed && !p.has(partner, g.Account):
			missing = append(missing, string(g.Account))
		}
		given[g.Account] = true
	}
	switch {
	case len(wanted) == 0:
		return UserError("a viewer's list has at least one customer")
	case len(twice) > 0:
		return userErrorf("named twice: %s", strings.Join(twice, ", "))
	case len(missing) > 0:
		return userErrorf("not among the customers of %s: %s. Nobody sees more than their partner: leave them out, or "+
			"grant them first, with partnerctl grant add %s %s",
			partner, strings.Join(missing, ", "), partner, missing[0])
	}
	return nil
}

// anyCustomer lets each customer be on a list: it was checked before.
func anyCustomer(int, importer.Grant) bool { return true }

// see notes in the plan what a viewer will see by a list.
func (p *planner) see(partner directory.PartnerID, list []importer.Grant) {
	p.plan.Viewers = partner
	for _, g := range list {
		granted, has := p.partners[partner].grants[g.Account]
		customer := p.after[g.Account]
		p.plan.Sights = append(p.plan.Sights, sightOf(
			directory.Grant{Account: g.Account, Products: g.Products, CustomerName: customer.Name},
			granted, has, customer.Products))
	}
	sortSights(p.plan.Sights)
}

func sightOf(own, granted directory.Grant, has bool, enabled []usage.Product) Sight {
	s := Sight{Account: own.Account, Name: own.CustomerName, Products: own.Products, Granted: has}
	if has {
		s.Shown = directory.Visible(enabled, granted.Products, own.Products)
	}
	return s
}

// sortSights sorts as the viewer sees its customers.
func sortSights(sights []Sight) {
	slices.SortFunc(sights, func(a, b Sight) int {
		return strings.Compare(directory.SortKey(a.Name, a.Account), directory.SortKey(b.Name, b.Account))
	})
}

// PlanPerson finds what it takes that a person of a partner sees these of its customers and
// no others, also one who was removed. An empty name leaves what is stored. UserError: there is
// no such partner, or it has not all of these customers.
func (o *Operator) PlanPerson(ctx context.Context, person directory.Person, list []importer.Grant) (Plan, error) {
	edits, err := o.readEdits(ctx, person.Partner)
	if err != nil {
		return Plan{}, err
	}
	stored, exists, err := o.personIfAny(ctx, person.Partner, person.ID())
	if err != nil {
		return Plan{}, err
	}
	people := make(map[directory.ViewerID]directory.Person)
	if exists {
		people[person.ID()] = stored
		person.Name = cmp.Or(person.Name, stored.Name)
	}
	of := holder{person.Partner, person.ID()}
	return o.planViewer(ctx, viewerAdd, of, edits, func(p *planner, own grantList) error {
		if err := p.checkList(person.Partner, list, nil); err != nil {
			return err
		}
		p.person(person, people, list, own, anyCustomer)
		p.see(person.Partner, list)
		return nil
	})
}

// personIfAny reads what is said of a person, and reports whether anything is.
func (o *Operator) personIfAny(
	ctx context.Context, partner directory.PartnerID, id directory.ViewerID,
) (directory.Person, bool, error) {
	person, err := o.store.Person(ctx, partner, id)
	return person, err == nil, unlessNotFound(err)
}

// PlanPersonRemoval finds what it takes that a person is refused, of whom something may be
// said or nothing; or, with forget, that nothing is said of them any more: then they see what
// anybody sees of whom nothing is said. UserError: there is no such partner.
func (o *Operator) PlanPersonRemoval(ctx context.Context, person directory.Person, forget bool) (Plan, error) {
	edits, err := o.readEdits(ctx, person.Partner)
	if err != nil {
		return Plan{}, err
	}
	stored, exists, err := o.personIfAny(ctx, person.Partner, person.ID())
	if err != nil {
		return Plan{}, err
	}
	if exists {
		person = stored
	}
	of := holder{person.Partner, person.ID()}
	return o.planViewer(ctx, viewerRemove, of, edits, func(p *planner, own grantList) error {
		p.subjects[person.ID()] = person.Subject
		switch {
		case !forget:
			p.removePerson(person, exists, own)
		case exists:
			p.forgetPerson(person, own)
		default:
			p.clear(own)
		}
		return nil
	})
}

// PlanNarrowKey finds what it takes that a key sees these of its partner's customers and no
// others. UserError: there is no such key, or its partner has not all of these customers.
func (o *Operator) PlanNarrowKey(ctx context.Context, id string, list []importer.Grant) (Plan, error) {
	return o.planKey(ctx, keyNarrow, id, func(p *planner, key directory.AccessKey, own grantList) error {
		if err := p.checkList(key.Partner, list, nil); err != nil {
			return err
		}
		p.bindKey(key, own, list)
		return nil
	})
}

// PlanWidenKey finds what it takes that a narrowed key sees these customers too: of one that it
// sees already, these products too. UserError: there is no such key, it is not narrowed, or its
// partner has not all of these customers.
func (o *Operator) PlanWidenKey(ctx context.Context, id string, more []importer.Grant) (Plan, error) {
	return o.planKey(ctx, keyWiden, id, func(p *planner, key directory.AccessKey, own grantList) error {
		if !key.Narrowed {
			return userErrorf("the key %s sees all customers of %s already: to bound it to some, "+
				"partnerctl key narrow %s", id, key.Partner, id)
		}
		if err := p.checkList(key.Partner, more, own); err != nil {
			return err
		}
		var list []importer.Grant
		for _, account := range slices.Sorted(maps.Keys(own)) {
			list = append(list, importer.Grant{Line: line, Account: account, Products: own[account].Products})
		}
		for _, g := range more {
			i := slices.IndexFunc(list, func(l importer.Grant) bool { return l.Account == g.Account })
			switch {
			case i < 0:
				list = append(list, g)
			case len(g.Products) == 0 || len(list[i].Products) == 0:
				list[i].Products = nil // all
			default:
				list[i].Products = directory.Visible(slices.Concat(list[i].Products, g.Products))
			}
		}
		p.bindKey(key, own, list)
		return nil
	})
}

// PlanWidenKeyToAll finds what it takes that a key sees all customers of its partner.
// UserError: there is no such key.
func (o *Operator) PlanWidenKeyToAll(ctx context.Context, id string) (Plan, error) {
	return o.planKey(ctx, keyWiden, id, func(p *planner, key directory.AccessKey, own grantList) error {
		if key.Narrowed {
			p.change(changeOfKey(key, yes, no))
			p.in(stepWiden, func(ctx context.Context, s *dynamo.Store) error { return s.WidenAccessKey(ctx, id) })
		}
		for _, account := range slices.Sorted(maps.Keys(own)) { // which does not count then
			g := own[account]
			p.change(changeOfGrant(Remove, g))
			p.in(stepDelete, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteGrant(ctx, g) })
		}
		return nil
	})
}

const yes, no = "yes", "no"

func changeOfKey(key directory.AccessKey, from, to string) Change {
	return Change{Kind: KeyKind, Action: Alter, PartnerID: key.Partner, KeyID: key.ID,
		Fields: changed(FieldChange{"narrowed", from, to})}
}

func (o *Operator) planKey(
	ctx context.Context, command, id string, change func(*planner, directory.AccessKey, grantList) error,
) (Plan, error) {
	owned, err := o.FindKey(ctx, id)
	if err != nil {
		return Plan{}, err
	}
	edits, err := o.readEdits(ctx, owned.Partner)
	if err != nil {
		return Plan{}, err
	}
	key, err := o.FindKey(ctx, id) // as it is since then
	if err != nil {
		return Plan{}, err
	}
	of := holder{key.Partner, directory.ViewerID(id)}
	return o.planViewer(ctx, command, of, edits, func(p *planner, own grantList) error { return change(p, key, own) })
}

// bindKey plans that a key sees what is on a list, and no more.
func (p *planner) bindKey(key directory.AccessKey, own grantList, list []importer.Grant) {
	if !key.Narrowed {
		p.change(changeOfKey(key, no, yes))
		p.in(stepMark, func(ctx context.Context, s *dynamo.Store) error { return s.NarrowAccessKey(ctx, key.ID) })
	}
	p.list(holder{key.Partner, directory.ViewerID(key.ID)}, list, own, anyCustomer)
	p.see(key.Partner, list)
}

// CreateNarrowKey makes an access key as [Operator.CreateKey] does, that sees these of its
// partner's customers and no others, and tells what that comes to. The key sees nothing before its list is
// written. UserError: as of CreateKey, or the partner has not all of these customers.
func (o *Operator) CreateNarrowKey(
	ctx context.Context, partner directory.PartnerID, label string, expires Expiry, list []importer.Grant,
) (text string, key directory.AccessKey, sights []Sight, err error) {
	text, key, err = o.newKey(ctx, partner, label, expires)
	if err != nil {
		return "", key, nil, err
	}
	key.Narrowed = true
	of := holder{partner, directory.ViewerID(key.ID)}
	edits, err := o.readEdits(ctx, partner)
	if err != nil {
		return "", key, nil, err
	}
	plan, err := o.planViewer(ctx, keyCreate, of, edits, func(p *planner, own grantList) error {
		if err := p.checkList(partner, list, nil); err != nil {
			return err
		}
		p.in(stepMark, func(ctx context.Context, s *dynamo.Store) error { return s.PutAccessKey(ctx, key) })
		p.list(of, list, own, anyCustomer)
		p.see(partner, list)
		return nil
	})
	if err != nil {
		return "", key, nil, err
	}
	if err := o.Apply(ctx, plan); err != nil {
		return "", key, nil, unfinishedKey(key, err)
	}
	return text, key, plan.Sights, nil
}

// handOnList makes a new key that has the list of an old one, as it stands there.
func (o *Operator) handOnList(ctx context.Context, key directory.AccessKey, from string) error {
	list, err := o.store.GrantsOf(ctx, key.Partner, directory.ViewerID(from))
	if err != nil {
		return err
	}
	p := &planner{}
	p.in(stepMark, func(ctx context.Context, s *dynamo.Store) error { return s.PutAccessKey(ctx, key) })
	for _, g := range list {
		g.Viewer = directory.ViewerID(key.ID)
		p.in(stepWiden, func(ctx context.Context, s *dynamo.Store) error { return s.PutGrant(ctx, g) })
	}
	if err := o.Apply(ctx, p.plan); err != nil {
		return unfinishedKey(key, err)
	}
	return nil
}

// unfinishedKey tells of a key that nobody has, since its list could not be written.
func unfinishedKey(key directory.AccessKey, err error) error {
	return fmt.Errorf("the key %s was not finished, and is shown to nobody: partnerctl key revoke %s, "+
		"where key list has it, and run the command again: %w", key.ID, key.ID, err)
}

// KeyView is a key with what it sees.
type KeyView struct {
	OwnedKey
	List []Sight // of a narrowed key
}

// ShowKey reads a key with its list, in the order in which it sees its customers.
// UserError: there is no such key.
func (o *Operator) ShowKey(ctx context.Context, id string) (KeyView, error) {
	owned, exists, err := o.KeyAndOwner(ctx, id)
	if err == nil && !exists {
		err = unknownKey(id, fault.New(fault.NotFound, "key", nil))
	}
	if err != nil || !owned.Key.Narrowed {
		return KeyView{OwnedKey: owned}, err
	}
	list, err := o.sights(ctx, owned.Key.Partner, directory.ViewerID(id))
	return KeyView{owned, list}, err
}

// PersonView is a person with what they see.
type PersonView struct {
	directory.Person
	List []Sight
}

// ShowPerson reads what is said of a person, with their list in the order in which they see
// it. UserError: there is no such partner, or nothing is said of the person.
func (o *Operator) ShowPerson(
	ctx context.Context, partner directory.PartnerID, issuer, subject string,
) (PersonView, error) {
	if _, err := o.existing(ctx, partner); err != nil {
		return PersonView{}, err
	}
	person, err := o.store.Person(ctx, partner, directory.PersonID(issuer, subject))
	if fault.Is(err, fault.NotFound) {
		err = userErrorf("nothing is said of %q of %s at %s: partnerctl viewer list --partner %s "+
			"shows of whom something is", subject, partner, issuer, partner)
	}
	if err != nil {
		return PersonView{}, err
	}
	list, err := o.sights(ctx, partner, person.ID())
	return PersonView{person, list}, err
}

// ListedPerson is a person with how many customers are on their list.
type ListedPerson struct {
	directory.Person
	Customers int
}

// ListPeople lists a partner's people of whom something is said, by name and subject.
// UserError: there is no such partner.
func (o *Operator) ListPeople(ctx context.Context, partner directory.PartnerID) ([]ListedPerson, error) {
	if _, err := o.existing(ctx, partner); err != nil {
		return nil, err
	}
	people, err := o.store.People(ctx, partner)
	if err != nil {
		return nil, err
	}
	listed := make([]ListedPerson, len(people))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, person := range people {
		group.Go(func() error {
			list, err := o.store.GrantsOf(ctx, partner, person.ID())
			listed[i] = ListedPerson{person, len(list)}
			return err
		})
	}
	return listed, group.Wait()
}

// sights reads a viewer's list, and what the viewer sees by it now.
func (o *Operator) sights(
	ctx context.Context, partner directory.PartnerID, viewer directory.ViewerID,
) ([]Sight, error) {
	own, err := o.store.GrantsOf(ctx, partner, viewer)
	if err != nil {
		return nil, err
	}
	_, grants, err := o.store.PartnerWithGrants(ctx, partner)
	if unlessNotFound(err) != nil {
		return nil, err
	}
	granted := byAccount(grants)
	sights := make([]Sight, len(own))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, g := range own {
		group.Go(func() error {
			partners, has := granted[g.Account]
			var enabled []usage.Product
			if has {
				var err error
				if enabled, err = o.store.CustomerProducts(ctx, g.Account); unlessNotFound(err) != nil {
					return err
				}
			}
			sights[i] = sightOf(g, partners, has, enabled)
			return nil
		})
	}
	err = group.Wait()
	sortSights(sights)
	return sights, err
}

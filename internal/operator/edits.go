package operator

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// The commands that change one thing are directory files of one entry: they
// plan, show and write as [Operator.Plan] and [Operator.Apply] do, and keep the
// same promises.

// PlanGrant finds what it takes that a partner sees a customer: of its products
// those that are given, or all if none are. A grant that is there becomes this
// one. UserError: there is no such partner or customer.
func (o *Operator) PlanGrant(ctx context.Context, partner directory.PartnerID, account usage.AccountID,
	products []usage.Product) (Plan, error) {
	return o.planGrants(ctx, grantAdd, partner, []usage.AccountID{account},
		importer.Grant{Line: line, Account: account, Products: products})
}

// PlanWithoutGrants finds what it takes that a partner sees some customers no
// longer. One that it does not see changes nothing. UserError: there is no such
// partner or customer.
func (o *Operator) PlanWithoutGrants(ctx context.Context, partner directory.PartnerID,
	accounts []usage.AccountID) (Plan, error) {
	return o.planGrants(ctx, grantRemove, partner, accounts)
}

// line is where the entry of such a file stands: a key without a line would be
// one that is left out.
const line = 1

const commandLineName = "the command line"

// planGrants plans a partner's grants: those that are stored, without those of
// some accounts, with what is added. The list is made of the same reading that
// it is then compared with: a grant that another command takes away meanwhile is
// not given again.
func (o *Operator) planGrants(ctx context.Context, command string, partner directory.PartnerID,
	accounts []usage.AccountID, added ...importer.Grant) (Plan, error) {
	file := importer.Directory{File: commandLineName, Partners: []importer.Partner{{Line: line, ID: partner}}}
	return o.plan(ctx, &planner{file: file, needsCustomers: true, command: command}, func(p *planner) error {
		stored := p.partners[partner]
		if !stored.exists {
			return unknownPartner(partner)
		}
		var grants []importer.Grant
		for _, account := range slices.Sorted(maps.Keys(stored.grants)) {
			g := stored.grants[account]
			if _, exists := p.customers[account]; slices.Contains(accounts, account) {
				continue
			} else if !exists {
				delete(stored.grants, account) // a grant of nobody: it stays as it is
				continue
			}
			grants = append(grants, importer.Grant{Line: line, Account: account, Products: g.Products})
		}
		for _, account := range accounts {
			_, granted := stored.grants[account]
			if _, exists := p.customers[account]; !exists && !granted {
				return unknownCustomer(account)
			}
		}
		p.file.Partners[0].Grants = importer.Field[[]importer.Grant]{Line: line, Value: append(grants, added...)}
		return nil
	})
}

// PlanStatus finds what it takes that a partner is active or suspended. UserError:
// there is no such partner.
func (o *Operator) PlanStatus(
	ctx context.Context, partner directory.PartnerID, status directory.PartnerStatus,
) (Plan, error) {
	file := importer.Directory{File: commandLineName, Partners: []importer.Partner{{
		Line: line, ID: partner, Status: importer.Field[directory.PartnerStatus]{Line: line, Value: status},
	}}}
	command := partnerResume
	if status == directory.Suspended {
		command = partnerSuspend
	}
	return o.plan(ctx, &planner{file: file, command: command}, func(p *planner) error {
		if !p.partners[partner].exists {
			return unknownPartner(partner)
		}
		return nil
	})
}

// NewCredit is what a customer has left at a time.
type NewCredit struct {
	Remaining *decimal.Decimal                 // nil: it is not known any more
	Limit     importer.Field[*decimal.Decimal] // left out: as it was
	AsOf      time.Time
}

// PlanCredit finds what it takes that a customer's credit is another. UserError:
// there is no such customer, or a newer credit is stored.
func (o *Operator) PlanCredit(ctx context.Context, account usage.AccountID, credit NewCredit) (Plan, error) {
	asOf := credit.AsOf.UTC().Truncate(time.Millisecond)
	file := importer.Directory{File: commandLineName, Customers: []importer.Customer{{
		Line: line, Account: account,
		RemainingCredit: importer.Field[*decimal.Decimal]{Line: line, Value: credit.Remaining},
		CreditLimit:     credit.Limit,
		CreditAsOf:      importer.Field[*time.Time]{Line: line, Value: &asOf},
	}}}
	return o.plan(ctx, &planner{file: file}, func(p *planner) error {
		stored, exists := p.customers[account]
		switch {
		case !exists:
			return unknownCustomer(account)
		case importer.IsAhead(asOf, p.now):
			return userErrorf("%s lies in the future: no true credit could replace it until then",
				usage.FormatTime(asOf))
		case stored.Credit.AsOf != nil && asOf.Before(*stored.Credit.AsOf):
			return userErrorf("the stored credit of %s is as of %s, which is later than %s: "+
				"an earlier one does not replace it",
				account, usage.FormatTime(*stored.Credit.AsOf), usage.FormatTime(asOf))
		}
		return nil
	})
}

func unknownPartner(id directory.PartnerID) error {
	return userErrorf("there is no partner %q: put it in a directory file and load that with partnerctl apply", id)
}

func unknownCustomer(account usage.AccountID) error {
	return userErrorf("there is no customer %q: put it in a directory file and load that with partnerctl apply",
		account)
}

// PlanPartnerDeletion finds all that goes with a partner: its access keys, its people, the
// grants of it and of them, and itself. Keys and people are refused before anything is
// deleted, and the partner goes last: interrupted anywhere it sees no more than before, and the
// deletion can be planned again. Customers and usage stay. A partner's usage plan is
// not touched: [Operator.LeavePlans] is to be done before. UserError: there is no
// such partner.
func (o *Operator) PlanPartnerDeletion(ctx context.Context, id directory.PartnerID) (Plan, error) {
	edits, err := o.store.Edits(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return Plan{}, unknownPartner(id)
	}
	if err != nil {
		return Plan{}, err
	}
	_, grants, err := o.store.PartnerWithGrants(ctx, id)
	if err != nil {
		return Plan{}, err
	}
	keys, err := o.store.AccessKeyIDs(ctx, id)
	if err != nil {
		return Plan{}, err
	}
	people, err := o.store.PeopleIDs(ctx, id)
	if err != nil {
		return Plan{}, err
	}
	known, err := o.store.People(ctx, id)
	if err != nil {
		return Plan{}, err
	}
	p, now := &planner{subjects: make(map[directory.ViewerID]string)}, o.now()
	for _, person := range known {
		p.subjects[person.ID()] = person.Subject
	}
	var viewers []directory.ViewerID // whose lists go too
	for _, key := range keys {
		p.change(Change{Kind: KeyKind, Action: Remove, PartnerID: id, KeyID: key})
		p.in(stepRevoke, func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.RevokeAccessKey(ctx, key, now)
			return unlessNotFound(err) // of a key that was never written, or is deleted already
		})
		p.in(stepDelete, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteAccessKey(ctx, id, key) })
		viewers = append(viewers, directory.ViewerID(key))
	}
	for _, person := range people {
		p.change(Change{Kind: PersonKind, Action: Remove, PartnerID: id, ViewerID: person})
		p.in(stepRevoke, func(ctx context.Context, s *dynamo.Store) error {
			_, err := s.RemovePerson(ctx, id, person, now)
			return unlessNotFound(err)
		})
		p.in(stepDelete, func(ctx context.Context, s *dynamo.Store) error { return s.DeletePerson(ctx, id, person) })
		viewers = append(viewers, person)
	}
	for _, viewer := range viewers {
		own, err := o.store.GrantsOf(ctx, id, viewer)
		if err != nil {
			return Plan{}, err
		}
		grants = append(grants, own...)
	}
	for _, g := range grants {
		p.removeGrant(g)
	}
	p.plan.claims = []claim{{id, true, edits.Version, directory.Edits{Version: newVersion()}}}
	p.change(Change{Kind: PartnerKind, Action: Remove, PartnerID: id})
	p.in(stepDeleteLast, func(ctx context.Context, s *dynamo.Store) error { return s.DeletePartner(ctx, id) })
	return p.plan, nil
}

// PlanCustomerDeletion finds all that goes with a customer: every partner's and viewer's
// grant of it, its price lists, itself, and, if withUsage, its usage records. The grants
// go first: interrupted anywhere nobody sees more of it than before, and the
// deletion can be planned again.
//
// Records that were left would be shown to whoever is granted a new customer of the same
// account ID. So, without withUsage, there must be none. UserError: there are, or
// there is no such customer.
func (o *Operator) PlanCustomerDeletion(ctx context.Context, account usage.AccountID, withUsage bool) (Plan, error) {
	if _, err := o.ShowCustomer(ctx, account); err != nil {
		return Plan{}, err
	}
	records := Selection{Account: account}
	p := &planner{plan: Plan{deletes: true}}
	if withUsage {
		counts, err := o.CountRecords(ctx, records)
		if err != nil {
			return Plan{}, err
		}
		for _, c := range counts {
			p.change(Change{Kind: UsageKind, Action: Remove, AccountID: account, Product: c.Product,
				Records: c.Records})
		}
		p.plan.usage = &records
	} else if products, err := o.productsUsed(ctx, records); err != nil {
		return Plan{}, err
	} else if len(products) > 0 {
		return Plan{}, userErrorf("%s has usage records (%s): delete them too with --with-usage, "+
			"or before with partnerctl usage delete %s; "+
			"to stop partners from seeing the customer, partnerctl grant remove",
			account, strings.Join(products, ", "), account)
	}
	grants, err := o.store.AllGrants(ctx) // the index by account may lack the latest
	if err != nil {
		return Plan{}, err
	}
	slices.SortFunc(grants, func(a, b directory.Grant) int {
		return cmp.Or(cmp.Compare(a.Partner, b.Partner), cmp.Compare(a.Viewer, b.Viewer))
	})
	for _, g := range grants {
		if g.Account == account {
			p.removeGrant(g)
		}
	}
	for _, log := range records.logs() {
		if err := o.removeLists(ctx, p, log); err != nil {
			return Plan{}, err
		}
	}
	p.change(Change{Kind: CustomerKind, Action: Remove, AccountID: account})
	p.in(stepDeleteLast, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteCustomer(ctx, account) })
	return p.plan, nil
}

func (p *planner) removeGrant(g directory.Grant) {
	p.change(changeOfGrant(Remove, g))
	p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteGrant(ctx, g) })
}

// removeLists plans that a log has no price lists.
func (o *Operator) removeLists(ctx context.Context, p *planner, log usage.Log) error {
	lists, err := o.store.PriceListHeaders(ctx, log)
	if err != nil || len(lists) == 0 {
		return err
	}
	begins := make([]time.Time, len(lists))
	for i, l := range lists {
		begins[i] = l.EffectiveFrom
		p.change(changeOfList(Remove, log, l.EffectiveFrom))
	}
	p.in(stepDelete, func(ctx context.Context, s *dynamo.Store) error { return s.DeletePriceLists(ctx, log, begins) })
	return nil
}

// productsUsed are those of which a selection has any record, those past their
// retention too.
func (o *Operator) productsUsed(ctx context.Context, s Selection) (products []string, err error) {
	for _, log := range s.logs() {
		page, err := o.store.Log(ctx, log, usage.Query{Order: usage.OldestFirst, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(page.Records) > 0 {
			products = append(products, string(log.Product))
		}
	}
	return products, nil
}

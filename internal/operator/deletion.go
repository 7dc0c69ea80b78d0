package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// PlanPartnerDeletion finds all that goes with a partner: its access keys, its
// grants, and itself. The keys are revoked before anything is deleted, and the
// partner goes last: interrupted anywhere it sees no more than before, and the
// deletion can be planned again. Customers and usage stay. A partner's usage plan is
// not touched: [Operator.LeavePlans] is to be done before. Refusal: there is no
// such partner.
func (o *Operator) PlanPartnerDeletion(ctx context.Context, id directory.PartnerID) (Plan, error) {
	_, grants, err := o.store.PartnerWithGrants(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return Plan{}, unknownPartner(id)
	}
	if err != nil {
		return Plan{}, err
	}
	keys, err := o.store.AccessKeyIDs(ctx, id)
	if err != nil {
		return Plan{}, err
	}
	p, now := &planner{}, o.now()
	for _, key := range keys {
		p.change(Change{Kind: KeyKind, Action: Remove, PartnerID: id, KeyID: key})
		p.in(stepRevoke, func(ctx context.Context, s *dynamo.Store) error {
			if _, err := s.RevokeAccessKey(ctx, key, now); !fault.Is(err, fault.NotFound) {
				return err
			}
			return nil // a key that was never written, or is deleted already
		})
		p.in(stepDelete, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteAccessKey(ctx, id, key) })
	}
	for _, g := range grants {
		p.removeGrant(id, g.Account)
	}
	p.change(Change{Kind: PartnerKind, Action: Remove, PartnerID: id})
	p.in(stepDeleteLast, func(ctx context.Context, s *dynamo.Store) error { return s.DeletePartner(ctx, id) })
	return p.plan, nil
}

// PlanCustomerDeletion finds all that goes with a customer: every partner's grant
// of it, its price lists, itself, and, if withUsage, its usage records. The grants
// go first: interrupted anywhere nobody sees more of it than before, and the
// deletion can be planned again.
//
// Records that were left would be shown to whoever is granted a new customer of the same
// account ID. So, without withUsage, there must be none. Refusal: there are, or
// there is no such customer.
func (o *Operator) PlanCustomerDeletion(ctx context.Context, account usage.AccountID, withUsage bool) (Plan, error) {
	if _, err := o.ShowCustomer(ctx, account); err != nil {
		return Plan{}, err
	}
	records := Selection{Account: account}
	p := &planner{}
	if withUsage {
		counts, err := o.CountRecords(ctx, records)
		if err != nil {
			return Plan{}, err
		}
		for _, c := range counts {
			p.change(Change{Kind: UsageKind, Action: Remove, AccountID: account, Product: c.Product, Records: c.Records})
		}
		p.plan.usage = &records
	} else if products, err := o.productsUsed(ctx, records); err != nil {
		return Plan{}, err
	} else if len(products) > 0 {
		return Plan{}, Refusal(fmt.Sprintf("%s has usage records (%s): delete them too with --with-usage, or before with partnerctl usage delete %s; "+
			"to stop partners from seeing the customer, partnerctl grant remove", account, strings.Join(products, ", "), account))
	}
	grants, err := o.store.AllGrants(ctx) // the index by account may lack the latest
	if err != nil {
		return Plan{}, err
	}
	slices.SortFunc(grants, func(a, b directory.Grant) int { return strings.Compare(string(a.Partner), string(b.Partner)) })
	for _, g := range grants {
		if g.Account == account {
			p.removeGrant(g.Partner, account)
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

func (p *planner) removeGrant(partner directory.PartnerID, account usage.AccountID) {
	p.change(Change{Kind: GrantKind, Action: Remove, PartnerID: partner, AccountID: account})
	p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteGrant(ctx, partner, account) })
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
		p.change(Change{Kind: PriceListKind, Action: Remove, AccountID: log.Account, Product: log.Product, EffectiveFrom: usage.FormatTime(l.EffectiveFrom)})
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

package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

func (p *planner) partner(entry importer.Partner, path string) {
	stored := p.partners[entry.ID]
	after := directory.Partner{
		ID:     entry.ID,
		Name:   entry.Name.Or(stored.Name),
		Status: entry.Status.Or(cmp.Or(stored.Status, directory.Active)),
	}
	change := Change{Kind: PartnerKind, Action: Alter, PartnerID: entry.ID, Fields: changed(
		FieldChange{"name", stored.Name, after.Name},
		FieldChange{"status", string(stored.Status), string(after.Status)},
	)}
	if !stored.exists {
		change.Action = Add
		if !entry.Name.IsSet() {
			p.fail(entry.Line, path+".name", "is missing, and the partner is not stored yet")
		}
	}
	if len(change.Fields) > 0 {
		p.change(change)
		step := stepWiden
		if after.Status == directory.Suspended {
			step = stepNarrow
		}
		p.in(step, func(ctx context.Context, s *dynamo.Store) error { return s.PutPartner(ctx, after) })
	}
	// Grants without their partner, which an interrupted command may have left,
	// are not given to a partner that is made without any.
	if entry.Grants.IsSet() || !stored.exists {
		p.grants(entry, path, stored.grants)
	}
}

// grants plans that a partner has the file's grants and no others.
func (p *planner) grants(entry importer.Partner, path string, stored map[usage.AccountID]directory.Grant) {
	gone := maps.Clone(stored)
	for i, g := range entry.Grants.Value {
		customer, exists := p.after[g.Account]
		if !exists {
			p.fail(g.Line, fmt.Sprintf("%s.customers[%d].accountId", path, i), "%q is no customer: it is neither in this file nor stored", g.Account)
			continue
		}
		delete(gone, g.Account)
		after := directory.Grant{Partner: entry.ID, Account: g.Account, Products: g.Products, CustomerName: customer.Name}
		if before, granted := stored[g.Account]; granted {
			p.regrant(before, after)
			continue
		}
		p.change(Change{Kind: GrantKind, Action: Add, PartnerID: entry.ID, AccountID: g.Account, Fields: changed(
			FieldChange{"products", "", grantText(after)},
		)})
		p.in(stepWiden, func(ctx context.Context, s *dynamo.Store) error { return s.PutGrant(ctx, after) })
	}
	for _, account := range slices.Sorted(maps.Keys(gone)) {
		p.change(Change{Kind: GrantKind, Action: Remove, PartnerID: entry.ID, AccountID: account})
		p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteGrant(ctx, entry.ID, account) })
	}
}

// regrant plans that a grant becomes another.
func (p *planner) regrant(before, after directory.Grant) {
	fields := changed(FieldChange{"products", grantText(before), grantText(after)})
	if len(fields) > 0 {
		p.narrow(before, after)
		p.in(stepWiden, func(ctx context.Context, s *dynamo.Store) error { return s.PutGrant(ctx, after) })
	}
	if before.CustomerName != after.CustomerName {
		p.rename(after.Partner, p.after[after.Account])
		if !p.isRenamed(after.Account) { // else it is the customer's change
			fields = append(fields, FieldChange{"customerName", before.CustomerName, after.CustomerName})
		}
	}
	if len(fields) > 0 {
		p.change(Change{Kind: GrantKind, Action: Alter, PartnerID: after.Partner, AccountID: after.Account, Fields: fields})
	}
}

// narrow plans what a grant gives until all is narrowed: what it gives both
// before and after. That may be nothing.
func (p *planner) narrow(before, after directory.Grant) {
	between := before
	switch {
	case len(after.Products) == 0:
		return // everything: nothing is taken away
	case len(before.Products) == 0:
		between.Products = after.Products
	default:
		between.Products = both(before.Products, after.Products)
	}
	switch len(between.Products) {
	case len(before.Products):
	case 0:
		p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error {
			return s.DeleteGrant(ctx, before.Partner, before.Account)
		})
	default:
		p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error { return s.PutGrant(ctx, between) })
	}
}

// grantText is what a grant gives, as "sms,voice" or "all".
func grantText(g directory.Grant) string { return cmp.Or(productsText(g.Products), "all") }

package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// merged is a customer as an entry of the file leaves it.
func merged(stored directory.Customer, entry importer.Customer) directory.Customer {
	c := directory.Customer{
		Account:  entry.Account,
		Name:     entry.Name.Or(stored.Name),
		Products: entry.Products.Or(stored.Products),
		Currency: entry.Currency.Or(stored.Currency),
		Credit: directory.Credit{
			Mode:      entry.BillingMode.Or(stored.Credit.Mode),
			Remaining: entry.RemainingCredit.Or(stored.Credit.Remaining),
			Limit:     entry.CreditLimit.Or(stored.Credit.Limit),
			AsOf:      entry.CreditAsOf.Or(stored.Credit.AsOf),
		},
		TimeZone:    entry.TimeZone.Or(stored.TimeZone),
		SubAccounts: stored.SubAccounts,
	}
	if entry.SubAccounts.IsSet() {
		c.SubAccounts = nil
		for _, sub := range entry.SubAccounts.Value {
			c.SubAccounts = append(c.SubAccounts, sub.Name)
		}
	}
	return c
}

func (p *planner) customer(entry importer.Customer, path string) {
	before, exists := p.customers[entry.Account]
	after := p.after[entry.Account]
	if !exists {
		p.checkComplete(entry, path)
	}
	p.checkNames(entry, path)
	p.checkCurrency(entry, path)
	if asOf := entry.CreditAsOf; asOf.Value != nil && importer.IsAhead(*asOf.Value, p.now) {
		p.fail(asOf.Line, path+".creditAsOf", "lies in the future: no true credit could replace it until then")
	}

	change := Change{Kind: CustomerKind, Action: Alter, AccountID: entry.Account, Fields: changed(
		FieldChange{"name", before.Name, after.Name},
		FieldChange{"products", productsText(before.Products), productsText(after.Products)},
		FieldChange{"currency", string(before.Currency), string(after.Currency)},
		FieldChange{"billingMode", string(before.Credit.Mode), string(after.Credit.Mode)},
		FieldChange{"remainingCredit", decimalText(before.Credit.Remaining), decimalText(after.Credit.Remaining)},
		FieldChange{"creditLimit", decimalText(before.Credit.Limit), decimalText(after.Credit.Limit)},
		FieldChange{"creditAsOf", asOfText(before.Credit), asOfText(after.Credit)},
		FieldChange{"timeZone", zoneText(before, exists), zoneText(after, true)},
		FieldChange{"subAccounts", namesText(before.SubAccounts), namesText(after.SubAccounts)},
	)}
	if !exists {
		change.Action = Add
	} else if len(change.Fields) == 0 {
		p.renameCopies(entry, after)
		return
	}
	p.change(change)
	if !exists {
		p.made = append(p.made, entry.Account)
	} else if before.TimeZone.String() != after.TimeZone.String() {
		p.plan.zones = append(p.plan.zones, entry.Account)
	}
	p.renameCopies(entry, after)
	p.in(stepCustomers, func(ctx context.Context, s *dynamo.Store) error {
		if slices.Contains(p.plan.zones, entry.Account) { // whose days are open
			return s.PutCustomer(ctx, after)
		}
		return s.ReplaceCustomer(ctx, before.TimeZone, after)
	})
	if between := both(before.Products, after.Products); len(between) < len(before.Products) {
		narrowed := before
		narrowed.Products = between
		p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error {
			return s.ReplaceCustomer(ctx, before.TimeZone, narrowed)
		})
	}
}

// renameCopies plans that the copies of a customer's name are renewed that are
// not as the file has it: since it is renamed, or since an earlier command was
// interrupted, and another file is applied than its own.
func (p *planner) renameCopies(entry importer.Customer, after directory.Customer) {
	if !entry.Name.IsSet() {
		return
	}
	for _, g := range p.granted[entry.Account] {
		if g.CustomerName == after.Name || p.hasList(g) { // the latter: regrant does it
			continue
		}
		p.rename(g, after)
		if !p.isRenamed(entry.Account) { // else it is the customer's change
			p.change(changeOfGrant(Alter, g, FieldChange{"customerName", g.CustomerName, after.Name}))
		}
	}
}

// hasList reports whether the file has the whole list that a grant stands on.
func (p *planner) hasList(g directory.Grant) bool {
	return slices.ContainsFunc(p.file.Partners, func(entry importer.Partner) bool {
		_, isPerson := p.partners[g.Partner].lists[g.Viewer]
		return entry.ID == g.Partner &&
			(g.Viewer == "" && entry.Grants.IsSet() || isPerson && entry.Viewers.IsSet())
	})
}

// rename plans that a grant's copy of its customer's name is renewed.
func (p *planner) rename(g directory.Grant, after directory.Customer) {
	p.in(stepRename, func(ctx context.Context, s *dynamo.Store) error { return s.RenameGrant(ctx, g, after.Name) })
}

// changeOfGrant is a change of a grant, of those fields that change.
func changeOfGrant(action Action, g directory.Grant, fields ...FieldChange) Change {
	return Change{Kind: GrantKind, Action: action, PartnerID: g.Partner, ViewerID: g.Viewer, AccountID: g.Account,
		Fields: changed(fields...)}
}

// both are the products that stand in both lists.
func both(a, b []usage.Product) []usage.Product {
	return slices.DeleteFunc(slices.Clone(a), func(p usage.Product) bool { return !slices.Contains(b, p) })
}

// checkComplete finds what a customer lacks that is not stored yet.
func (p *planner) checkComplete(entry importer.Customer, path string) {
	for _, needed := range []struct {
		key   string
		isSet bool
	}{
		{"name", entry.Name.IsSet()}, {"products", entry.Products.IsSet()},
		{"currency", entry.Currency.IsSet()}, {"billingMode", entry.BillingMode.IsSet()},
	} {
		if !needed.isSet {
			p.fail(entry.Line, path+"."+needed.key, "is missing, and the customer is not stored yet")
		}
	}
}

// checkNames finds names by which usage would have two owners, one of them
// stored. Two owners within the file are the importer's to find.
func (p *planner) checkNames(entry importer.Customer, path string) {
	if owner, taken := p.names[string(entry.Account)]; taken && owner != entry.Account {
		p.fail(entry.Line, path+".accountId", "%q is a sub-account of the stored customer %s", entry.Account, owner)
	}
	for _, sub := range entry.SubAccounts.Value {
		if owner, taken := p.names[sub.Name]; taken {
			p.fail(sub.Line, path+".subAccounts", "%q is a sub-account of the stored customer %s", sub.Name, owner)
		}
		if _, taken := p.customers[usage.AccountID(sub.Name)]; taken && sub.Name != string(entry.Account) {
			p.fail(sub.Line, path+".subAccounts", "%q is the account ID of another stored customer", sub.Name)
		}
	}
}

// checkCurrency finds stored lists that a new currency contradicts and the file
// does not replace.
func (p *planner) checkCurrency(entry importer.Customer, path string) {
	if !entry.Currency.IsSet() {
		return
	}
	for _, product := range usage.Products() {
		log := usage.Log{Account: entry.Account, Product: product}
		for _, stored := range p.lists[log] {
			replaced := slices.ContainsFunc(p.file.PriceLists, func(l importer.PriceList) bool {
				return l.Log == log && l.List.EffectiveFrom.Equal(stored.EffectiveFrom)
			})
			if stored.Currency != entry.Currency.Value && !replaced {
				p.fail(entry.Currency.Line, path+".currency",
					"%s contradicts the stored %s price list from %s, which is in %s",
					entry.Currency.Value, product, usage.FormatTime(stored.EffectiveFrom), stored.Currency)
			}
		}
	}
}

func productsText(ps []usage.Product) string {
	return directory.JoinProducts(directory.Visible(ps, nil)) // in the order of usage.Products
}

func namesText(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), ", ") }

func decimalText(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return money.Text(*d)
}

// zoneText is the zone of a customer that there is, UTC too.
func zoneText(c directory.Customer, exists bool) string {
	if !exists {
		return ""
	}
	return c.TimeZone.String()
}

func asOfText(c directory.Credit) string {
	if c.AsOf == nil {
		return ""
	}
	return usage.FormatTime(*c.AsOf)
}

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
		p.in(step, func(ctx context.Context, s *dynamo.Store) error {
			err := s.PutPartner(ctx, after)
			if err == nil && !stored.exists {
				_, err = s.PutEdits(ctx, after.ID, "", directory.Edits{Version: stored.next})
			}
			return err
		})
	}
	// Grants without their partner, which an interrupted command may have left,
	// are not given to a partner that is made without any.
	if entry.Grants.IsSet() || !stored.exists {
		p.grants(entry, path, stored.grants)
	}
	p.people(entry, path)
}

// grants plans that a partner has the file's grants and no others.
func (p *planner) grants(entry importer.Partner, path string, stored grantList) {
	p.list(holder{partner: entry.ID}, entry.Grants.Value, stored, func(i int, g importer.Grant) bool {
		_, exists := p.after[g.Account]
		if !exists {
			p.fail(g.Line, fmt.Sprintf("%s.customers[%d].accountId", path, i),
				"%q is no customer: it is neither in this file nor stored", g.Account)
		}
		return exists
	})
}

// holder is whose list is planned: a partner's or, where there is one, a viewer's.
type holder struct {
	partner directory.PartnerID
	viewer  directory.ViewerID
}

// list plans that a list has the wanted grants and no others. Those that may not be on
// it, may finds, and tells why.
func (p *planner) list(of holder, wanted []importer.Grant, stored grantList, may func(int, importer.Grant) bool) {
	gone := maps.Clone(stored)
	for i, g := range wanted {
		if !may(i, g) {
			continue
		}
		delete(gone, g.Account)
		after := directory.Grant{Partner: of.partner, Viewer: of.viewer, Account: g.Account, Products: g.Products,
			CustomerName: cmp.Or(p.after[g.Account].Name, stored[g.Account].CustomerName)}
		if before, granted := stored[g.Account]; granted {
			p.regrant(before, after)
			continue
		}
		p.change(changeOfGrant(Add, after, FieldChange{"products", "", grantText(after)}))
		p.in(stepWiden, func(ctx context.Context, s *dynamo.Store) error { return s.PutGrant(ctx, after) })
	}
	for _, account := range slices.Sorted(maps.Keys(gone)) {
		p.removeGrant(gone[account])
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
		p.rename(after, p.after[after.Account])
		if !p.isRenamed(after.Account) { // else it is the customer's change
			fields = append(fields, FieldChange{"customerName", before.CustomerName, after.CustomerName})
		}
	}
	if len(fields) > 0 {
		p.change(changeOfGrant(Alter, after, fields...))
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
		p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error { return s.DeleteGrant(ctx, before) })
	default:
		p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error { return s.PutGrant(ctx, between) })
	}
}

const allProducts = "all"

// grantText is what a grant gives, as "sms,voice" or "all".
func grantText(g directory.Grant) string { return cmp.Or(productsText(g.Products), allProducts) }

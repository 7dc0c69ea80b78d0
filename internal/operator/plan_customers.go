package operator

import (
	"context"
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
		FieldChange{"subAccounts", namesText(before.SubAccounts), namesText(after.SubAccounts)},
	)}
	if !exists {
		change.Action = Add
	} else if len(change.Fields) == 0 {
		p.renameCopies(entry, after)
		return
	}
	p.change(change)
	p.renameCopies(entry, after)
	p.in(stepCustomers, func(ctx context.Context, s *dynamo.Store) error { return s.PutCustomer(ctx, after) })
	if between := both(before.Products, after.Products); len(between) < len(before.Products) {
		narrowed := before
		narrowed.Products = between
		p.in(stepNarrow, func(ctx context.Context, s *dynamo.Store) error { return s.PutCustomer(ctx, narrowed) })
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
		if g.CustomerName == after.Name || p.listsGrants(g.Partner) { // the latter: regrant does it
			continue
		}
		p.rename(g.Partner, after)
		if !p.isRenamed(entry.Account) { // else it is the customer's change
			p.change(Change{Kind: GrantKind, Action: Alter, PartnerID: g.Partner, AccountID: g.Account, Fields: changed(
				FieldChange{"customerName", g.CustomerName, after.Name},
			)})
		}
	}
}

// listsGrants tells whether the file has a partner's whole list of grants.
func (p *planner) listsGrants(partner directory.PartnerID) bool {
	return slices.ContainsFunc(p.file.Partners, func(entry importer.Partner) bool { return entry.ID == partner && entry.Grants.IsSet() })
}

// rename plans that a grant's copy of its customer's name is renewed.
func (p *planner) rename(partner directory.PartnerID, after directory.Customer) {
	p.in(stepRename, func(ctx context.Context, s *dynamo.Store) error {
		return s.RenameGrant(ctx, partner, after.Account, after.Name)
	})
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
				p.fail(entry.Currency.Line, path+".currency", "%s contradicts the stored %s price list from %s, which is in %s",
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

func asOfText(c directory.Credit) string {
	if c.AsOf == nil {
		return ""
	}
	return usage.FormatTime(*c.AsOf)
}

package main

import (
	"cmp"
	"slices"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type grantCommands struct {
	Add    grantAddCommand    `cmd:"" help:"Let a partner see a customer."`
	Remove grantRemoveCommand `cmd:"" help:"Stop a partner from seeing customers."`
	List   grantListCommand   `cmd:"" help:"List what a partner sees, or who sees a customer."`
}

type grantAddCommand struct {
	Partner  directory.PartnerID `arg:"" name:"PARTNER" help:"The partner's id."`
	Account  usage.AccountID     `arg:"" name:"ACCOUNT" help:"The customer's account ID."`
	Products []string            `placeholder:"PRODUCT" enum:"sms,voice,video,messaging" help:"Only these products. Without it, all that the customer has."`
	DryRun   bool                `help:"Show what would be done, and do nothing."`
}

func (c *grantAddCommand) Run(s *session) error {
	return s.change([]table{partnersTable, customersTable}, caution{DryRun: c.DryRun}, "",
		func(o *operator.Operator) (operator.Plan, error) {
			return o.PlanGrant(s.ctx, c.Partner, c.Account, products(c.Products))
		})
}

// products are those that the words name, each once, in their order.
func products(words []string) []usage.Product {
	var named []usage.Product
	for _, word := range words {
		named = append(named, usage.Product(word))
	}
	return directory.Visible(named, nil)
}

type grantRemoveCommand struct {
	Partner  directory.PartnerID `arg:"" name:"PARTNER" help:"The partner's id."`
	Accounts []usage.AccountID   `arg:"" name:"ACCOUNT" help:"The customers' account IDs."`
	Caution  caution             `embed:""`
}

func (c *grantRemoveCommand) Run(s *session) error {
	return s.change([]table{partnersTable, customersTable}, c.Caution, string(c.Partner),
		func(o *operator.Operator) (operator.Plan, error) {
			return o.PlanWithoutGrants(s.ctx, c.Partner, c.Accounts)
		})
}

type grantListCommand struct {
	Partner *directory.PartnerID `placeholder:"ID" xor:"of" required:"" help:"List the customers that this partner sees."`
	Account *usage.AccountID     `placeholder:"ID" xor:"of" required:"" help:"List the partners that see this customer."`
}

// listedGrants is the result for programs: of --partner or of --account.
type listedGrants struct {
	PartnerID directory.PartnerID `json:"partnerId,omitempty"`
	AccountID usage.AccountID     `json:"accountId,omitempty"`
	Grants    []listedGrant       `json:"grants"`
}

type listedGrant struct {
	PartnerID     directory.PartnerID     `json:"partnerId"`
	AccountID     usage.AccountID         `json:"accountId"`
	CustomerName  string                  `json:"customerName,omitempty"`
	PartnerStatus directory.PartnerStatus `json:"partnerStatus,omitempty"`
	Products      []usage.Product         `json:"products"` // null: all
	OnLists       int                     `json:"onLists,omitempty"`
}

func grantsOf(grants []directory.Grant) []listedGrant {
	out := make([]listedGrant, len(grants))
	for i, g := range grants {
		out[i] = listedGrant{PartnerID: g.Partner, AccountID: g.Account, CustomerName: g.CustomerName,
			Products: g.Products}
	}
	return out
}

func (c *grantListCommand) Run(s *session) error {
	if c.Account != nil {
		return c.whoSees(s, *c.Account)
	}
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	p, grants, err := o.ShowPartner(s.ctx, *c.Partner)
	if err != nil {
		return err
	}
	out := listedGrants{PartnerID: p.ID, Grants: grantsOf(grants)}
	return s.print(out, func() { s.showGrants(p.ID, out.Grants) })
}

func (c *grantListCommand) whoSees(s *session, account usage.AccountID) error {
	o, err := s.operator(partnersTable, customersTable)
	if err != nil {
		return err
	}
	grantees, err := o.WhoSees(s.ctx, account)
	if err != nil {
		return err
	}
	out := listedGrants{AccountID: account, Grants: grantsOn(account, grantees)}
	return s.print(out, func() { s.showGrantees(account, grantees) })
}

func grantsOn(account usage.AccountID, grantees []operator.Grantee) []listedGrant {
	out := make([]listedGrant, len(grantees))
	for i, v := range grantees {
		out[i] = listedGrant{PartnerID: v.ID, AccountID: account, PartnerStatus: v.Status, Products: v.Products,
			OnLists: v.OnLists}
	}
	return out
}

func (s *session) showGrants(partner directory.PartnerID, grants []listedGrant) {
	t := newTable("account", "name", "products")
	for _, g := range grants {
		t.add(g.AccountID, shortened(g.CustomerName), productsText(g.Products))
	}
	s.showOr(t, "%s sees no customers. To grant one: partnerctl grant add %s ACCOUNT\n", partner, partner)
}

func (s *session) showGrantees(account usage.AccountID, grantees []operator.Grantee) {
	t := newTable("partner", "status", "products")
	if slices.ContainsFunc(grantees, func(v operator.Grantee) bool { return v.OnLists > 0 }) {
		t = newTable("partner", "status", "products", "on lists of its keys and people")
	}
	for _, v := range grantees {
		cells := []any{v.ID, inColour(string(v.Status)), productsText(v.Products)}
		if v.OnLists > 0 {
			cells = append(cells, v.OnLists)
		}
		t.add(cells...)
	}
	s.showOr(t, "No partner sees %s. To grant it to one: partnerctl grant add PARTNER %s\n", account, account)
}

// productsText are the products of a grant: "sms,voice" or "all".
func productsText(ps []usage.Product) string { return cmp.Or(directory.JoinProducts(ps), "all") }

package main

import (
	"cmp"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type customerCommands struct {
	List      customerListCommand      `cmd:"" help:"List or search all customers."`
	Show      customerShowCommand      `cmd:"" help:"Show a customer, and who sees it."`
	Delete    customerDeleteCommand    `cmd:"" help:"Delete a customer, with the grants of it and its price lists."`
	SetCredit customerSetCreditCommand `cmd:"" help:"Set a customer's remaining credit."`
}

type customerListCommand struct {
	Search string `placeholder:"TEXT" help:"Only customers with each of these words in their name or account ID."`
}

// listedCustomers is the result for programs.
type listedCustomers struct {
	Customers []listedCustomer `json:"customers"`
}

type listedCustomer struct {
	AccountID       usage.AccountID       `json:"accountId"`
	Name            string                `json:"name"`
	Products        []usage.Product       `json:"products"`
	Currency        money.Currency        `json:"currency"`
	BillingMode     directory.BillingMode `json:"billingMode"`
	RemainingCredit *string               `json:"remainingCredit"`
	CreditLimit     *string               `json:"creditLimit"`
	CreditAsOf      *string               `json:"creditAsOf"`
	TimeZone        string                `json:"timeZone"`
	SubAccounts     []string              `json:"subAccounts"`
}

func listCustomer(c directory.Customer) listedCustomer {
	out := listedCustomer{
		AccountID: c.Account, Name: c.Name, Products: directory.Visible(c.Products, nil),
		Currency: c.Currency, BillingMode: c.Credit.Mode,
		RemainingCredit: decimalOrNil(c.Credit.Remaining), CreditLimit: decimalOrNil(c.Credit.Limit),
		TimeZone:    c.TimeZone.String(),
		SubAccounts: append([]string{}, c.SubAccounts...),
	}
	if c.Credit.AsOf != nil {
		out.CreditAsOf = timeOrNil(*c.Credit.AsOf)
	}
	return out
}

func decimalOrNil(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	return textOrNil(money.Text(*d))
}

func (c *customerListCommand) Run(s *session) error {
	o, err := s.operator(customersTable)
	if err != nil {
		return err
	}
	customers, err := o.ListCustomers(s.ctx, directory.NewSearch(c.Search))
	if err != nil {
		return err
	}
	out := listedCustomers{make([]listedCustomer, len(customers))}
	for i, customer := range customers {
		out.Customers[i] = listCustomer(customer)
	}
	t := newTable("account", "name", "products", "currency", "billing", "credit", "as of", "time zone")
	for _, l := range out.Customers {
		t.add(l.AccountID, shortened(l.Name), directory.JoinProducts(l.Products), l.Currency, l.BillingMode,
			orDash(l.RemainingCredit), orDash(l.CreditAsOf), l.TimeZone)
	}
	return s.print(out, func() {
		s.showOr(t, "No customers found. To add some, put them in a directory file (docs/formats.md) and load it: "+
			"partnerctl apply -f FILE\n")
	})
}

type customerShowCommand struct {
	Account usage.AccountID `arg:"" name:"ACCOUNT" help:"The customer's account ID."`
}

// shownCustomer is the result for programs.
type shownCustomer struct {
	listedCustomer
	Grants []listedGrant `json:"grants"`
}

func (c *customerShowCommand) Run(s *session) error {
	o, err := s.operator(partnersTable, customersTable)
	if err != nil {
		return err
	}
	customer, err := o.ShowCustomer(s.ctx, c.Account)
	if err != nil {
		return err
	}
	grantees, err := o.WhoSees(s.ctx, c.Account)
	if err != nil {
		return err
	}
	out := shownCustomer{listCustomer(customer), grantsOn(c.Account, grantees)}
	t := newTable()
	row := func(head string, value any) { t.add(cell{head, bold}, value) }
	row("account", out.AccountID)
	row("name", out.Name)
	row("products", directory.JoinProducts(out.Products))
	row("currency", out.Currency)
	row("billing", out.BillingMode)
	row("credit", orDash(out.RemainingCredit))
	row("credit limit", orDash(out.CreditLimit))
	row("as of", orDash(out.CreditAsOf))
	row("time zone", out.TimeZone)
	for _, sub := range out.SubAccounts {
		row("sub-account", sub)
	}
	return s.print(out, func() {
		s.show(t)
		s.printf("\n")
		s.showGrantees(c.Account, grantees)
	})
}

type customerSetCreditCommand struct {
	Account   usage.AccountID `arg:"" name:"ACCOUNT" help:"The customer's account ID."`
	Remaining creditArgument  `required:"" placeholder:"AMOUNT" help:"What is left, in the customer's currency, such as 1520.73 or --remaining=-3; or unknown."`
	Limit     *creditArgument `placeholder:"AMOUNT" help:"The credit limit, or unknown. Without it, it stays."`
	AsOf      time.Time       `placeholder:"TIME" help:"When that was so, such as 2026-06-01 or 2026-06-01T12:00:00Z. Without it, now."`
	DryRun    bool            `help:"Show what would be done, and do nothing."`
}

func (c *customerSetCreditCommand) Run(s *session) error {
	credit := operator.NewCredit{Remaining: c.Remaining.amount, AsOf: cmp.Or(c.AsOf, s.now())}
	if c.Limit != nil {
		if c.Limit.amount != nil && c.Limit.amount.IsNegative() {
			return misuseError("--limit must not be negative")
		}
		credit.Limit = importer.Field[*decimal.Decimal]{Line: 1, Value: c.Limit.amount}
	}
	return s.change([]table{customersTable}, caution{DryRun: c.DryRun}, "",
		func(o *operator.Operator) (operator.Plan, error) {
			return o.PlanCredit(s.ctx, c.Account, credit)
		})
}

type customerDeleteCommand struct {
	Account   usage.AccountID `arg:"" name:"ACCOUNT" help:"The customer's account ID."`
	WithUsage bool            `help:"Delete its usage records too."`
	Caution   caution         `embed:""`
}

func (c *customerDeleteCommand) Run(s *session) error {
	return s.change(allTables(), c.Caution, string(c.Account), func(o *operator.Operator) (operator.Plan, error) {
		return o.PlanCustomerDeletion(s.ctx, c.Account, c.WithUsage)
	})
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type usageDeleteCommand struct {
	Accounts       []accountArgument `arg:"" optional:"" name:"ACCOUNT" help:"The customers' account IDs."`
	Account        []accountArgument `placeholder:"ID" help:"A customer's account ID; may repeat."`
	AllAccounts    bool              `help:"Of all customers."`
	selectionFlags `embed:""`
	Caution        caution `embed:""`
}

func (usageDeleteCommand) Help() string {
	return `Without a flag that narrows it, all records of the customers. What would be deleted is counted and shown first, and the account ID has to be typed; of several accounts, their number, as "2 accounts", and with --all-accounts "all accounts". Interrupted, it is simply run again. Backups keep what was deleted as long as they are kept: 35 days, where the tables are recovered by point in time.

Example: partnerctl usage delete acme_retail --last4 0123 --dry-run`
}

// deletedUsage is the result for programs.
type deletedUsage struct {
	DryRun    bool            `json:"dryRun"`
	AccountID usage.AccountID `json:"accountId,omitempty"` // where one was named
	Deleted   int             `json:"deleted"`
	Selected  []selectedUsage `json:"selected"`
}

type selectedUsage struct {
	AccountID usage.AccountID `json:"accountId"`
	Product   usage.Product   `json:"product"`
	Records   int             `json:"records"`
	First     string          `json:"first"`
	Last      string          `json:"last"`
}

func (c *usageDeleteCommand) Run(s *session) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	named := slices.Concat(c.Accounts, c.Account)
	switch {
	case c.AllAccounts && len(named) > 0:
		return misuseError("--all-accounts stands for every customer: name none beside it")
	case !c.AllAccounts && len(named) == 0:
		return misuseError("whose records? Name the account, --account for each of several, or --all-accounts")
	}
	if _, err := c.of(""); err != nil {
		return err
	}
	needed := []table{usageTable}
	if c.AllAccounts {
		needed = append(needed, customersTable)
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	accounts, typed, err := c.accounts(s, o, named)
	if err != nil {
		return err
	}
	return c.delete(s, o, accounts, typed)
}

// accounts are those whose records are meant, each once, and what has to be typed.
func (c *usageDeleteCommand) accounts(s *session, o *operator.Operator, named []accountArgument) (accounts []usage.AccountID, typed string, err error) {
	if c.AllAccounts {
		customers, err := o.ListCustomers(s.ctx, directory.NewSearch(""))
		for _, customer := range customers {
			accounts = append(accounts, customer.Account)
		}
		return accounts, "all accounts", err
	}
	for _, a := range named {
		if !slices.Contains(accounts, a.id) {
			accounts = append(accounts, a.id)
		}
	}
	if len(accounts) == 1 {
		return accounts, string(accounts[0]), nil
	}
	return accounts, count(len(accounts), "account"), nil
}

func (c *usageDeleteCommand) delete(s *session, o *operator.Operator, accounts []usage.AccountID, typed string) error {
	out := deletedUsage{DryRun: c.Caution.DryRun, Selected: []selectedUsage{}}
	if len(accounts) == 1 && !c.AllAccounts {
		out.AccountID = accounts[0]
	}
	total := 0
	var selections []operator.Selection // of the accounts that have any such record
	for _, account := range accounts {
		selection, err := c.of(account)
		if err != nil {
			return err
		}
		counts, err := o.CountRecords(s.ctx, selection)
		if err != nil {
			return err
		}
		for _, n := range counts {
			out.Selected = append(out.Selected, selectedUsage{account, n.Product, n.Records, usage.FormatTime(n.First), usage.FormatTime(n.Last)})
			total += n.Records
		}
		if len(counts) > 0 {
			selections = append(selections, selection)
		}
	}
	if !s.json {
		s.showSelected(typed, out.Selected)
	}
	if total > 0 && !c.Caution.DryRun {
		if err := c.Caution.confirm(s, typed); err != nil {
			return err
		}
		var err error
		if out.Deleted, err = s.deleteRecords(o, selections, total); err != nil {
			return &partlyDone{fmt.Sprintf("%d of %s deleted", out.Deleted, count(total, "record")), err}
		}
	}
	switch {
	case s.json:
		return s.printJSON(out)
	case c.Caution.DryRun:
		s.printf("%s would be deleted; nothing was done.\n", count(total, "record"))
	case total > 0:
		s.printf("%s deleted.\n", count(out.Deleted, "record"))
	}
	return nil
}

// showSelected shows what is selected of the accounts that somebody has named so.
func (s *session) showSelected(named string, selected []selectedUsage) {
	if len(selected) == 0 {
		verb := "has"
		if strings.HasSuffix(named, " accounts") {
			verb = "have"
		}
		s.printf("%s %s no such records.\n", named, verb)
		return
	}
	t := newTable("account", "product", "records", "first", "last")
	for _, n := range selected {
		t.add(n.AccountID, n.Product, n.Records, n.First, n.Last)
	}
	s.show(t)
}

// deleteRecords tells on a terminal how far it is.
func (s *session) deleteRecords(o *operator.Operator, selections []operator.Selection, total int) (deleted int, err error) {
	told, end := s.counter("%d of " + fmt.Sprint(total) + " deleted")
	defer end()
	for _, selection := range selections {
		before := deleted
		n, err := o.DeleteRecords(s.ctx, selection, func(n int) { told(before + n) })
		deleted += n
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type usageDeleteCommand struct {
	Accounts       []usage.AccountID `arg:"" optional:"" name:"ACCOUNT" help:"The customers' account IDs."`
	Account        []usage.AccountID `placeholder:"ID" help:"A customer's account ID; may be repeated."`
	AllAccounts    bool              `help:"The records of all customers."`
	selectionFlags `embed:""`
	Caution        caution `embed:""`
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
		return misuseError("--all-accounts already means every customer: do not name any")
	case !c.AllAccounts && len(named) == 0:
		return misuseError("whose records? Name the account, --account for each of several, or --all-accounts")
	}
	if _, err := c.of(""); err != nil {
		return err
	}
	needed := []table{usageTable}
	switch {
	case !c.Caution.DryRun:
		needed = countingTables()
	case c.AllAccounts:
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
func (c *usageDeleteCommand) accounts(
	s *session, o *operator.Operator, named []usage.AccountID,
) (accounts []usage.AccountID, typed string, err error) {
	if c.AllAccounts {
		customers, err := o.ListCustomers(s.ctx, directory.NewSearch(""))
		for _, customer := range customers {
			accounts = append(accounts, customer.Account)
		}
		return accounts, "all accounts", err
	}
	for _, a := range named {
		if !slices.Contains(accounts, a) {
			accounts = append(accounts, a)
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
			out.Selected = append(out.Selected,
				selectedUsage{account, n.Product, n.Records, usage.FormatTime(n.First), usage.FormatTime(n.Last)})
			total += n.Records
		}
		if len(counts) > 0 {
			selections = append(selections, selection)
		}
	}
	all := count(total, "record")
	op := operation{
		total: total, typed: typed, counts: true, result: &out,
		show:     func() { s.showSelected(typed, out.Selected) },
		operator: o, changed: func() (changes []operator.Change) {
			for _, n := range out.Selected {
				changes = append(changes, operator.Change{Kind: operator.UsageKind, Action: operator.Remove,
					AccountID: n.AccountID, Product: n.Product, Records: n.Records})
			}
			return changes
		},
		do: func() (err error) {
			if out.Deleted, err = s.deleteRecords(o, selections, total); err != nil {
				return &partlyDone{fmt.Sprintf("%d of %s deleted", out.Deleted, all), err}
			}
			return nil
		},
		dry:  all + " would be deleted; nothing was done.\n",
		done: func() string { return count(out.Deleted, "record") + " deleted.\n" },
	}
	if c.Caution.DryRun {
		op.none = op.dry
	}
	return s.carryOut(c.Caution, op)
}

// showSelected shows what is selected of the accounts that somebody has named so.
func (s *session) showSelected(named string, selected []selectedUsage) {
	verb := "has"
	if strings.HasSuffix(named, " accounts") {
		verb = "have"
	}
	t := newTable("account", "product", "records", "first", "last")
	for _, n := range selected {
		t.add(n.AccountID, n.Product, n.Records, n.First, n.Last)
	}
	s.showOr(t, "%s %s no such records.\n", named, verb)
}

// deleteRecords tells on a terminal how far it is.
func (s *session) deleteRecords(
	o *operator.Operator, selections []operator.Selection, total int,
) (deleted int, err error) {
	told, end := s.counter("%d of " + fmt.Sprint(total) + " deleted")
	defer end()
	return o.DeleteRecords(s.ctx, func(n int) { told(n) }, selections...)
}

type usageMendIDsCommand struct {
	Account usage.AccountID `placeholder:"ID" help:"Only this customer's records. Default: all that are stored."`
	Unsure  bool            `help:"Also ids that may or may not contain a number: 8 to 15 digits in a row, beside a number of which nothing is known (****)."`
	Caution caution         `embed:""`
}

// mendedIDs is the result for programs.
type mendedIDs struct {
	DryRun     bool            `json:"dryRun"`
	AccountID  usage.AccountID `json:"accountId,omitempty"`
	Examined   int             `json:"examined"`
	Unreadable int             `json:"unreadable"`
	Moved      int             `json:"moved"`
	Found      []foundIDs      `json:"found"`
}

type foundIDs struct {
	AccountID usage.AccountID `json:"accountId"`
	Product   usage.Product   `json:"product"`
	WhatsApp  int             `json:"whatsapp"`
	Number    int             `json:"number"`
	Masked    int             `json:"masked"`
	Unsure    int             `json:"unsure"`
}

func (c *usageMendIDsCommand) Run(s *session) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	needed := []table{usageTable}
	if !c.Caution.DryRun {
		needed = countingTables()
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	mending := operator.IDMending{Account: c.Account, Unsure: c.Unsure}
	counts, err := s.mendIDs(o.CountIDs, mending)
	if err != nil {
		return err
	}
	if counts.Examined == 0 && c.Account != "" {
		return operator.UserError(fmt.Sprintf("%s has no records: partnerctl customer list shows the customers",
			c.Account))
	}
	out := mendedIDs{DryRun: c.Caution.DryRun, AccountID: c.Account, Examined: counts.Examined,
		Unreadable: counts.Unreadable, Found: make([]foundIDs, len(counts.Logs))}
	total, unsure := 0, 0
	for i, log := range counts.Logs {
		out.Found[i] = foundIDs{log.Account, log.Product, log.WhatsApp, log.Full, log.Masked, log.Unsure}
		total += log.Mended(mending)
		unsure += log.Unsure
	}
	err = s.carryOut(c.Caution, operation{
		total: total, typed: cmp.Or(string(c.Account), "all"), counts: true, result: &out,
		show:     func() { s.showFoundIDs(out) },
		operator: o, changed: func() (changes []operator.Change) {
			for _, log := range counts.Logs {
				if n := log.Mended(mending); n > 0 {
					changes = append(changes, operator.Change{Kind: operator.UsageKind, Action: operator.Alter,
						AccountID: log.Account, Product: log.Product, Records: n})
				}
			}
			return changes
		},
		do: func() error {
			mended, err := s.mendIDs(o.MendIDs, mending)
			if out.Moved = mended.Moved; err != nil {
				return fmt.Errorf("%d of %s moved; run it again for the rest: %w", out.Moved, count(total, "record"),
					err)
			}
			return nil
		},
		dry:  count(total, "record") + " would get another id; nothing was done.\n",
		done: func() string { return count(out.Moved, "record") + " moved to another id.\n" },
	})
	if err == nil && !s.json && unsure > 0 && !c.Unsure {
		s.printf("Not sure about %s: give --unsure to include such ids, if they are numbers.\n", count(unsure, "id"))
	}
	return err
}

// mendIDs counts or mends ids, and tells on a terminal how far it is.
func (s *session) mendIDs(
	mend func(context.Context, operator.IDMending) (operator.IDCounts, error), m operator.IDMending,
) (operator.IDCounts, error) {
	told, end := s.counter("%d looked at, %d moved")
	defer end()
	m.Progress = func(examined, moved int) { told(examined, moved) }
	return mend(s.ctx, m)
}

func (s *session) showFoundIDs(found mendedIDs) {
	s.printf("%s looked at.\n", count(found.Examined, "record"))
	if found.Unreadable > 0 {
		s.printf("%s cannot be read as such, and stay as they are.\n", count(found.Unreadable, "record"))
	}
	t := newTable("account", "product", "whatsapp", "number", "masked", "unsure")
	for _, n := range found.Found {
		t.add(n.AccountID, n.Product, n.WhatsApp, n.Number, n.Masked, n.Unsure)
	}
	s.showOr(t, "No id contains a number.\n")
}

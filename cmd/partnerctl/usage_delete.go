package main

import (
	"fmt"

	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type usageDeleteCommand struct {
	selectionFlags `embed:""`
	Caution        caution `embed:""`
}

func (usageDeleteCommand) Help() string {
	return `Without a flag that narrows it, all records of the customer. What would be deleted is counted and shown first, and the account ID has to be typed. Interrupted, it is simply run again. Backups keep what was deleted as long as they are kept: 35 days, where the tables are recovered by point in time.

Example: partnerctl usage delete acme_retail --last4 0123 --dry-run`
}

// deletedUsage is the result for programs.
type deletedUsage struct {
	DryRun    bool            `json:"dryRun"`
	AccountID usage.AccountID `json:"accountId"`
	Deleted   int             `json:"deleted"`
	Selected  []selectedUsage `json:"selected"`
}

type selectedUsage struct {
	Product usage.Product `json:"product"`
	Records int           `json:"records"`
	First   string        `json:"first"`
	Last    string        `json:"last"`
}

func (c *usageDeleteCommand) Run(s *session) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	selection, err := c.selection()
	if err != nil {
		return err
	}
	o, err := s.operator(usageTable)
	if err != nil {
		return err
	}
	counts, err := o.CountRecords(s.ctx, selection)
	if err != nil {
		return err
	}
	out := deletedUsage{DryRun: c.Caution.DryRun, AccountID: c.Account.id, Selected: make([]selectedUsage, len(counts))}
	total := 0
	for i, n := range counts {
		out.Selected[i] = selectedUsage{n.Product, n.Records, usage.FormatTime(n.First), usage.FormatTime(n.Last)}
		total += n.Records
	}
	if !s.json {
		s.showSelected(c.Account.id, out.Selected)
	}
	if total > 0 && !c.Caution.DryRun {
		if err := c.Caution.confirm(s, string(c.Account.id)); err != nil {
			return err
		}
		if out.Deleted, err = c.delete(s, o, selection, total); err != nil {
			return fmt.Errorf("%d of %s deleted: %w", out.Deleted, count(total, "record"), err)
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

func (s *session) showSelected(account usage.AccountID, selected []selectedUsage) {
	if len(selected) == 0 {
		s.printf("%s has no such records.\n", account)
		return
	}
	t := newTable("account", "product", "records", "first", "last")
	for _, n := range selected {
		t.add(account, n.Product, n.Records, n.First, n.Last)
	}
	s.show(t)
}

// delete tells on a terminal how far it is.
func (c *usageDeleteCommand) delete(s *session, o *operator.Operator, selection operator.Selection, total int) (int, error) {
	onTerminal := isTerminal(s.std.err)
	deleted, err := o.DeleteRecords(s.ctx, selection, func(n int) {
		if onTerminal {
			fmt.Fprintf(s.std.err, "\r%d of %d deleted", n, total)
		}
	})
	if onTerminal {
		fmt.Fprint(s.std.err, "\r\x1b[K")
	}
	return deleted, err
}

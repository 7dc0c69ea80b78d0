package main

import (
	"fmt"

	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type usageMendIDsCommand struct {
	Account accountArgument `placeholder:"ID" help:"Only this customer's records. Default: all that are stored."`
	Unsure  bool            `help:"Also those of which nobody can say whether they tell a number: 8 to 15 digits in a row, beside a number of which nothing is known (****)."`
	Caution caution         `embed:""`
}

func (usageMendIDsCommand) Help() string {
	return `An import rejects an id that tells a number of its record, and stores WhatsApp's (wamid.…) as a hash; what an earlier version or another program stored may still have them. WhatsApp's get the hash, by which later imports and receipts find their records; others one at random, which no file can name. Of a number that is masked already only the last four digits can be compared: an id with 8 to 15 digits in a row that ends in them is taken for it.

Records that are moved are stored as an import would: with masked numbers, without names and contents. What is found is shown first, and the account ID, or "all", has to be typed. Every record is read, twice. No import may run meanwhile. Interrupted, it is simply run again.

Example: partnerctl usage mend-ids --dry-run`
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
	o, err := s.operator(usageTable)
	if err != nil {
		return err
	}
	mending := operator.IDMending{Account: c.Account.id, Unsure: c.Unsure}
	end := c.showProgress(s, &mending)
	counts, err := o.CountIDs(s.ctx, mending)
	end()
	if err != nil {
		return err
	}
	if counts.Examined == 0 && c.Account.id != "" {
		return operator.Refusal(fmt.Sprintf("%s has no records: partnerctl customer list shows the customers", c.Account.id))
	}
	out := mendedIDs{DryRun: c.Caution.DryRun, AccountID: c.Account.id, Examined: counts.Examined, Unreadable: counts.Unreadable, Found: make([]foundIDs, len(counts.Logs))}
	total, unsure := 0, 0
	for i, log := range counts.Logs {
		out.Found[i] = foundIDs{log.Account, log.Product, log.WhatsApp, log.Full, log.Masked, log.Unsure}
		total += log.Mended(mending)
		unsure += log.Unsure
	}
	if !s.json {
		s.showFoundIDs(out)
	}
	if total > 0 && !c.Caution.DryRun {
		name := string(c.Account.id)
		if name == "" {
			name = "all"
		}
		if err := c.Caution.confirm(s, name); err != nil {
			return err
		}
		end := c.showProgress(s, &mending)
		moved, err := o.MendIDs(s.ctx, mending)
		end()
		if out.Moved = moved.Moved; err != nil {
			return fmt.Errorf("%d of %s moved; run it again for the rest: %w", out.Moved, count(total, "record"), err)
		}
	}
	switch {
	case s.json:
		return s.printJSON(out)
	case c.Caution.DryRun && total > 0:
		s.printf("%s would get another id; nothing was done.\n", count(total, "record"))
	case total > 0:
		s.printf("%s moved to another id.\n", count(out.Moved, "record"))
	}
	if unsure > 0 && !c.Unsure {
		s.printf("Of %s nobody can say: --unsure takes them too. Where the ids are numbers, do.\n", count(unsure, "id"))
	}
	return nil
}

func (s *session) showFoundIDs(found mendedIDs) {
	s.printf("%s looked at.\n", count(found.Examined, "record"))
	if found.Unreadable > 0 {
		s.printf("%s cannot be read as such, and stay as they are.\n", count(found.Unreadable, "record"))
	}
	if len(found.Found) == 0 {
		s.printf("No id tells a number.\n")
		return
	}
	t := newTable("account", "product", "whatsapp", "number", "masked", "unsure")
	for _, n := range found.Found {
		t.add(n.AccountID, n.Product, n.WhatsApp, n.Number, n.Masked, n.Unsure)
	}
	s.show(t)
}

// showProgress tells on a terminal how far it is, until it is ended.
func (c *usageMendIDsCommand) showProgress(s *session, m *operator.IDMending) (end func()) {
	if !isTerminal(s.std.err) {
		m.Progress = nil
		return func() {}
	}
	m.Progress = func(examined, moved int) {
		fmt.Fprintf(s.std.err, "\r%d looked at, %d moved", examined, moved)
	}
	return func() { fmt.Fprint(s.std.err, "\r\x1b[K") }
}

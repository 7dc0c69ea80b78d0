package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type applyCommand struct {
	File        string `short:"f" required:"" placeholder:"FILE" help:"The directory file, YAML or JSON; - is standard input. docs/formats.md describes it."`
	CorrectPast bool   `help:"Allow changes of price lists that are in force already, which change prices of the past. How many records and how much money that is, is shown first."`
	Overwrite   bool   `help:"Undo what commands such as grant add and partner suspend have done since, where the file says otherwise. Without it, such a file is refused, and what it would undo is listed."`
	totalsFlag  `embed:""`
	Caution     caution `embed:""`
}

// totalsFlag says when the totals are counted that a change of prices or time zones makes wrong.
type totalsFlag struct {
	Totals string `enum:"now,later" default:"now" placeholder:"WHEN" help:"When the totals of days that a price list or a time zone changes are counted anew: now, or later, by partnerctl totals rebuild; until then these days are pending. Default: now."`
}

func (f totalsFlag) later() bool { return f.Totals == "later" }

// applied is the result for programs.
type applied struct {
	DryRun      bool                  `json:"dryRun"`
	Changes     []operator.Change     `json:"changes"`
	Corrections []operator.Correction `json:"corrections"`
	Recount     *operator.Recount     `json:"recount,omitempty"` // where totals change
	Sees        []sight               `json:"sees,omitempty"`    // of a viewer
	Undoes      []operator.Undo       `json:"undoes,omitempty"`  // with --overwrite
}

func appliedOf(p operator.Plan, dryRun bool) applied {
	return applied{dryRun, append([]operator.Change{}, p.Changes...), append([]operator.Correction{}, p.Corrections...),
		p.Recount, sightsOf(p.Sights), p.Undoes}
}

func (c *applyCommand) Run(s *session) error {
	if c.CorrectPast {
		if err := c.Caution.check(s); err != nil {
			return err
		}
		if c.File == stdin && !c.Caution.Yes && !c.Caution.DryRun {
			return misuseError("standard input cannot have the file and the answer: give --yes or --dry-run too")
		}
	}
	file, err := c.read(s)
	if err != nil {
		return err
	}
	if file.NeedsIssuer() {
		if file.Issuer, err = s.connection.issuer(s.ctx); err != nil {
			return err
		}
	}
	return s.change(tablesOf(file), c.Caution, "", func(o *operator.Operator) (operator.Plan, error) {
		plan, err := o.Plan(s.ctx, file, c.CorrectPast)
		plan.Later, plan.Overwrite = c.later(), c.Overwrite
		return plan, cmp.Or(err, plan.Refusal())
	})
}

// tablesOf are the tables that a directory file has to do with. Price lists and time zones
// change totals.
func tablesOf(file importer.Directory) []table {
	if len(file.Customers) == 0 && len(file.PriceLists) == 0 {
		return []table{partnersTable, customersTable, priceListsTable}
	}
	return allTables()
}

// planning is how a command plans.
type planning = func(*operator.Operator) (operator.Plan, error)

// change plans a change of the directory and carries it out, as far as by allows.
// typed is what has to be typed first; empty: nobody is asked, but where prices of
// the past change.
func (s *session) change(needed []table, by caution, typed string, plan planning) error {
	if typed != "" {
		if err := by.check(s); err != nil {
			return err
		}
	}
	if !by.DryRun && !slices.ContainsFunc(needed, isLedger) {
		needed = append(needed, ledgerTable)
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	p, err := plan(o)
	if err != nil {
		if _, isUser := errors.AsType[operator.UserError](err); isUser && counts(needed) && !by.DryRun {
			return errors.Join(s.finishCounts(), err) // what is gone may have been taken away by the same command
		}
		return err
	}
	if len(p.Corrections) > 0 {
		typed = corrected(p.Corrections)
	}
	return s.carryOutPlan(o, p, by, typed, planned{counts: counts(needed)})
}

// findEffects finds what a plan's corrections come to, and tells on a terminal how
// far it is.
func (s *session) findEffects(o *operator.Operator, plan operator.Plan) error {
	if len(plan.Corrections) == 0 {
		return nil
	}
	told, end := s.counter("%d records priced")
	defer end()
	return o.FindEffects(s.ctx, plan, func(n int) { told(n) })
}

// corrected is what has to be typed: the account that the corrections are of, or
// how many there are.
func corrected(corrections []operator.Correction) string {
	accounts := make(map[usage.AccountID]bool)
	for _, c := range corrections {
		accounts[c.AccountID] = true
	}
	if len(accounts) == 1 {
		return string(corrections[0].AccountID)
	}
	return count(len(accounts), "account")
}

const nothingToChange = "Nothing to change: the tables already say this.\n"

// planned is what there is to a plan besides.
type planned struct {
	before func() error // does what has to be done first; nil: nothing
	counts bool         // as of an operation
}

// carryOutPlan shows a plan with what its corrections come to, and writes it.
func (s *session) carryOutPlan(o *operator.Operator, plan operator.Plan, by caution, typed string,
	with planned) error {
	if err := s.findEffects(o, plan); err != nil {
		return err
	}
	changes := count(len(plan.Changes), "change")
	return s.carryOut(by, operation{
		total: len(plan.Changes), typed: typed, counts: with.counts, result: appliedOf(plan, by.DryRun),
		show:     func() { s.printPlan(plan) },
		operator: o, changed: func() []operator.Change { return plan.Changes },
		do: func() error {
			if with.before != nil {
				if err := with.before(); err != nil {
					return err
				}
			}
			told, end := s.counter("%d records deleted")
			defer end()
			plan.Progress = func(n int) { told(n) }
			return o.Apply(s.ctx, plan)
		},
		tidy: func() error {
			if !plan.ClearsNotes() {
				return nil
			}
			return o.Apply(s.ctx, plan)
		},
		none: nothingToChange,
		dry:  changes + "; nothing was written.\n",
		done: func() string { return changes + " written.\n" },
	})
}

// read reads the directory file, and warns of what hardly was meant.
func (c *applyCommand) read(s *session) (importer.Directory, error) {
	in, err := s.open(c.File)
	if err != nil {
		return importer.Directory{}, err
	}
	defer in.close()
	file, err := importer.ParseDirectory(in, fileName(c.File))
	for _, warning := range file.Warnings {
		fmt.Fprintf(s.std.err, "partnerctl: warning: %s\n", printableLines(warning.Error()))
	}
	return file, err
}

// printPlan shows what a plan will do: first the prices that it changes
// afterwards.
func (s *session) printPlan(p operator.Plan) {
	if len(p.Corrections) > 0 {
		s.printCorrections(p.Corrections)
	}
	if len(p.Undoes) > 0 {
		s.printUndoes(p.Undoes)
	}
	t := newTable()
	for _, c := range p.Changes {
		what := subject(c)
		if fields := fieldsText(c); fields != "" {
			what += "  " + fields // not a column of its own: most are as long as a line
		}
		t.add(inColour(string(c.Action)), kindText(c.Kind), what)
	}
	s.show(t)
	if p.Recount != nil {
		s.printf("%s\n", recountText(*p.Recount, p.Later))
	}
	if len(p.Sights) > 0 {
		s.printf("\n")
		s.showSights(p.Viewers, sightsOf(p.Sights))
		s.printf("\n")
	}
}

// printUndoes shows what commands have done that the file undoes.
func (s *session) printUndoes(undoes []operator.Undo) {
	s.printf("What commands have done is undone:\n")
	t := newTable()
	t.indent = "  "
	for _, u := range undoes {
		for _, c := range u.Changes {
			t.add(u.Command, u.At, inColour(string(c.Action)), kindText(c.Kind),
				strings.TrimSpace(subject(c)+"  "+fieldsText(c)))
		}
	}
	s.show(t)
	s.printf("\n")
}

// recountText says what is counted anew, and what that costs.
func recountText(r operator.Recount, later bool) string {
	how := "are counted anew, which reads"
	if later {
		how = "stay pending until partnerctl totals rebuild has counted them anew, which will read"
	}
	return fmt.Sprintf("The totals of %s %s %s: %s on AWS.", count(r.Days, "day"), how, count(r.Records, "record"),
		dollars(recountCost(r.Days, r.Records)))
}

func (s *session) printCorrections(corrections []operator.Correction) {
	s.printf("Prices of the past change:\n")
	t := newTable("account", "product", "from", "to", "records", "money")
	t.indent = "  "
	for _, c := range corrections {
		to := cmp.Or(c.To, "this day and on")
		t.add(c.AccountID, c.Product, c.From, to, fmt.Sprintf("%d of %d", c.Effect.Records, c.Effect.Read),
			moneyText(c.Effect.Money))
	}
	s.show(t)
	s.printf("\n")
}

// moneyText is how sums change: "12.5 → 13 EUR", or "-".
func moneyText(changes []operator.MoneyChange) string {
	texts := make([]string, len(changes))
	for i, m := range changes {
		texts[i] = fmt.Sprintf("%s → %s %s", m.Before, m.After, m.Currency)
	}
	return cmp.Or(strings.Join(texts, ", "), "-")
}

func kindText(k operator.Kind) string {
	if k == operator.PriceListKind {
		return "price list"
	}
	return string(k)
}

// subject is what a change is about: "northwind", "northwind acme_retail",
// "acme_retail sms 2026-01-01T00:00:00.000Z".
func subject(c operator.Change) string {
	words := []string{string(c.PartnerID), cmp.Or(c.Subject, string(c.ViewerID)), string(c.AccountID),
		string(c.Product), c.EffectiveFrom, c.KeyID}
	text := strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " ")
	if c.Kind == operator.UsageKind {
		text += "  " + count(c.Records, "record")
	}
	return text
}

func fieldsText(c operator.Change) string {
	var fields []string
	for _, f := range c.Fields {
		if c.Action == operator.Add {
			fields = append(fields, f.Field+": "+f.To)
		} else {
			fields = append(fields,
				fmt.Sprintf("%s: %s → %s", f.Field, cmp.Or(f.From, "(none)"), cmp.Or(f.To, "(none)")))
		}
	}
	return strings.Join(fields, "; ")
}

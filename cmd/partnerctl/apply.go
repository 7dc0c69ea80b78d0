package main

import (
	"cmp"
	"fmt"
	"strings"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type applyCommand struct {
	File        string  `short:"f" required:"" placeholder:"FILE" help:"The directory file, YAML or JSON; - is standard input. docs/formats.md describes it."`
	CorrectPast bool    `help:"Allow changes of price lists that are in force already, which change prices of the past. How many records and how much money that is, is shown first."`
	Caution     caution `embed:""`
}

func (applyCommand) Help() string {
	return `The whole file is checked before anything is written. A key that is left out leaves what is stored; what the file does not name stays. To apply a file again changes nothing. Only a file that corrects prices of the past is asked about.

Example: partnerctl apply -f directory.yaml --dry-run`
}

// applied is the result for programs.
type applied struct {
	DryRun      bool                  `json:"dryRun"`
	Changes     []operator.Change     `json:"changes"`
	Corrections []operator.Correction `json:"corrections"`
}

func appliedOf(p operator.Plan, dryRun bool) applied {
	return applied{dryRun, append([]operator.Change{}, p.Changes...), append([]operator.Correction{}, p.Corrections...)}
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
	o, err := s.operator(tablesOf(c.CorrectPast)...)
	if err != nil {
		return err
	}
	plan, err := o.Plan(s.ctx, file, c.CorrectPast)
	if err != nil {
		return err
	}
	return s.correct(o, plan, c.Caution)
}

// tablesOf are the tables that a directory file has to do with; where it corrects
// prices of the past, usage too.
func tablesOf(correctPast bool) []table {
	needed := []table{partnersTable, customersTable, priceListsTable}
	if correctPast {
		needed = append(needed, usageTable)
	}
	return needed
}

// correct carries out a plan that may correct prices of the past: only then it is
// asked about, when what it comes to has been shown.
func (s *session) correct(o *operator.Operator, plan operator.Plan, caution caution) error {
	if len(plan.Corrections) == 0 {
		return s.carryOut(o, plan, caution.DryRun, nil)
	}
	if err := s.weigh(o, plan); err != nil {
		return err
	}
	return s.carryOut(o, plan, caution.DryRun, func() error { return caution.confirm(s, corrected(plan.Corrections)) })
}

// weigh finds what a plan's corrections come to, and tells on a terminal how far
// it is.
func (s *session) weigh(o *operator.Operator, plan operator.Plan) error {
	told, end := s.counter("%d records priced")
	defer end()
	return o.Weigh(s.ctx, plan, told)
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

// carryOut shows a plan and, if it is no dry run, writes it. Where the plan
// changes something, ask may refuse; nil: nobody is asked.
func (s *session) carryOut(o *operator.Operator, plan operator.Plan, dryRun bool, ask func() error) error {
	if !s.json {
		s.printPlan(plan)
	}
	if !dryRun && len(plan.Changes) > 0 {
		if ask != nil {
			if err := ask(); err != nil {
				return err
			}
		}
		if err := s.apply(o, plan); err != nil {
			return err
		}
	}
	switch {
	case s.json:
		return s.printJSON(appliedOf(plan, dryRun))
	case len(plan.Changes) == 0:
		s.printf("Nothing changes: that is what the tables say already.\n")
	case dryRun:
		s.printf("%s; nothing was written.\n", count(len(plan.Changes), "change"))
	default:
		s.printf("%s written.\n", count(len(plan.Changes), "change"))
	}
	return nil
}

func (s *session) apply(o *operator.Operator, plan operator.Plan) error {
	told, end := s.counter("%d records deleted")
	defer end()
	plan.Progress = told
	return o.Apply(s.ctx, plan)
}

// read reads the directory file, and warns of what hardly was meant.
func (c *applyCommand) read(s *session) (importer.Directory, error) {
	in, err := s.open(c.File)
	if err != nil {
		return importer.Directory{}, err
	}
	defer in.close()
	name := c.File
	if name == stdin {
		name = "standard input"
	}
	file, err := importer.ParseDirectory(in, name)
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
	t := newTable()
	for _, c := range p.Changes {
		what := subject(c)
		if fields := fieldsText(c); fields != "" {
			what += "  " + fields // not a column of its own: most are as long as a line
		}
		t.add(inColour(string(c.Action)), kindText(c.Kind), what)
	}
	s.show(t)
}

func (s *session) printCorrections(corrections []operator.Correction) {
	s.printf("Prices of the past change:\n")
	t := newTable("account", "product", "from", "to", "records", "money")
	t.indent = "  "
	for _, c := range corrections {
		to := c.To
		if to == "" {
			to = "this day and on"
		}
		t.add(c.AccountID, c.Product, c.From, to, fmt.Sprintf("%d of %d", c.Effect.Records, c.Effect.Read), moneyText(c.Effect.Money))
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
	text := strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %s", c.PartnerID, c.AccountID, c.Product, c.EffectiveFrom, c.KeyID)), " ")
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
			fields = append(fields, fmt.Sprintf("%s: %s → %s", f.Field, orNone(f.From), orNone(f.To)))
		}
	}
	return strings.Join(fields, "; ")
}

func orNone(text string) string {
	if text == "" {
		return "(none)"
	}
	return text
}

package main

import (
	"fmt"
	"os"
	"strings"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
)

type applyCommand struct {
	File        string `short:"f" required:"" placeholder:"FILE" help:"The directory file, YAML or JSON; - is standard input. docs/formats.md describes it."`
	DryRun      bool   `help:"Show what would change, and write nothing."`
	CorrectPast bool   `help:"Allow changes of price lists that are in force already, which change prices of the past."`
}

func (applyCommand) Help() string {
	return `The whole file is checked before anything is written. A key that is left out leaves what is stored; what the file does not name stays. To apply a file again changes nothing.

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
	file, err := c.read(s)
	if err != nil {
		return err
	}
	o, err := s.operator(partnersTable, customersTable, priceListsTable)
	if err != nil {
		return err
	}
	plan, err := o.Plan(s.ctx, file, c.CorrectPast)
	if err != nil {
		return err
	}
	return s.carryOut(o, plan, c.DryRun, nil)
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
		if err := o.Apply(s.ctx, plan); err != nil {
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

func (c *applyCommand) read(s *session) (importer.Directory, error) {
	if c.File == "-" {
		return importer.ParseDirectory(s.std.in, "standard input")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return importer.Directory{}, err
	}
	defer f.Close()
	return importer.ParseDirectory(f, c.File)
}

// printPlan shows what a plan will do: first the prices that it changes
// afterwards.
func (s *session) printPlan(p operator.Plan) {
	if len(p.Corrections) > 0 {
		s.printf("Prices of the past change:\n")
		t := newTable("account", "product", "from", "to")
		t.indent = "  "
		for _, c := range p.Corrections {
			to := c.To
			if to == "" {
				to = "this day and on"
			}
			t.add(c.AccountID, c.Product, c.From, to)
		}
		s.show(t)
		s.printf("\n")
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

func kindText(k operator.Kind) string {
	if k == operator.PriceListKind {
		return "price list"
	}
	return string(k)
}

// subject is what a change is about: "northwind", "northwind acme_retail",
// "acme_retail sms 2026-01-01T00:00:00.000Z".
func subject(c operator.Change) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", c.PartnerID, c.AccountID, c.Product, c.EffectiveFrom)), " ")
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

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

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
	if !s.json {
		s.printPlan(plan)
	}
	if !c.DryRun {
		if err := o.Apply(s.ctx, plan); err != nil {
			return err
		}
	}
	switch {
	case s.json:
		return s.printJSON(applied{c.DryRun, append([]operator.Change{}, plan.Changes...), append([]operator.Correction{}, plan.Corrections...)})
	case len(plan.Changes) == 0:
		s.printf("Nothing changes: the tables say already what the file says.\n")
	case c.DryRun:
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
		s.table(func(w io.Writer) {
			fmt.Fprintln(w, "  account\tproduct\tfrom\tto")
			for _, c := range p.Corrections {
				to := c.To
				if to == "" {
					to = "this day and on"
				}
				fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", c.AccountID, c.Product, c.From, to)
			}
		})
		s.printf("\n")
	}
	s.table(func(w io.Writer) {
		for _, c := range p.Changes {
			row := []string{string(c.Action), kindText(c.Kind), subject(c)}
			if len(c.Fields) > 0 {
				row = append(row, fieldsText(c))
			}
			fmt.Fprintln(w, strings.Join(row, "\t"))
		}
	})
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

// table aligns columns, which are parted by tabs.
func (s *session) table(fill func(io.Writer)) {
	w := tabwriter.NewWriter(s.std.out, 0, 0, 2, ' ', 0)
	fill(w)
	_ = w.Flush() // as with every print: an output that is gone is not ours to tell
}

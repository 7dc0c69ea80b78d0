package main

import (
	"partnerview/internal/importer"
)

type priceCheckCommand struct {
	File        string `short:"f" required:"" placeholder:"FILE" help:"The directory file, YAML or JSON; - is standard input."`
	Stored      bool   `help:"Compare with the tables too: customers, currencies, lists that are in force. Without it nothing is connected to."`
	CorrectPast bool   `help:"With --stored: allow changes of price lists that are in force already, and show which prices they touch, of how many records, and how much money that is."`
}

func (priceCheckCommand) Help() string {
	return `Every fault is named with its line, and the exit code is then 1. The rest of the file is checked too.

Example: partnerctl price check -f prices.yaml --stored`
}

// checkedPrices is the result for programs.
type checkedPrices struct {
	PriceLists int      `json:"priceLists"`
	Rates      int      `json:"rates"`
	Stored     bool     `json:"stored"`
	Plan       *applied `json:"plan,omitempty"` // what apply would do; only with --stored
}

func (c *priceCheckCommand) Run(s *session) error {
	file, err := (&applyCommand{File: c.File}).read(s)
	if err != nil {
		return err
	}
	out := checkedPrices{PriceLists: len(file.PriceLists), Stored: c.Stored}
	for _, l := range file.PriceLists {
		out.Rates += len(l.List.Rates)
	}
	if c.Stored {
		if out.Plan, err = c.compare(s, file); err != nil {
			return err
		}
	}
	switch {
	case s.json:
		return s.printJSON(out)
	case c.Stored:
		s.printf("%s with %s: no fault, and none with what is stored.\n", count(out.PriceLists, "price list"), count(out.Rates, "rate"))
	default:
		s.printf("%s with %s: no fault. --stored compares them with the tables too.\n", count(out.PriceLists, "price list"), count(out.Rates, "rate"))
	}
	return nil
}

// compare plans the file's price lists, with its customers whose currency they
// have to fit, and shows the plan.
func (c *priceCheckCommand) compare(s *session, file importer.Directory) (*applied, error) {
	o, err := s.operator(tablesOf(c.CorrectPast)...)
	if err != nil {
		return nil, err
	}
	file.Partners = nil
	plan, err := o.Plan(s.ctx, file, c.CorrectPast)
	if err != nil {
		return nil, err
	}
	if err := s.weigh(o, plan); err != nil {
		return nil, err
	}
	if !s.json {
		s.printPlan(plan)
	}
	result := appliedOf(plan, true)
	return &result, nil
}

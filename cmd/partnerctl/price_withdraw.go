package main

import (
	"partnerview/internal/usage"
)

type priceWithdrawCommand struct {
	logArguments `embed:""`
	From         timeArgument `required:"" placeholder:"TIME" help:"When the list takes effect, as price show tells it: 2026-12-01 or 2026-12-01T00:00:00Z."`
	CorrectPast  bool         `help:"Withdraw a list that has taken effect, which changes prices of the past. How many records and how much money that is, is shown first, and the account ID has to be typed."`
	Caution      caution      `embed:""`
}

func (priceWithdrawCommand) Help() string {
	return `The list before it, if there is one, then holds on until the next. Without --correct-past only a list that has not taken effect yet is withdrawn, and nobody is asked.

Example: partnerctl price withdraw acme_retail sms --from 2026-12-01 --dry-run`
}

func (c *priceWithdrawCommand) Run(s *session) error {
	if c.CorrectPast {
		if err := c.Caution.check(s); err != nil {
			return err
		}
	}
	needed := []table{priceListsTable}
	if c.CorrectPast {
		needed = append(needed, usageTable)
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	log := usage.Log{Account: c.Account.id, Product: usage.Product(c.Product)}
	plan, err := o.PlanWithdrawal(s.ctx, log, c.From.time, c.CorrectPast)
	if err != nil {
		return err
	}
	return s.correct(o, plan, c.Caution)
}

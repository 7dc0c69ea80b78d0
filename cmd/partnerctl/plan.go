package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/apigateway"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
)

type partnerSetPlanCommand struct {
	Partner partnerArgument `arg:"" name:"PARTNER" help:"The id of the partner whose requests are counted."`
	Plan    string          `arg:"" name:"PLAN" enum:"bronze,silver,gold,none" help:"bronze, silver or gold: what they allow stands in the stack's parameters. none takes the partner out of its plan."`
}

func (partnerSetPlanCommand) Help() string {
	return `The stack must have plans: its parameter UsagePlans is prepared or true. While a partner moves from one plan to another, its requests may get 503 for a moment; they are never let through uncounted. Interrupted, the command is run again.

Example: partnerctl partner set-plan northwind silver --stack partnerview`
}

const noPlan = "none"

// setPlan is the result for programs.
type setPlan struct {
	PartnerID    directory.PartnerID `json:"partnerId"`
	Plan         *directory.Plan     `json:"plan"`         // null: none
	PreviousPlan *directory.Plan     `json:"previousPlan"` // null: none
}

func (c *partnerSetPlanCommand) Run(s *session) error {
	if s.connection.Stack == "" {
		return misuseError("plans are those of a deployed stack: give --stack NAME")
	}
	gateway, err := s.connection.gateway(s)
	if err != nil {
		return err
	}
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	var plan, before directory.Plan
	if c.Plan == noPlan {
		before, err = o.LeavePlans(s.ctx, gateway, c.Partner.id)
	} else {
		plan = directory.Plan(c.Plan)
		before, err = o.SetPlan(s.ctx, gateway, c.Partner.id, plan)
	}
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(setPlan{c.Partner.id, planOrNil(plan), planOrNil(before)})
	}
	if before == "" {
		before = noPlan
	}
	s.printf("%s: %s → %s\n", c.Partner.id, before, c.Plan)
	if plan == "" {
		s.printf("Where plans are enforced, it gets 503 until it is put into one.\n")
	}
	return nil
}

func planOrNil(p directory.Plan) *directory.Plan {
	if p == "" {
		return nil
	}
	return &p
}

// planOutputs are the stack's outputs that hold the plans' ids.
var planOutputs = map[directory.Plan]string{directory.Bronze: "BronzePlan", directory.Silver: "SilverPlan", directory.Gold: "GoldPlan"}

// gateway connects to the control plane that has the stack's plans.
func (c connection) gateway(s *session) (operator.Gateway, error) {
	outputs, err := stackOutputs(s.ctx, c.Stack)
	if err != nil {
		return nil, err
	}
	plans := make(map[directory.Plan]string)
	for plan, output := range planOutputs {
		if plans[plan] = outputs[output]; plans[plan] == "" {
			return nil, operator.Refusal(fmt.Sprintf("the stack %s has no usage plans: deploy it with UsagePlans=prepared first; docs/deploy.md has the steps", c.Stack))
		}
	}
	account, err := loadAccount(s.ctx)
	if err != nil {
		return nil, err
	}
	return &controlPlane{apigateway.NewFromConfig(account), c.Stack, plans}, nil
}

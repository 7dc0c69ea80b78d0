package main

import (
	"cmp"
	"errors"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
)

type partnerCommands struct {
	List    partnerListCommand    `cmd:"" help:"List all partners."`
	Show    partnerShowCommand    `cmd:"" help:"Show a partner, its keys and what it sees."`
	Suspend partnerSuspendCommand `cmd:"" help:"Suspend a partner: its keys stop working until it is resumed."`
	Resume  partnerResumeCommand  `cmd:"" help:"Resume a suspended partner: its keys work again."`
	Delete  partnerDeleteCommand  `cmd:"" help:"Delete a partner, with its keys and grants."`
	SetPlan partnerSetPlanCommand `cmd:"" help:"Put a partner into a usage plan."`
}

type partnerListCommand struct{}

// listedPartners is the result for programs.
type listedPartners struct {
	Partners []listedPartner `json:"partners"`
}

type listedPartner struct {
	PartnerID  directory.PartnerID     `json:"partnerId"`
	Name       string                  `json:"name"`
	Status     directory.PartnerStatus `json:"status"`
	Customers  int                     `json:"customers"`
	ActiveKeys int                     `json:"activeKeys"`
}

func (c *partnerListCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	partners, err := o.ListPartners(s.ctx)
	if err != nil {
		return err
	}
	out := listedPartners{make([]listedPartner, len(partners))}
	for i, p := range partners {
		out.Partners[i] = listedPartner{p.ID, p.Name, p.Status, p.Customers, p.ActiveKeys}
	}
	t := newTable("partner", "name", "status", "customers", "active keys")
	for _, p := range out.Partners {
		t.add(p.PartnerID, shortened(p.Name), inColour(string(p.Status)), p.Customers, p.ActiveKeys)
	}
	return s.print(out, func() {
		s.showOr(t, "There are no partners. To add one, put it in a directory file (docs/formats.md) and load it: "+
			"partnerctl apply -f FILE\n")
	})
}

type partnerShowCommand struct {
	Partner directory.PartnerID `arg:"" name:"PARTNER" help:"The partner's id."`
}

// shownPartner is the result for programs.
type shownPartner struct {
	PartnerID directory.PartnerID     `json:"partnerId"`
	Name      string                  `json:"name"`
	Status    directory.PartnerStatus `json:"status"`
	Grants    []listedGrant           `json:"grants"`
	Keys      []listedKey             `json:"keys"`
	Viewers   []countedViewer         `json:"viewers"`
}

func (c *partnerShowCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	p, grants, err := o.ShowPartner(s.ctx, c.Partner)
	if err != nil {
		return err
	}
	keys, err := o.ListKeys(s.ctx, p.ID)
	if err != nil {
		return err
	}
	people, err := o.ListPeople(s.ctx, p.ID)
	if err != nil {
		return err
	}
	out := shownPartner{p.ID, p.Name, p.Status, grantsOf(grants), listKeys(o, keys), listViewers(people)}
	t := newTable()
	t.add(cell{"partner", bold}, p.ID)
	t.add(cell{"name", bold}, p.Name)
	t.add(cell{"status", bold}, inColour(string(p.Status)))
	return s.print(out, func() {
		s.show(t)
		s.printf("\n")
		s.showOr(keyTable(out.Keys), "No keys. Make one: partnerctl key create --partner %s\n", p.ID)
		s.printf("\n")
		if len(people) > 0 {
			s.show(viewerTable(out.Viewers))
			s.printf("\n")
		}
		s.showGrants(p.ID, out.Grants)
	})
}

type partnerSuspendCommand struct {
	Partner directory.PartnerID `arg:"" name:"PARTNER" help:"The partner's id."`
	Caution caution             `embed:""`
}

func (c *partnerSuspendCommand) Run(s *session) error {
	return s.setStatus(c.Partner, directory.Suspended, c.Caution, string(c.Partner))
}

type partnerResumeCommand struct {
	Partner directory.PartnerID `arg:"" name:"PARTNER" help:"The partner's id."`
	DryRun  bool                `help:"Show what would be done, and do nothing."`
}

func (c *partnerResumeCommand) Run(s *session) error {
	return s.setStatus(c.Partner, directory.Active, caution{DryRun: c.DryRun}, "")
}

func (s *session) setStatus(id directory.PartnerID, status directory.PartnerStatus, by caution, typed string) error {
	return s.change([]table{partnersTable}, by, typed, func(o *operator.Operator) (operator.Plan, error) {
		return o.PlanStatus(s.ctx, id, status)
	})
}

type partnerDeleteCommand struct {
	Partner directory.PartnerID `arg:"" name:"PARTNER" help:"The partner's id."`
	Caution caution             `embed:""`
}

func (c *partnerDeleteCommand) Run(s *session) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	needed := []table{partnersTable}
	if !c.Caution.DryRun {
		needed = append(needed, ledgerTable)
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	plan, err := o.PlanPartnerDeletion(s.ctx, c.Partner)
	if err != nil {
		return err
	}
	partner, _, err := o.ShowPartner(s.ctx, c.Partner)
	if err != nil {
		return err
	}
	counted := partner.GatewayKey.ID != "" // by a key of API Gateway, which would be left over
	if counted && s.connection.Stack == "" && s.connection.Endpoint == "" {
		return misuseError("the partner is in a usage plan of a deployed stack: give --stack NAME, " +
			"so that it is taken out of it")
	}
	return s.carryOutPlan(o, plan, c.Caution, string(c.Partner), planned{before: func() error {
		if !counted || s.connection.Stack == "" {
			return nil
		}
		gateway, err := s.connection.gateway(s)
		if err != nil {
			return err
		}
		_, err = o.LeavePlans(s.ctx, gateway, c.Partner)
		return err
	}})
}

type partnerSetPlanCommand struct {
	Partner directory.PartnerID `arg:"" name:"PARTNER" help:"The id of the partner whose requests are counted."`
	Plan    string              `arg:"" name:"PLAN" enum:"bronze,silver,gold,none" help:"bronze, silver or gold: the stack's parameters say what each allows. none takes the partner out of its plan."`
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
	o, err := s.changer(partnersTable)
	if err != nil {
		return err
	}
	var plan, before directory.Plan
	if c.Plan == noPlan {
		before, err = o.LeavePlans(s.ctx, gateway, c.Partner)
	} else {
		plan = directory.Plan(c.Plan)
		before, err = o.SetPlan(s.ctx, gateway, c.Partner, plan)
	}
	if _, isUser := errors.AsType[operator.UserError](err); isUser {
		return err // nothing was done
	}
	noted := s.note(o, err, operator.Change{Kind: operator.PartnerKind, Action: operator.Alter, PartnerID: c.Partner,
		Fields: []operator.FieldChange{{Field: "plan", From: string(before), To: c.Plan}}})
	if err != nil {
		return noted
	}
	return cmp.Or(s.print(setPlan{c.Partner, textOrNil(plan), textOrNil(before)}, func() {
		s.printf("%s: %s → %s\n", c.Partner, cmp.Or(before, noPlan), c.Plan)
		if plan == "" {
			s.printf("Where plans are enforced, it gets 503 until it is put into one.\n")
		}
	}), noted)
}

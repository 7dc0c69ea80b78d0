package main

import (
	"partnerview/internal/directory"
)

type partnerCommands struct {
	List    partnerListCommand    `cmd:"" help:"List all partners."`
	Show    partnerShowCommand    `cmd:"" help:"Show a partner, its keys and what it sees."`
	Suspend partnerSuspendCommand `cmd:"" help:"Make all keys of a partner count no longer, until it is resumed."`
	Resume  partnerResumeCommand  `cmd:"" help:"Make a suspended partner's keys count again."`
	Delete  partnerDeleteCommand  `cmd:"" help:"Delete a partner, with its keys and grants."`
	SetPlan partnerSetPlanCommand `cmd:"" help:"Put a partner into a usage plan."`
}

type partnerListCommand struct{}

func (partnerListCommand) Help() string {
	return `An active partner may look; a suspended one is refused, whatever its keys.

Example: partnerctl partner list`
}

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
	if s.json {
		return s.printJSON(out)
	}
	if len(partners) == 0 {
		s.printf("There are no partners. Write one down in a directory file (docs/formats.md) and load it: partnerctl apply -f FILE\n")
		return nil
	}
	t := newTable("partner", "name", "status", "customers", "active keys")
	for _, p := range out.Partners {
		t.add(p.PartnerID, shortened(p.Name), inColour(string(p.Status)), p.Customers, p.ActiveKeys)
	}
	s.show(t)
	return nil
}

type partnerShowCommand struct {
	Partner partnerArgument `arg:"" name:"PARTNER" help:"The partner's id."`
}

func (partnerShowCommand) Help() string {
	return `The customers stand in the order in which the partner sees them.

Example: partnerctl partner show northwind`
}

// shownPartner is the result for programs.
type shownPartner struct {
	PartnerID directory.PartnerID     `json:"partnerId"`
	Name      string                  `json:"name"`
	Status    directory.PartnerStatus `json:"status"`
	Grants    []listedGrant           `json:"grants"`
	Keys      []listedKey             `json:"keys"`
}

func (c *partnerShowCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	p, grants, err := o.ShowPartner(s.ctx, c.Partner.id)
	if err != nil {
		return err
	}
	keys, err := o.ListKeys(s.ctx, p.ID)
	if err != nil {
		return err
	}
	out := shownPartner{p.ID, p.Name, p.Status, grantsOf(grants), listKeys(o, keys)}
	if s.json {
		return s.printJSON(out)
	}
	t := newTable()
	t.add(cell{"partner", bold}, p.ID)
	t.add(cell{"name", bold}, p.Name)
	t.add(cell{"status", bold}, inColour(string(p.Status)))
	s.show(t)
	s.printf("\n")
	if len(keys) > 0 {
		s.showKeys(out.Keys)
	} else {
		s.printf("No keys. Make one: partnerctl key create --partner %s\n", p.ID)
	}
	s.printf("\n")
	s.showGrants(p.ID, out.Grants)
	return nil
}

type partnerSuspendCommand struct {
	Partner partnerArgument `arg:"" name:"PARTNER" help:"The partner's id."`
	Caution caution         `embed:""`
}

func (partnerSuspendCommand) Help() string {
	return `Its grants and keys stay as they are. What changes is shown first, and the partner's id has to be typed. The API refuses the partner within AuthorizerTtlSeconds of template.yaml, a minute by default.

Example: partnerctl partner suspend northwind`
}

func (c *partnerSuspendCommand) Run(s *session) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	return s.setStatus(c.Partner.id, directory.Suspended, c.Caution.DryRun, func() error {
		return c.Caution.confirm(s, string(c.Partner.id))
	})
}

type partnerResumeCommand struct {
	Partner partnerArgument `arg:"" name:"PARTNER" help:"The partner's id."`
	DryRun  bool            `help:"Show what would be done, and do nothing."`
}

func (partnerResumeCommand) Help() string {
	return `Keys that were revoked or have expired meanwhile stay so.

Example: partnerctl partner resume northwind`
}

func (c *partnerResumeCommand) Run(s *session) error {
	return s.setStatus(c.Partner.id, directory.Active, c.DryRun, nil)
}

func (s *session) setStatus(id directory.PartnerID, status directory.PartnerStatus, dryRun bool, ask func() error) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	plan, err := o.PlanStatus(s.ctx, id, status)
	if err != nil {
		return err
	}
	return s.carryOut(o, plan, dryRun, ask)
}

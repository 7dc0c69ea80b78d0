package main

type partnerDeleteCommand struct {
	Partner partnerArgument `arg:"" name:"PARTNER" help:"The partner's id."`
	Caution caution         `embed:""`
}

func (partnerDeleteCommand) Help() string {
	return `Its access keys and grants go with it; customers and usage stay. All that goes is shown first, and the partner's id has to be typed. The keys are revoked before anything is deleted. A key that leaks later is then unknown to key find: to keep that, suspend the partner instead. A partner in a usage plan needs --stack, to be taken out of it.

Example: partnerctl partner delete northwind --dry-run`
}

func (c *partnerDeleteCommand) Run(s *session) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	plan, err := o.PlanPartnerDeletion(s.ctx, c.Partner.id)
	if err != nil {
		return err
	}
	partner, _, err := o.ShowPartner(s.ctx, c.Partner.id)
	if err != nil {
		return err
	}
	counted := partner.GatewayKey.ID != "" // by a key of API Gateway, which would be left over
	if counted && s.connection.Stack == "" && s.connection.Endpoint == "" {
		return misuseError("the partner is in a usage plan of a deployed stack: give --stack NAME, so that it is taken out of it")
	}
	return s.carryOut(o, plan, c.Caution.DryRun, func() error {
		if err := c.Caution.confirm(s, string(c.Partner.id)); err != nil || !counted || s.connection.Stack == "" {
			return err
		}
		gateway, err := s.connection.gateway(s)
		if err != nil {
			return err
		}
		_, err = o.LeavePlans(s.ctx, gateway, c.Partner.id)
		return err
	})
}

type customerDeleteCommand struct {
	Account   accountArgument `arg:"" name:"ACCOUNT" help:"The customer's account ID."`
	WithUsage bool            `help:"Delete its usage records too."`
	Caution   caution         `embed:""`
}

func (customerDeleteCommand) Help() string {
	return `Every partner's grant of it and its price lists go with it. All that goes is shown first, and the account ID has to be typed. A customer that has usage records is deleted only with them: whoever is granted a new customer of the same account ID would see them. The grants go first. Backups keep what was deleted as long as they are kept: 35 days, where the tables are recovered by point in time.

Example: partnerctl customer delete acme_retail --with-usage --dry-run`
}

func (c *customerDeleteCommand) Run(s *session) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	o, err := s.operator(partnersTable, customersTable, priceListsTable, usageTable)
	if err != nil {
		return err
	}
	plan, err := o.PlanCustomerDeletion(s.ctx, c.Account.id, c.WithUsage)
	if err != nil {
		return err
	}
	return s.carryOut(o, plan, c.Caution.DryRun, func() error { return c.Caution.confirm(s, string(c.Account.id)) })
}

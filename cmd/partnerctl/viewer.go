package main

import (
	"cmp"
	"fmt"
	"strings"

	"partnerview/internal/directory"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type viewerCommands struct {
	Add    viewerAddCommand    `cmd:"" help:"Let a person of a partner see some of its customers, and no others."`
	List   viewerListCommand   `cmd:"" help:"List the people of a partner who have customers of their own."`
	Show   viewerShowCommand   `cmd:"" help:"Show what a person of a partner sees."`
	Remove viewerRemoveCommand `cmd:"" help:"Refuse a person of a partner."`
}

// listFlags say which customers a viewer sees.
type listFlags struct {
	Customer      []importer.Grant `sep:"none" placeholder:"ACCOUNT[=PRODUCTS]" help:"A customer that it sees, with all products that the partner sees of it, or only some, as in acme_retail=sms,voice. May repeat."`
	CustomersFrom string           `placeholder:"FILE" help:"A file that lists them, one a line in the same form; - is standard input. Empty lines and those that begin with # are passed over."`
}

func (f listFlags) isGiven() bool { return len(f.Customer) > 0 || f.CustomersFrom != "" }

// read lists the customers that the flags name.
func (f listFlags) read(s *session) ([]importer.Grant, error) {
	switch {
	case !f.isGiven():
		return nil, misuseError("which customers? Give --customer ACCOUNT, which may repeat, or --customers-from FILE")
	case f.CustomersFrom == "":
		return f.Customer, nil
	case len(f.Customer) > 0:
		return nil, misuseError("--customer and --customers-from exclude each other")
	}
	in, err := s.open(f.CustomersFrom)
	if err != nil {
		return nil, err
	}
	defer in.close()
	return importer.ParseList(in, fileName(f.CustomersFrom))
}

// personFlags say who a person is.
type personFlags struct {
	Partner directory.PartnerID `required:"" placeholder:"ID" help:"The partner that the person is of."`
	Subject subjectArgument     `required:"" placeholder:"SUB" help:"The sub of the person's tokens, to the letter; of a program's without one, its client_id."`
	Issuer  issuerArgument      `placeholder:"URL" help:"The iss of the person's tokens. Without it, the issuer of --stack, or else OIDC_ISSUER."`
}

func (f personFlags) person(s *session) (directory.Person, error) {
	issuer, err := string(f.Issuer), error(nil)
	if issuer == "" {
		issuer, err = s.connection.issuer(s.ctx)
	}
	return directory.Person{Partner: f.Partner, Issuer: issuer, Subject: string(f.Subject)}, err
}

type viewerAddCommand struct {
	Person personFlags  `embed:""`
	Name   nameArgument `placeholder:"LABEL" help:"What the person is called in lists. Without it, a name that is stored stays."`
	List   listFlags    `embed:""`
	DryRun bool         `help:"Show what would be done, and do nothing."`
}

func (c *viewerAddCommand) Run(s *session) error {
	list, err := c.List.read(s)
	if err != nil {
		return err
	}
	person, err := c.Person.person(s)
	if err != nil {
		return err
	}
	person.Name = string(c.Name)
	return s.changeList(c.DryRun, func(o *operator.Operator) (operator.Plan, error) {
		return o.PlanPerson(s.ctx, person, list)
	})
}

// changeList plans a change of a viewer's list, and carries it out.
func (s *session) changeList(dryRun bool, plan planning) error {
	return s.change([]table{partnersTable, customersTable}, caution{DryRun: dryRun}, "", plan)
}

type viewerRemoveCommand struct {
	Person personFlags `embed:""`
	Forget bool        `help:"Say nothing of the person any more: then they see what OidcDefaultAccess of the stack says, all of the partner's customers or none."`
	DryRun bool        `help:"Show what would be done, and do nothing."`
}

func (c *viewerRemoveCommand) Run(s *session) error {
	person, err := c.Person.person(s)
	if err != nil {
		return err
	}
	err = s.changeList(c.DryRun, func(o *operator.Operator) (operator.Plan, error) {
		return o.PlanPersonRemoval(s.ctx, person, c.Forget)
	})
	if err != nil || !c.Forget || s.json {
		return err
	}
	byDefault, err := s.connection.defaultAccess(s.ctx)
	switch {
	case err != nil:
		return err
	case byDefault == directory.SeesAll:
		s.printf("Of whom nothing is said sees all customers of %s: OidcDefaultAccess is all. "+
			"To refuse them: partnerctl viewer remove, without --forget\n", c.Person.Partner)
	case byDefault == directory.SeesNone:
		s.printf("Of whom nothing is said sees no customer: OidcDefaultAccess is none.\n")
	default:
		s.printf("Of whom nothing is said sees what the stack's OidcDefaultAccess says: "+
			"all customers of %s, or none.\n", c.Person.Partner)
	}
	return nil
}

type viewerListCommand struct {
	Partner directory.PartnerID `required:"" placeholder:"ID" help:"The partner whose people are listed."`
}

// listedViewers is the result for programs.
type listedViewers struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	Viewers   []countedViewer     `json:"viewers"`
}

type listedViewer struct {
	Subject   string  `json:"subject"`
	Issuer    string  `json:"issuer"`
	Name      string  `json:"name"`
	State     string  `json:"state"`
	CreatedAt string  `json:"createdAt"`
	RemovedAt *string `json:"removedAt"`
}

type countedViewer struct {
	listedViewer
	Customers int `json:"customers"`
}

func listViewer(p directory.Person) listedViewer {
	v := listedViewer{p.Subject, p.Issuer, p.Name, "active", usage.FormatTime(p.CreatedAt), timeOrNil(p.RemovedAt)}
	if v.RemovedAt != nil {
		v.State = "removed"
	}
	return v
}

func listViewers(people []operator.ListedPerson) []countedViewer {
	out := make([]countedViewer, len(people))
	for i, p := range people {
		out[i] = countedViewer{listViewer(p.Person), p.Customers}
	}
	return out
}

func (c *viewerListCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	people, err := o.ListPeople(s.ctx, c.Partner)
	if err != nil {
		return err
	}
	out := listedViewers{c.Partner, listViewers(people)}
	return s.print(out, func() {
		s.showOr(viewerTable(out.Viewers), "Nobody of %s has customers of their own. To give somebody some: "+
			"partnerctl viewer add --partner %s --subject SUB --customer ACCOUNT\n", c.Partner, c.Partner)
	})
}

func viewerTable(viewers []countedViewer) *textTable {
	t := newTable("subject", "name", "state", "customers", "created", "removed", "issuer")
	for _, v := range viewers {
		t.add(v.Subject, shortened(v.Name), inColour(v.State), v.Customers, v.CreatedAt, orDash(v.RemovedAt), v.Issuer)
	}
	return t
}

type viewerShowCommand struct {
	Person personFlags `embed:""`
}

// shownViewer is the result for programs.
type shownViewer struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	listedViewer
	Customers []sight `json:"customers"`
}

func (c *viewerShowCommand) Run(s *session) error {
	person, err := c.Person.person(s)
	if err != nil {
		return err
	}
	o, err := s.operator(partnersTable, customersTable)
	if err != nil {
		return err
	}
	view, err := o.ShowPerson(s.ctx, person.Partner, person.Issuer, person.Subject)
	if err != nil {
		return err
	}
	out := shownViewer{view.Partner, listViewer(view.Person), sightsOf(view.List)}
	t := newTable()
	row := func(head string, value any) { t.add(cell{head, bold}, value) }
	row("partner", out.PartnerID)
	row("subject", out.Subject)
	row("issuer", out.Issuer)
	row("name", cmp.Or(out.Name, "-"))
	row("state", inColour(out.State))
	row("created", out.CreatedAt)
	row("removed", orDash(out.RemovedAt))
	return s.print(out, func() {
		s.show(t)
		s.printf("\n")
		s.showSights(out.PartnerID, out.Customers)
	})
}

// sight is a customer on a viewer's list, for programs.
type sight struct {
	AccountID    usage.AccountID `json:"accountId"`
	CustomerName string          `json:"customerName"`
	Products     []usage.Product `json:"products"` // null: all
	Granted      bool            `json:"granted"`
	Sees         []usage.Product `json:"sees"`
}

func sightsOf(sights []operator.Sight) []sight {
	out := make([]sight, len(sights))
	for i, v := range sights {
		out[i] = sight{v.Account, v.Name, v.Products, v.Granted, append([]usage.Product{}, v.Shown...)}
	}
	return out
}

// showSights shows people what a viewer of a partner sees by its list.
func (s *session) showSights(partner directory.PartnerID, sights []sight) {
	t := newTable("account", "name", "on its list", "sees")
	for _, v := range sights {
		sees := directory.JoinProducts(v.Sees)
		switch {
		case !v.Granted:
			sees = fmt.Sprintf("nothing: %s does not have it", partner)
		case sees == "":
			sees = fmt.Sprintf("nothing: of these products none is enabled, and granted to %s", partner)
		}
		t.add(v.AccountID, shortened(v.CustomerName), productsText(v.Products), sees)
	}
	s.showOr(t, "It sees no customer: its list is empty.\n")
}

type keyNarrowCommand struct {
	Key    keyArgument `arg:"" name:"KEYID" help:"The key's id, or the whole key."`
	List   listFlags   `embed:""`
	DryRun bool        `help:"Show what would be done, and do nothing."`
}

func (c *keyNarrowCommand) Run(s *session) error {
	list, err := c.List.read(s)
	if err != nil {
		return err
	}
	return s.changeList(c.DryRun, func(o *operator.Operator) (operator.Plan, error) {
		return o.PlanNarrowKey(s.ctx, c.Key.id, list)
	})
}

type keyWidenCommand struct {
	Key    keyArgument `arg:"" name:"KEYID" help:"The key's id, or the whole key."`
	List   listFlags   `embed:""`
	All    bool        `help:"All customers of the partner, also those that it will have."`
	DryRun bool        `help:"Show what would be done, and do nothing."`
}

func (c *keyWidenCommand) Run(s *session) error {
	if c.All {
		if c.List.isGiven() {
			return misuseError("--all is for all customers of the partner: give no --customer and no --customers-from")
		}
		return s.changeList(c.DryRun, func(o *operator.Operator) (operator.Plan, error) {
			return o.PlanWidenKeyToAll(s.ctx, c.Key.id)
		})
	}
	if !c.List.isGiven() {
		return misuseError("which customers? Give --customer ACCOUNT, which may repeat, --customers-from FILE or --all")
	}
	list, err := c.List.read(s)
	if err != nil {
		return err
	}
	return s.changeList(c.DryRun, func(o *operator.Operator) (operator.Plan, error) {
		return o.PlanWidenKey(s.ctx, c.Key.id, list)
	})
}

type keyShowCommand struct {
	Key keyArgument `arg:"" name:"KEYID" help:"The key's id, or the whole key."`
}

// shownKey is the result for programs.
type shownKey struct {
	foundKey
	Customers []sight `json:"customers"` // null: all of the partner's
}

func (c *keyShowCommand) Run(s *session) error {
	o, err := s.operator(partnersTable, customersTable)
	if err != nil {
		return err
	}
	view, err := o.ShowKey(s.ctx, c.Key.id)
	if err != nil {
		return err
	}
	out := shownKey{foundKeyOf(o, view.OwnedKey), nil}
	sees := fmt.Sprintf("all customers of %s", out.PartnerID)
	if out.Narrowed {
		out.Customers = sightsOf(view.List)
		sees = count(len(view.List), "customer") + " of its own list"
	}
	t := newTable()
	row := func(head string, value any) { t.add(cell{head, bold}, value) }
	row("key", out.KeyID)
	row("ends in", orDash(out.LastFour))
	row("label", cmp.Or(out.Label, "-"))
	row("partner", strings.TrimSpace(fmt.Sprintf("%s  %s", out.PartnerID, out.PartnerStatus)))
	row("state", inColour(out.State))
	row("created", out.CreatedAt)
	row("expires", orDash(out.ExpiresAt))
	row("revoked", orDash(out.RevokedAt))
	row("sees", sees)
	return s.print(out, func() {
		s.show(t)
		if out.Narrowed {
			s.printf("\n")
			s.showSights(out.PartnerID, out.Customers)
		}
	})
}

// createNarrow makes a key that sees the customers of a list alone.
func (c *keyCreateCommand) createNarrow(s *session) error {
	list, err := c.List.read(s)
	if err != nil {
		return err
	}
	o, err := s.changer(partnersTable, customersTable)
	if err != nil {
		return err
	}
	text, key, sights, err := o.CreateNarrowKey(s.ctx, c.Partner, c.Label, c.Expires, list)
	if err != nil {
		return err
	}
	noted := s.note(o, nil, keyAdded(key, sights...)...)
	out := createdKeyOf(text, key)
	out.Sees = sightsOf(sights)
	return cmp.Or(s.print(out, func() {
		s.handOver(text, key)
		s.printf("\n")
		s.showSights(key.Partner, out.Sees)
	}), noted)
}

// fileName is what faults call a file.
func fileName(name string) string {
	if name == stdin {
		return "standard input"
	}
	return name
}

// Who a person is, in the forms of a directory file.
type (
	subjectArgument string
	issuerArgument  string
	nameArgument    string
)

// asType is a parser whose text is of another type.
func asType[T ~string](parse func(string) (string, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		value, err := parse(text)
		return T(value), err
	}
}

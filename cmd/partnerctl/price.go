package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

type priceCommands struct {
	Show     priceShowCommand     `cmd:"" help:"Show the price lists of a customer's product."`
	Check    priceCheckCommand    `cmd:"" help:"Check the price lists of a directory file, and write nothing."`
	Withdraw priceWithdrawCommand `cmd:"" help:"Withdraw a price list that has not taken effect."`
	Explain  priceExplainCommand  `cmd:"" help:"Price one record, and show why every other rate lost."`
}

// logArguments name a customer's product.
type logArguments struct {
	Account usage.AccountID `arg:"" name:"ACCOUNT" help:"The customer's account ID."`
	Product string          `arg:"" name:"PRODUCT" enum:"sms,voice,video,messaging" help:"sms, voice, video or messaging."`
}

func (a logArguments) log() usage.Log {
	return usage.Log{Account: a.Account, Product: usage.Product(a.Product)}
}

type priceShowCommand struct {
	logArguments `embed:""`
	At           time.Time `placeholder:"TIME" help:"Show the rates in force at this time. Without it, now."`
}

// shownPrices is the result for programs.
type shownPrices struct {
	AccountID  usage.AccountID `json:"accountId"`
	Product    usage.Product   `json:"product"`
	PriceLists []listedPrices  `json:"priceLists"`
}

// listedPrices is a price list as it stands in a directory file.
type listedPrices struct {
	EffectiveFrom string           `json:"effectiveFrom"`
	State         string           `json:"state"`
	Currency      money.Currency   `json:"currency"`
	ChargeOn      pricing.ChargeOn `json:"chargeOn,omitempty"`
	Rounding      listedRounding   `json:"rounding"`
	Rates         []listedRate     `json:"rates"`
}

type listedRounding struct {
	Scale int32                `json:"scale"`
	Mode  pricing.RoundingMode `json:"mode"`
}

type listedRate struct {
	Direction string           `json:"direction,omitempty"`
	Channel   usage.Channel    `json:"channel,omitempty"`
	Category  usage.Category   `json:"category,omitempty"`
	Country   usage.Country    `json:"country,omitempty"`
	Operator  usage.Operator   `json:"operator,omitempty"`
	UnitPrice string           `json:"unitPrice"`
	SetupFee  string           `json:"setupFee"`
	Increment *listedIncrement `json:"increment,omitempty"`
}

type listedIncrement struct {
	First int64 `json:"first"`
	Next  int64 `json:"next"`
}

func listRate(r pricing.Rate) listedRate {
	out := listedRate{
		Direction: string(r.Direction), Channel: r.Channel, Category: r.Category, Country: r.Country,
		Operator:  r.Operator,
		UnitPrice: money.Text(r.UnitPrice), SetupFee: money.Text(r.SetupFee),
	}
	if r.Increment != (pricing.Increment{}) {
		out.Increment = &listedIncrement{r.Increment.First, r.Increment.Next}
	}
	return out
}

func (c *priceShowCommand) Run(s *session) error {
	o, err := s.operator(customersTable, priceListsTable)
	if err != nil {
		return err
	}
	lists, err := o.ShowPrices(s.ctx, c.log())
	if err != nil {
		return err
	}
	at := cmp.Or(c.At, o.Now())
	// The last that has begun is in force: lists are sorted by when they begin.
	inForce := len(lists) - 1
	for inForce >= 0 && lists[inForce].EffectiveFrom.After(at) {
		inForce--
	}
	out := shownPrices{c.Account, usage.Product(c.Product), make([]listedPrices, len(lists))}
	for i, l := range lists {
		out.PriceLists[i] = listedPrices{
			usage.FormatTime(l.EffectiveFrom), stateOfList(i, inForce), l.Currency, l.ChargeOn,
			listedRounding{l.Rounding.Scale, l.Rounding.Mode}, make([]listedRate, len(l.Rates)),
		}
		for j, r := range l.Rates {
			out.PriceLists[i].Rates[j] = listRate(r)
		}
	}
	return s.print(out, func() {
		s.showLists(c.log(), out.PriceLists)
		if inForce >= 0 {
			s.printf("\nRates from %s on:\n", usage.FormatTime(lists[inForce].EffectiveFrom))
			s.showRates(lists[inForce].Rates)
		}
	})
}

func stateOfList(i, inForce int) string {
	switch {
	case i < inForce:
		return "past"
	case i > inForce:
		return "future"
	}
	return "in force"
}

func (s *session) showLists(log usage.Log, lists []listedPrices) {
	t := newTable("effective from", "state", "currency", "charge on", "rounding", "rates")
	for _, l := range lists {
		t.add(l.EffectiveFrom, inColour(l.State), l.Currency, orDash(textOrNil(string(l.ChargeOn))),
			fmt.Sprintf("%d, %s", l.Rounding.Scale, l.Rounding.Mode), len(l.Rates))
	}
	s.showOr(t, "%s has no price list for %s: its records show the platform's own prices, if there are any. "+
		"docs/formats.md says how to write one.\n", log.Account, log.Product)
}

// showRates shows rates with a column for each selector that any of them names.
func (s *session) showRates(rates []pricing.Rate) {
	named := selectorsNamed(rates)
	t := newTable(append(slices.Clone(named), rateHeads...)...)
	for _, r := range rates {
		t.add(rateCells(named, r)...)
	}
	s.show(t)
}

var rateHeads = []string{"unit price", "set-up fee", "increment"}

func selectorsNamed(rates []pricing.Rate) []string {
	return slices.DeleteFunc(pricing.SelectorNames(), func(name string) bool {
		return !slices.ContainsFunc(rates, func(r pricing.Rate) bool { return r.Get(name) != "" })
	})
}

func rateCells(named []string, r pricing.Rate) []any {
	var cells []any
	for _, name := range named {
		cells = append(cells, orDash(textOrNil(r.Get(name))))
	}
	increment := "-"
	if r.Increment != (pricing.Increment{}) {
		increment = fmt.Sprintf("%d/%d", r.Increment.First, r.Increment.Next)
	}
	return append(cells, money.Text(r.UnitPrice), money.Text(r.SetupFee), increment)
}

type priceCheckCommand struct {
	File        string `short:"f" required:"" placeholder:"FILE" help:"The directory file, YAML or JSON; - is standard input."`
	Stored      bool   `help:"Also compare with the tables: customers, currencies, lists in force. Without it, no connection is made."`
	CorrectPast bool   `help:"With --stored: allow changes of price lists that are in force already, and show which prices they touch, of how many records, and how much money that is."`
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
		s.printf("%s with %s: no faults, in the file or with what is stored.\n",
			count(out.PriceLists, "price list"), count(out.Rates, "rate"))
	default:
		s.printf("%s with %s: no faults. --stored also compares them with the tables.\n",
			count(out.PriceLists, "price list"), count(out.Rates, "rate"))
	}
	return nil
}

// compare plans the file's price lists, with its customers whose currency they
// have to fit, and shows the plan.
func (c *priceCheckCommand) compare(s *session, file importer.Directory) (*applied, error) {
	o, err := s.operator(allTables()...)
	if err != nil {
		return nil, err
	}
	file.Partners = nil
	plan, err := o.Plan(s.ctx, file, c.CorrectPast)
	if err != nil {
		return nil, err
	}
	if err := s.findEffects(o, plan); err != nil {
		return nil, err
	}
	if !s.json {
		s.printPlan(plan)
	}
	result := appliedOf(plan, true)
	return &result, nil
}

type priceWithdrawCommand struct {
	logArguments `embed:""`
	From         time.Time `required:"" placeholder:"TIME" help:"When the list takes effect, as price show gives it: 2026-12-01 or 2026-12-01T00:00:00Z."`
	CorrectPast  bool      `help:"Withdraw a list that has taken effect, which changes prices of the past. How many records and how much money that is, is shown first, and the account ID has to be typed."`
	totalsFlag   `embed:""`
	Caution      caution `embed:""`
}

func (c *priceWithdrawCommand) Run(s *session) error {
	if c.CorrectPast {
		if err := c.Caution.check(s); err != nil {
			return err
		}
	}
	return s.change(countingTables(), c.Caution, "", func(o *operator.Operator) (operator.Plan, error) {
		plan, err := o.PlanWithdrawal(s.ctx, c.log(), c.From, c.CorrectPast)
		plan.Later = c.later()
		return plan, err
	})
}

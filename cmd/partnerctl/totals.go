package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

type totalsCommands struct {
	Show    totalsShowCommand    `cmd:"" help:"Show totals by day, and how far logs are loaded."`
	Check   totalsCheckCommand   `cmd:"" help:"Count totals anew, and compare them with those that are stored."`
	Rebuild totalsRebuildCommand `cmd:"" help:"Count totals anew, and store them."`
}

// daysFlags say which days are meant.
type daysFlags struct {
	Product []string   `placeholder:"PRODUCT" enum:"sms,voice,video,messaging" help:"Only of these products."`
	From    totals.Day `placeholder:"DAY" help:"Only from this day on, such as 2026-11-01, in the customer's time zone."`
	To      totals.Day `placeholder:"DAY" help:"Only before this day."`
}

func (f daysFlags) of(account usage.AccountID) (operator.DaysWanted, error) {
	w := operator.DaysWanted{Account: account, Products: products(f.Product), From: f.From, To: f.To}
	if f.From != "" && f.To != "" && f.From >= f.To {
		return w, misuseError("--from must be before --to: the period is from the one up to, and without, the other")
	}
	return w, nil
}

type totalsShowCommand struct {
	Account   usage.AccountID `arg:"" optional:"" name:"ACCOUNT" help:"The customer's account ID. Default: all customers."`
	daysFlags `embed:""`
}

// shownTotals is the result for programs.
type shownTotals struct {
	From  totals.Day  `json:"from"`
	To    *totals.Day `json:"to"`
	Ready bool        `json:"ready"`
	Days  []shownDay  `json:"days"`
	Logs  []shownLog  `json:"logs"`
}

type shownDay struct {
	AccountID usage.AccountID `json:"accountId"`
	Product   usage.Product   `json:"product"`
	Day       totals.Day      `json:"day"`
	TimeZone  string          `json:"timeZone"`
	Records   int64           `json:"records"`
	Charged   []shownCharge   `json:"charged"`
	Unrated   int64           `json:"unrated"`
	UpdatedAt *string         `json:"updatedAt"`
	Pending   bool            `json:"pending"`
}

type shownCharge struct {
	Currency money.Currency `json:"currency"`
	Amount   string         `json:"amount"`
	Records  int64          `json:"records"`
}

type shownLog struct {
	AccountID       usage.AccountID `json:"accountId"`
	Product         usage.Product   `json:"product"`
	FirstDay        *string         `json:"firstDay"`
	LastDay         *string         `json:"lastDay"`
	LoadedThrough   *string         `json:"loadedThrough"`
	LoadedAt        *string         `json:"loadedAt"`
	UpdatedAt       *string         `json:"updatedAt"`
	PricesChangedAt *string         `json:"pricesChangedAt"`
	Pending         bool            `json:"pending"`
}

// shownDays is how many days are shown where nobody says from when.
const shownDays = 31

func (c *totalsShowCommand) Run(s *session) error {
	wanted, err := c.of(c.Account)
	if err != nil {
		return err
	}
	if wanted.From == "" {
		last := cmp.Or(wanted.To, totals.DayOf(s.now(), time.UTC).Add(2))
		wanted.From = last.Add(-shownDays - 1)
	}
	o, err := s.operator(customersTable, totalsTable)
	if err != nil {
		return err
	}
	shown, err := o.ShowTotals(s.ctx, wanted)
	if err != nil {
		return err
	}
	out := shownTotals{From: wanted.From, Ready: shown.Ready, Days: []shownDay{}, Logs: []shownLog{}}
	if wanted.To != "" {
		out.To = &wanted.To
	}
	t := newTable("account", "product", "day", "records", "charged", "unrated", "state")
	for _, d := range shown.Days {
		day := listDay(d)
		out.Days = append(out.Days, day)
		state := "counted"
		if day.Pending {
			state = "pending"
		}
		t.add(day.AccountID, day.Product, day.Day, day.Records, chargedText(day.Charged), day.Unrated, inColour(state))
	}
	logs := newTable("account", "product", "first day", "last day", "loaded through", "loaded at", "prices changed")
	for _, l := range shown.Logs {
		log := listLog(l)
		out.Logs = append(out.Logs, log)
		logs.add(log.AccountID, log.Product, orDash(log.FirstDay), orDash(log.LastDay), orDash(log.LoadedThrough),
			orDash(log.LoadedAt), orDash(log.PricesChangedAt))
	}
	return s.print(out, func() {
		s.showOr(t, "No records from %s on.\n", wanted.From)
		if len(out.Days) > 0 {
			s.printf("%s\n", sumText(shown.Days, out.Days))
		}
		if len(out.Logs) > 0 {
			s.printf("\n")
			s.show(logs)
		}
		if !out.Ready {
			s.printf("\nNot all usage is counted: there was some before there were totals. " +
				"partnerctl totals rebuild counts it.\n")
		}
	})
}

func listDay(d totals.Dated) shownDay {
	out := shownDay{AccountID: d.Account, Product: d.Product, Day: d.Day, TimeZone: d.Zone.String(),
		Charged: []shownCharge{}, UpdatedAt: timeOrNil(d.UpdatedAt), Pending: d.Stale}
	for _, row := range totals.Rows([]totals.Dated{d}, nil, false) {
		out.Records, out.Unrated = row.Sums.Records, row.Unrated
		out.Charged = listCharges(row)
	}
	return out
}

func listCharges(row totals.Row) []shownCharge {
	charges := []shownCharge{}
	for _, c := range row.Charged {
		charges = append(charges, shownCharge{c.Currency, money.Text(c.Amount), c.Records})
	}
	return charges
}

func listLog(l totals.LogState) shownLog {
	return shownLog{AccountID: l.Account, Product: l.Product, FirstDay: textOrNil(string(l.FirstDay)),
		LastDay:       textOrNil(string(l.LastDay)),
		LoadedThrough: timeOrNil(l.LoadedThrough), LoadedAt: timeOrNil(l.LoadedAt),
		UpdatedAt: timeOrNil(l.UpdatedAt), PricesChangedAt: timeOrNil(l.PricesChangedAt), Pending: l.Stale}
}

// chargedText is "96.12 EUR, 3 USD", or "-".
func chargedText(charges []shownCharge) string {
	text := ""
	for _, c := range charges {
		text += fmt.Sprintf(", %s %s", c.Amount, c.Currency)
	}
	return cmp.Or(text, ", -")[len(", "):]
}

// sumText says what all shown days come to.
func sumText(days []totals.Dated, shown []shownDay) string {
	text := count(len(shown), "day")
	for _, row := range totals.Rows(days, nil, false) {
		text += ": " + count(row.Sums.Records, "record") + ", " + chargedText(listCharges(row))
		if row.Unrated > 0 {
			text += fmt.Sprintf(", %d %s", row.Unrated, pricing.Unrated)
		}
	}
	pending := 0
	for _, d := range shown {
		if d.Pending {
			pending++
		}
	}
	if pending > 0 {
		return fmt.Sprintf("%s. %s pending: what is shown of them was counted before.", text, areDays(pending))
	}
	return text + "."
}

func areDays(n int) string {
	if n == 1 {
		return "1 day is"
	}
	return fmt.Sprintf("%d days are", n)
}

type totalsCheckCommand struct {
	Account   usage.AccountID `placeholder:"ID" help:"Only this customer's. Default: all that is stored, of accounts too that are no customers."`
	daysFlags `embed:""`
}

// checkedTotals is the result for programs.
type checkedTotals struct {
	OK          bool               `json:"ok"`
	Days        int                `json:"days"`
	Records     int64              `json:"records"`
	Pending     []pendingDay       `json:"pending"`
	Differences []totalsDifference `json:"differences"`
}

type pendingDay struct {
	AccountID usage.AccountID `json:"accountId"`
	Product   usage.Product   `json:"product"`
	Day       totals.Day      `json:"day"`
}

type totalsDifference struct {
	AccountID usage.AccountID `json:"accountId"`
	Product   usage.Product   `json:"product"`
	Of        string          `json:"of"`
	Stored    string          `json:"stored"`
	Counted   string          `json:"counted"`
}

func (c *totalsCheckCommand) Run(s *session) error {
	wanted, err := c.of(c.Account)
	if err != nil {
		return err
	}
	o, err := s.operator(countingTables()...)
	if err != nil {
		return err
	}
	told, end := s.counter("%d records read")
	checked, err := o.CheckTotals(s.ctx, wanted, func(n int64) { told(n) })
	end()
	if err != nil {
		return err
	}
	out := checkedTotals{OK: len(checked.Differences) == 0, Days: checked.Days, Records: checked.Records,
		Pending: []pendingDay{}, Differences: []totalsDifference{}}
	for _, d := range checked.Pending {
		out.Pending = append(out.Pending, pendingDay{d.Account, d.Product, d.Day})
	}
	t := newTable("account", "product", "of", "stored", "counted")
	for i, d := range checked.Differences {
		out.Differences = append(out.Differences, totalsDifference{d.Account, d.Product, d.Of, d.Stored, d.Counted})
		if i < shownDifferences {
			t.add(d.Account, d.Product, d.Of, d.Stored, d.Counted)
		}
	}
	err = s.print(out, func() {
		if !out.OK {
			s.show(t)
		}
		if more := len(out.Differences) - shownDifferences; more > 0 {
			s.printf("… and %d more; --output json has them all.\n", more)
		}
		s.printf("%s with %s compared; differences: %d.\n", count(out.Days, "day"), count(out.Records, "record"),
			len(out.Differences))
		if len(out.Pending) > 0 {
			s.printf("Pending, and not compared: %d. partnerctl doctor says why.\n", len(out.Pending))
		}
	})
	switch {
	case err != nil || out.OK:
		return err
	case !checked.Ready:
		return operator.UserError("not all usage is counted: there was some before there were totals. " +
			"partnerctl totals rebuild counts it")
	}
	return operator.UserError("some totals are not what the records come to: something else has written into the " +
		"table. partnerctl totals rebuild mends that")
}

// shownDifferences is how many differences people are shown.
const shownDifferences = 100

type totalsRebuildCommand struct {
	Account   usage.AccountID `placeholder:"ID" help:"Only this customer's. Default: all that is stored, of accounts too that are no customers."`
	daysFlags `embed:""`
	DryRun    bool `help:"Say how much would be counted, and write nothing."`
}

// rebuiltTotals is the result for programs.
type rebuiltTotals struct {
	DryRun bool `json:"dryRun"`
	operator.Rebuild
}

func (c *totalsRebuildCommand) Run(s *session) error {
	wanted, err := c.of(c.Account)
	if err != nil {
		return err
	}
	o, err := s.operator(countingTables()...)
	if err != nil {
		return err
	}
	found, ended := s.counter("%d days found")
	planned, err := o.PlanRebuild(s.ctx, wanted, func(days int) { found(days) })
	ended()
	if err != nil {
		return err
	}
	if !s.json {
		s.printf("%s\n", rebuildText(planned))
	}
	if !c.DryRun {
		o.Counting = nil // what others have left open
		told, end := s.counter("%d of %d days counted")
		err = o.RebuildTotals(s.ctx, wanted, func(days, of int) { told(days, of) })
		if end(); err != nil {
			return err
		}
	}
	return s.print(rebuiltTotals{c.DryRun, planned}, func() {
		if c.DryRun {
			s.printf("Nothing was written.\n")
			return
		}
		s.printf("%s counted.\n", count(planned.Days, "day"))
	})
}

// rebuildText says what a rebuild counts, and what that costs as far as is known.
func rebuildText(r operator.Rebuild) string {
	text := "Nothing to count."
	switch {
	case r.Days > 0 && r.Records == 0:
		text = fmt.Sprintf("%s to count, whose records nobody has counted yet: each is read once, and %s on AWS.",
			count(r.Days, "day"), "a million of them are "+dollars(recountCost(0, 1_000_000)))
	case r.Days > 0:
		text = fmt.Sprintf("%s to count. By what is counted already, their months have %s to read: %s on AWS.",
			count(r.Days, "day"), count(r.Records, "record"), dollars(recountCost(r.Days, r.Records)))
	}
	if r.Resumed > 0 {
		text += fmt.Sprintf(" It goes on behind %s that it counted before it was interrupted.", count(r.Resumed, "day"))
	}
	return text
}

// What a count costs on AWS: a record has about 0.5 kB, so eight of them are a unit of a
// consistent read, and a day takes about six units of writes. The prices are those of
// docs/deploy.md, in us-east-1.
const (
	recordsAUnit = 8
	writesADay   = 6
)

// recountCost is in dollars.
func recountCost(days int, records int64) decimal.Decimal {
	aRead, aWrite := decimal.New(125, -9), decimal.New(625, -9)
	reads := decimal.NewFromInt(records).Mul(aRead).Div(decimal.NewFromInt(recordsAUnit))
	return reads.Add(decimal.NewFromInt(writesADay * int64(days)).Mul(aWrite))
}

func dollars(cost decimal.Decimal) string {
	if cost.LessThan(decimal.New(1, -2)) {
		return "less than a cent"
	}
	return "about $" + cost.StringFixed(2)
}

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

type priceExplainCommand struct {
	logArguments       `embed:""`
	ID                 usage.RecordID   `placeholder:"ID" help:"Explain this stored record, instead of one that the flags below describe."`
	File               string           `short:"f" placeholder:"FILE" help:"Price by the lists of this directory file, instead of the stored ones."`
	At                 time.Time        `placeholder:"TIME" help:"The record's timestamp. Without it, now."`
	Direction          string           `enum:",inbound,outbound" default:"" placeholder:"WORD" help:"inbound or outbound."`
	Status             wordArgument     `placeholder:"WORD" help:"As delivered or failed."`
	Country            usage.Country    `placeholder:"CODE" help:"Of the remote party, such as GB."`
	Operator           usage.Operator   `placeholder:"DIGITS" help:"Of the remote party, such as 23401."`
	Segments           *countArgument   `placeholder:"N" help:"For sms."`
	Duration           *secondsArgument `placeholder:"SECONDS" help:"For voice and video, such as 90 or 1m30s."`
	Participants       *countArgument   `placeholder:"N" help:"For video."`
	ParticipantSeconds *secondsArgument `placeholder:"SECONDS" help:"For video. Without it, participants times duration."`
	Channel            wordArgument     `placeholder:"WORD" help:"For messaging, such as whatsapp."`
	Category           wordArgument     `placeholder:"WORD" help:"For messaging, such as marketing."`
	Recorded           *money.Money     `placeholder:"AMOUNT" help:"What the platform has recorded as the price, such as 0.0412EUR."`
}

func (c *priceExplainCommand) Run(s *session) error {
	o, err := c.operator(s)
	if err != nil {
		return err
	}
	r := c.record(s.now())
	if c.ID != "" {
		if r, err = o.FindRecord(s.ctx, c.log(), c.ID); err != nil {
			return err
		}
	}
	lists, err := c.lists(s, o)
	if err != nil {
		return err
	}
	explained, err := operator.ExplainPrice(r, lists)
	if err != nil {
		return err
	}
	return s.print(explainedOf(r, explained), func() { s.showExplained(r, explained) })
}

// operator connects to what is needed: to nothing, where the record and the
// lists are both given.
func (c *priceExplainCommand) operator(s *session) (*operator.Operator, error) {
	var needed []table
	if c.File == "" {
		needed = append(needed, customersTable, priceListsTable)
	}
	if c.ID != "" {
		needed = append(needed, usageTable)
	}
	if len(needed) == 0 {
		return nil, nil
	}
	return s.operator(needed...)
}

func (c *priceExplainCommand) record(now time.Time) usage.Record {
	at := cmp.Or(c.At, now).UTC()
	r := usage.Record{
		Log: c.log(), Timestamp: at.Truncate(time.Millisecond), Direction: usage.Direction(c.Direction),
		Status:  usage.Status(c.Status),
		Country: c.Country, Operator: c.Operator, Segments: (*int64)(c.Segments),
		DurationSeconds: (*int64)(c.Duration),
		Participants:    (*int64)(c.Participants), ParticipantSeconds: (*int64)(c.ParticipantSeconds),
		Channel: usage.Channel(c.Channel), Category: usage.Category(c.Category),
	}
	if c.Recorded != nil {
		r.RecordedPrice = c.Recorded
	}
	return r
}

func (c *priceExplainCommand) lists(s *session, o *operator.Operator) ([]pricing.List, error) {
	if c.File == "" {
		return o.ShowPrices(s.ctx, c.log())
	}
	file, err := (&applyCommand{File: c.File}).read(s)
	if err != nil {
		return nil, err
	}
	var lists []pricing.List
	for _, l := range slices.DeleteFunc(file.PriceLists, func(l importer.PriceList) bool { return l.Log != c.log() }) {
		lists = append(lists, l.List)
	}
	return lists, nil
}

// explainedPrice is the result for programs.
type explainedPrice struct {
	AccountID     usage.AccountID `json:"accountId"`
	Product       usage.Product   `json:"product"`
	Timestamp     string          `json:"timestamp"`
	Status        pricing.Outcome `json:"status"`
	Amount        *string         `json:"amount"`
	Currency      *string         `json:"currency"`
	Reason        *string         `json:"reason"`
	EffectiveFrom *string         `json:"effectiveFrom"` // of the list that has rated it
	Rates         []judgedRate    `json:"rates"`
}

type judgedRate struct {
	listedRate
	Verdict string  `json:"verdict"` // won, less_specific, no_match
	By      *string `json:"by"`      // the selector that decided it; null for the winner
}

func explainedOf(r usage.Record, e operator.Explained) explainedPrice {
	out := explainedPrice{
		AccountID: r.Account, Product: r.Product, Timestamp: usage.FormatTime(r.Timestamp),
		Status: e.Price.Outcome, Reason: textOrNil(string(e.Price.Reason)), Rates: []judgedRate{},
	}
	if m := e.Price.Money; m != nil {
		out.Amount, out.Currency = decimalOrNil(&m.Amount), textOrNil(string(m.Currency))
	}
	if e.Price.Why != nil {
		out.EffectiveFrom = timeOrNil(e.Price.Why.EffectiveFrom)
	}
	for _, m := range e.Matches {
		judged := judgedRate{listRate(*m.Rate), "won", nil}
		if m.Mismatch != "" {
			judged.Verdict, judged.By = "no_match", &m.Mismatch
		} else if m.BeatenBy != "" {
			judged.Verdict, judged.By = "less_specific", &m.BeatenBy
		}
		out.Rates = append(out.Rates, judged)
	}
	return out
}

func (s *session) showExplained(r usage.Record, e operator.Explained) {
	s.printf("%s\n", priceText(e.Price))
	if len(e.Matches) == 0 {
		return
	}
	rates := make([]pricing.Rate, len(e.Matches))
	for i, m := range e.Matches {
		rates[i] = *m.Rate
	}
	named := selectorsNamed(rates)
	t := newTable(append(append(slices.Clone(named), rateHeads...), "verdict")...)
	for _, m := range e.Matches {
		t.add(append(rateCells(named, *m.Rate), matchText(r, m, e.Price))...)
	}
	s.printf("\n")
	s.show(t)
}

func matchText(r usage.Record, m pricing.RateMatch, p pricing.Price) any {
	switch {
	case m.Mismatch != "":
		has := pricing.SelectorsOf(r).Get(m.Mismatch)
		if has == "" {
			return fmt.Sprintf("does not match: the record tells no %s", m.Mismatch)
		}
		return fmt.Sprintf("does not match: the record's %s is %s", m.Mismatch, has)
	case m.BeatenBy != "":
		return fmt.Sprintf("loses: names no %s, as the first rate does", m.BeatenBy)
	case p.Why == nil:
		return fmt.Sprintf("would win, but the price is %s: %s", p.Outcome, p.Reason)
	}
	return cell{"wins", green}
}

// priceText tells a price with its calculation.
func priceText(p pricing.Price) string {
	switch {
	case p.Money == nil:
		return fmt.Sprintf("%s: %s", p.Outcome, reasonText(p.Reason))
	case p.Why == nil:
		return fmt.Sprintf("%s: %s %s, %s", p.Outcome, money.Text(p.Money.Amount), p.Money.Currency,
			reasonText(p.Reason))
	}
	why := p.Why
	calculation := fmt.Sprintf("%s × %s", money.Text(why.Rate.UnitPrice), count(why.Quantity, string(why.Unit)))
	if why.Unit == pricing.Minute || why.Unit == pricing.ParticipantMinute {
		calculation = fmt.Sprintf("%s per %s × %d s / 60 (%d s, in steps of %d/%d)", money.Text(why.Rate.UnitPrice),
			why.Unit, why.Billable, why.Quantity, why.Rate.Increment.First, why.Rate.Increment.Next)
	}
	if !why.Rate.SetupFee.IsZero() {
		calculation = money.Text(why.Rate.SetupFee) + " set-up fee + " + calculation
	}
	return fmt.Sprintf("%s: %s %s = %s, rounded %s to %s, by the list from %s", p.Outcome, money.Text(p.Money.Amount),
		p.Money.Currency, calculation, why.Rounding.Mode, count(why.Rounding.Scale, "decimal"),
		usage.FormatTime(why.EffectiveFrom))
}

func reasonText(r pricing.Reason) string {
	switch r {
	case pricing.NoPriceList:
		return "no price list was in force"
	case pricing.QuantityUnknown:
		return "the quantity is not told, or cannot be"
	case pricing.NoRate:
		return "no rate of the list matches"
	case pricing.ByStatus:
		return "its status is not charged"
	case pricing.NothingBillable:
		return "there is nothing to bill"
	}
	return string(r)
}

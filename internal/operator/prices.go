package operator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// ShowPrices reads the price lists of a customer's product, oldest first.
// UserError: there is no such customer.
func (o *Operator) ShowPrices(ctx context.Context, log usage.Log) ([]pricing.List, error) {
	if _, err := o.ShowCustomer(ctx, log.Account); err != nil {
		return nil, err
	}
	return o.store.AllPriceLists(ctx, log)
}

// Explained is a record's price, and what became of every rate of the list that
// was in force.
type Explained struct {
	Price   pricing.Price
	Matches []pricing.RateMatch
}

// ExplainPrice prices a record by price lists of its log.
func ExplainPrice(r usage.Record, lists []pricing.List) (Explained, error) {
	book, err := pricing.NewBook(r.Log, lists)
	if err != nil {
		return Explained{}, err
	}
	return Explained{book.Price(r), book.Matches(r)}, nil
}

// FindRecord reads one record by its id, as the API shows it. UserError: there is
// none, or its retention has ended.
func (o *Operator) FindRecord(ctx context.Context, log usage.Log, id usage.RecordID) (usage.Record, error) {
	for _, id := range storedIDs(log, id) {
		r, err := o.store.Record(ctx, log, id, o.now())
		if !fault.Is(err, fault.NotFound) {
			return r, err
		}
	}
	return usage.Record{}, userErrorf("there is no %s record of %s with this id: partnerctl usage get shows a period's",
		log.Product, log.Account)
}

// priceLists plans the lists of the file. Those of one log are written together:
// an interruption between two of them would leave a log that has lists, where the
// second, if it is of the past, could no longer be added.
func (p *planner) priceLists() {
	var logs []usage.Log
	lists := make(map[usage.Log][]pricing.List)
	for i, entry := range p.file.PriceLists {
		if !p.priceList(entry, fmt.Sprintf("priceLists[%d]", i)) {
			continue
		}
		if lists[entry.Log] == nil {
			logs = append(logs, entry.Log)
		}
		lists[entry.Log] = append(lists[entry.Log], entry.List)
	}
	for _, log := range logs {
		if p.plan.lists == nil {
			p.plan.lists = make(map[usage.Log]listChange)
		}
		p.plan.lists[log] = listChange{put: lists[log]}
		p.in(stepPriceLists,
			func(ctx context.Context, s *dynamo.Store) error { return s.PutPriceLists(ctx, log, lists[log]) })
	}
}

// priceList checks one list and reports whether it has to be written.
func (p *planner) priceList(entry importer.PriceList, path string) bool {
	customer, exists := p.after[entry.Log.Account]
	switch {
	case !exists:
		p.fail(entry.Line, path+".accountId", "%q is no customer: it is neither in this file nor stored",
			entry.Log.Account)
	case customer.Currency != "" && customer.Currency != entry.List.Currency:
		p.fail(entry.CurrencyLine, path+".currency", "%s is not the customer's currency, which is %s",
			entry.List.Currency, customer.Currency)
	}
	revision, err := dynamo.Revision(entry.Log, entry.List)
	if err != nil {
		p.fail(entry.Line, path, "%v", errors.Unwrap(err)) // without the operation: the line says which list
		return false
	}
	from, stored := entry.List.EffectiveFrom, p.lists[entry.Log]
	at := slices.IndexFunc(stored, func(h pricing.ListHeader) bool { return h.EffectiveFrom.Equal(from) })
	change := changeOfList(Add, entry.Log, from)
	if at >= 0 {
		if stored[at].Revision == revision {
			return false
		}
		change.Action = Alter
	}
	p.change(change)
	if len(stored) > 0 && !from.After(p.now) {
		p.correct(entry, path, change.Action)
	}
	return true
}

func changeOfList(action Action, log usage.Log, from time.Time) Change {
	return Change{
		Kind: PriceListKind, Action: action,
		AccountID: log.Account, Product: log.Product, EffectiveFrom: usage.FormatTime(from),
	}
}

// correct allows a list that changes prices of the past, or refuses it.
func (p *planner) correct(entry importer.PriceList, path string, action Action) {
	c := correctionOf(entry.Log, usage.Period{From: entry.List.EffectiveFrom, To: p.until(entry)})
	if p.correctPast {
		p.plan.Corrections = append(p.plan.Corrections, c)
		return
	}
	what := "changes a list that is in force since then"
	if action == Add {
		what = "is a new list from before now, where lists exist"
	}
	p.fail(entry.Line, path+".effectiveFrom", "%s: %s", what, c.warning())
}

// until is when the next list of the log takes over from an entry, stored or in
// the file; zero if there is none.
func (p *planner) until(entry importer.PriceList) (next time.Time) {
	later := func(from time.Time) {
		if from.After(entry.List.EffectiveFrom) && (next.IsZero() || from.Before(next)) {
			next = from
		}
	}
	for _, h := range p.lists[entry.Log] {
		later(h.EffectiveFrom)
	}
	for _, other := range p.file.PriceLists {
		if other.Log == entry.Log {
			later(other.List.EffectiveFrom)
		}
	}
	return next
}

// PlanWithdrawal finds what it takes that the price list of a log that takes
// effect at a time is no more. The one before it, if any, then holds on until the
// next. One that has taken effect changes prices of the past, and is withdrawn
// only with correctPast; the plan's Corrections tell which. UserError: there is no
// such list, or it has taken effect.
func (o *Operator) PlanWithdrawal(ctx context.Context, log usage.Log, from time.Time, correctPast bool) (Plan, error) {
	stored, err := o.store.PriceListHeaders(ctx, log)
	if err != nil {
		return Plan{}, err
	}
	at := slices.IndexFunc(stored, func(h pricing.ListHeader) bool { return h.EffectiveFrom.Equal(from) })
	if at < 0 {
		return Plan{}, userErrorf("there is no price list of %s from %s: %s", log.Text(), usage.FormatTime(from),
			listsText(log, stored))
	}
	p := Plan{
		Changes: []Change{changeOfList(Remove, log, from)},
		lists:   map[usage.Log]listChange{log: {withdrawn: []time.Time{from}}},
	}
	p.steps[stepPriceLists] = []write{func(ctx context.Context, s *dynamo.Store) error {
		return s.DeletePriceLists(ctx, log, []time.Time{from})
	}}
	if p.Recount, err = o.recount(ctx, p); err != nil || from.After(o.now()) {
		return p, err
	}
	period := usage.Period{From: from}
	if at+1 < len(stored) {
		period.To = stored[at+1].EffectiveFrom
	}
	c := correctionOf(log, period)
	if !correctPast {
		return Plan{}, UserError("that list has already taken effect: " + c.warning())
	}
	p.Corrections = []Correction{c}
	return p, nil
}

func correctionOf(log usage.Log, period usage.Period) Correction {
	c := Correction{AccountID: log.Account, Product: log.Product, From: usage.FormatTime(period.From)}
	if !period.To.IsZero() {
		c.To = usage.FormatTime(period.To)
	}
	return c
}

// listsText tells which lists there are.
func listsText(log usage.Log, stored []pricing.ListHeader) string {
	if len(stored) == 0 {
		return fmt.Sprintf("%s has none for %s", log.Account, log.Product)
	}
	begins := make([]string, len(stored))
	for i, h := range stored {
		begins[i] = usage.FormatTime(h.EffectiveFrom)
	}
	return "there are those from " + strings.Join(begins, ", ")
}

// Correction is a change of prices that were in force already: records of the
// account and product with a timestamp in the period get other prices.
type Correction struct {
	AccountID usage.AccountID `json:"accountId"`
	Product   usage.Product   `json:"product"`
	From      string          `json:"from"`         // in usage.TimeLayout
	To        string          `json:"to,omitempty"` // exclusive; empty: to this day and on
	// Effect is nil until [Operator.FindEffects] has found it.
	Effect *Effect `json:"effect,omitempty"`
}

func (c Correction) log() usage.Log { return usage.Log{Account: c.AccountID, Product: c.Product} }

// warning says what a command refuses that is not told to correct the past.
func (c Correction) warning() string {
	end := "to this day and on"
	if c.To != "" {
		end = "until " + c.To
	}
	return fmt.Sprintf("prices of %s from %s %s would change; give --correct-past if that is intended",
		c.log().Text(), c.From, end)
}

// period is that of the texts.
func (c Correction) period() (p usage.Period, err error) {
	if p.From, err = usage.ParseTime(c.From); err == nil && c.To != "" {
		p.To, err = usage.ParseTime(c.To)
	}
	return p, err
}

// Effect is what a correction does to the records of its period whose retention
// has not ended.
type Effect struct {
	Read    int `json:"read"`    // records of the period
	Records int `json:"records"` // of these, whose price changes
	// Money is what those records cost, by currency in the order of the codes. A
	// record without a price is in Records, and in no sum.
	Money []MoneyChange `json:"money"`
}

// MoneyChange is a sum in one currency before and after, in plain notation.
type MoneyChange struct {
	Currency money.Currency `json:"currency"`
	Before   string         `json:"before"`
	After    string         `json:"after"`
}

// listChange is what a plan does to the price lists of one log.
type listChange struct {
	put       []pricing.List
	withdrawn []time.Time // when they take effect
}

// of is what lists become.
func (c listChange) of(stored []pricing.List) []pricing.List {
	after := slices.DeleteFunc(slices.Clone(stored), func(l pricing.List) bool {
		replaced := slices.ContainsFunc(c.put,
			func(p pricing.List) bool { return p.EffectiveFrom.Equal(l.EffectiveFrom) })
		return replaced || slices.ContainsFunc(c.withdrawn, l.EffectiveFrom.Equal)
	})
	return append(after, c.put...)
}

// FindEffects finds what each of a plan's corrections does, by reading every record of
// its period and pricing it by the lists of before and after. It tells progress,
// now and then, how many records it has read; memory does not grow with them.
func (o *Operator) FindEffects(ctx context.Context, p Plan, progress func(read int)) error {
	read := 0
	for i := range p.Corrections {
		c := &p.Corrections[i]
		log := c.log()
		period, err := c.period()
		if err != nil {
			return err
		}
		stored, err := o.store.AllPriceLists(ctx, log)
		if err != nil {
			return err
		}
		before, err := pricing.NewBook(log, stored)
		if err != nil {
			return err
		}
		after, err := pricing.NewBook(log, p.lists[log].of(stored))
		if err != nil {
			return err
		}
		s := effectSum{before: before, after: after, sums: make(map[money.Currency]*[2]decimal.Decimal)}
		for r, err := range o.Records(ctx,
			Selection{Account: c.AccountID, Products: []usage.Product{c.Product}, Period: period}) {
			if err != nil {
				return err
			}
			s.add(r)
			if read++; read%pageOfRecords == 0 {
				progress(read)
			}
		}
		c.Effect = s.effect()
	}
	return nil
}

// effectSum adds up what records cost before and after.
type effectSum struct {
	before, after pricing.Book
	read, changed int
	sums          map[money.Currency]*[2]decimal.Decimal
}

func (s *effectSum) add(r usage.Record) {
	s.read++
	before, after := s.before.Price(r), s.after.Price(r)
	if samePrice(before, after) {
		return
	}
	s.changed++
	for i, p := range []pricing.Price{before, after} {
		if p.Money == nil {
			continue
		}
		sum := s.sums[p.Money.Currency]
		if sum == nil {
			sum = new([2]decimal.Decimal)
			s.sums[p.Money.Currency] = sum
		}
		sum[i] = sum[i].Add(p.Money.Amount)
	}
}

// samePrice reports whether a record costs the same, for the same reason.
func samePrice(a, b pricing.Price) bool {
	if a.Outcome != b.Outcome || a.Reason != b.Reason || (a.Money == nil) != (b.Money == nil) {
		return false
	}
	return a.Money == nil || a.Money.Currency == b.Money.Currency && a.Money.Amount.Equal(b.Money.Amount)
}

func (s *effectSum) effect() *Effect {
	e := &Effect{Read: s.read, Records: s.changed, Money: []MoneyChange{}}
	for _, currency := range slices.Sorted(maps.Keys(s.sums)) {
		sum := s.sums[currency]
		e.Money = append(e.Money, MoneyChange{currency, money.Text(sum[0]), money.Text(sum[1])})
	}
	return e
}

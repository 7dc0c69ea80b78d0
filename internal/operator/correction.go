package operator

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Correction is a change of prices that were in force already: records of the
// account and product with a timestamp in the period get other prices.
type Correction struct {
	AccountID usage.AccountID `json:"accountId"`
	Product   usage.Product   `json:"product"`
	From      string          `json:"from"`         // in usage.TimeLayout
	To        string          `json:"to,omitempty"` // exclusive; empty: to this day and on
	// Effect is nil until [Operator.Weigh] has found it.
	Effect *Effect `json:"effect,omitempty"`
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
		replaced := slices.ContainsFunc(c.put, func(p pricing.List) bool { return p.EffectiveFrom.Equal(l.EffectiveFrom) })
		return replaced || slices.ContainsFunc(c.withdrawn, l.EffectiveFrom.Equal)
	})
	return append(after, c.put...)
}

// Weigh finds what each of a plan's corrections does, by reading every record of
// its period and pricing it by the lists of before and after. It tells progress,
// now and then, how many records it has read; memory does not grow with them.
func (o *Operator) Weigh(ctx context.Context, p Plan, progress func(read int)) error {
	read := 0
	for i := range p.Corrections {
		c := &p.Corrections[i]
		log := usage.Log{Account: c.AccountID, Product: c.Product}
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
		s := scale{before: before, after: after, sums: make(map[money.Currency]*[2]decimal.Decimal)}
		for r, err := range o.Records(ctx, Selection{Account: c.AccountID, Products: []usage.Product{c.Product}, Period: period}) {
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

// scale adds up what records cost before and after.
type scale struct {
	before, after pricing.Book
	read, changed int
	sums          map[money.Currency]*[2]decimal.Decimal
}

func (s *scale) add(r usage.Record) {
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

func (s *scale) effect() *Effect {
	e := &Effect{Read: s.read, Records: s.changed, Money: []MoneyChange{}}
	for _, currency := range slices.Sorted(maps.Keys(s.sums)) {
		sum := s.sums[currency]
		e.Money = append(e.Money, MoneyChange{currency, money.Text(sum[0]), money.Text(sum[1])})
	}
	return e
}

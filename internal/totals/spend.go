package totals

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
)

// Spending is what was read of customers' months, from which follows what they spend and
// how long their credit lasts.
type Spending struct {
	Ready  bool // all usage that there is, is counted; else nothing can be told of any month
	Months map[AccountMonth]Monthly
}

// RunningMonths are the months of which one is running, whatever the time zone: one, or
// two around the turn of a month.
func RunningMonths(now time.Time) []Month {
	months := make([]Month, 0, 3)
	for _, days := range []int{-1, 0, 1} {
		months = append(months, DayOf(now.AddDate(0, 0, days), time.UTC).Month())
	}
	return slices.Compact(months)
}

// PaceMonths are those of [RunningMonths] and the month before: [Spending.Credit] needs
// them.
func PaceMonths(now time.Time) []Month {
	running := RunningMonths(now)
	return append([]Month{running[0].Previous()}, running...)
}

// Running is what a customer was charged so far in the month that is running where it is,
// in its currency, for those of its products that it comes with: rated, free and recorded
// prices. nil: the month is not counted yet.
func (s Spending) Running(c directory.Customer, now time.Time) (*decimal.Decimal, error) {
	today, err := todayOf(c, now)
	if err != nil {
		return nil, err
	}
	return s.in(today.Month(), c, now), nil
}

// in is what a customer was charged in a month; nil: that is not known.
func (s Spending) in(month Month, c directory.Customer, now time.Time) *decimal.Decimal {
	m, found := s.Months[AccountMonth{Account: c.Account, Month: month}]
	if !s.Ready || found && (m.Stale || m.Zone.String() != c.TimeZone.String()) {
		return nil
	}
	var sum decimal.Decimal
	for _, p := range c.Products {
		log := m.Logs[p]
		if IsPast(log.ExpiresAt, now) {
			return nil
		}
		for g, sums := range log.Sheet {
			if g.Currency == c.Currency {
				sum = sum.Add(sums.Amount)
			}
		}
	}
	return &sum
}

// CreditState is how much is left of a customer's credit.
type CreditState string

const (
	// CreditEnough is whatever is neither of the others: a credit that is not known too.
	CreditEnough CreditState = ""
	// CreditLow is not exhausted yet, and will be within lowDays if it goes on as in this
	// month and the one before.
	CreditLow CreditState = "low"
	// CreditExhausted is a remaining credit and limit of nothing or less.
	CreditExhausted CreditState = "exhausted"
)

// lowDays is for how many days a credit must last that is not low.
const lowDays = 7

// Credit tells whether a customer's credit is low. It goes by what was charged in the
// running month, today included, and in the one before, by days: so a new month begins
// with the pace of the old. A month that is not counted yet does not take part, nor does
// one before in which nothing was charged: whoever has just begun is judged by that. Who
// spends nothing is not low.
//
// Of 100 EUR and a limit of 50, with 600 charged in November and 100 by the fifth of
// December, 150 are left. In 35 days 700 were charged, and in 7 it will be 140: that is
// not low.
func (s Spending) Credit(c directory.Customer, now time.Time) (CreditState, error) {
	if c.Credit.Remaining == nil {
		return CreditEnough, nil
	}
	left := *c.Credit.Remaining
	if c.Credit.Limit != nil {
		left = left.Add(*c.Credit.Limit)
	}
	if !left.IsPositive() {
		return CreditExhausted, nil
	}
	today, err := todayOf(c, now)
	if err != nil {
		return CreditEnough, err
	}
	running, before := today.Month(), today.Month().Previous()
	var charged decimal.Decimal
	days := 0
	if sum := s.in(running, c, now); sum != nil {
		charged, days = charged.Add(*sum), days+today.number()
	}
	if sum := s.in(before, c, now); sum != nil && sum.IsPositive() {
		charged, days = charged.Add(*sum), days+running.First().Add(-1).number()
	}
	// left <= lowDays * charged / days, without a division
	if charged.IsPositive() &&
		left.Mul(decimal.NewFromInt(int64(days))).LessThanOrEqual(charged.Mul(decimal.NewFromInt(lowDays))) {
		return CreditLow, nil
	}
	return CreditEnough, nil
}

func todayOf(c directory.Customer, now time.Time) (Day, error) {
	zone, err := c.TimeZone.Location()
	if err != nil {
		return "", fmt.Errorf("the time zone of %s: %w", c.Account, err)
	}
	return DayOf(now, zone), nil
}

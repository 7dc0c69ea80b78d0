// Package totals sums usage by days: how many records a customer had, how much of
// what, and what it was charged for them. Like package pricing it calculates, and does
// no input and no output.
//
// A [Sheet] is what one day of one log comes to, by [Group]. Sheets of several days, logs
// and customers are read as rows ([Rows]), each the sum over the records with the same
// [Key]; no order of additions changes a sum, since amounts are decimals and never
// rounded. An amount is of one currency, and a record without a price is counted as
// unrated and never as 0.
package totals

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Group is what records of a log and day are counted together by. An empty field: the
// records do not tell.
type Group struct {
	Direction usage.Direction
	Status    usage.Status
	Country   usage.Country
	Channel   usage.Channel
	Category  usage.Category
	Price     pricing.Outcome
	Currency  money.Currency // empty exactly when unrated
}

// Sums are what the records of a group come to. A record that does not tell a quantity
// adds nothing to it.
type Sums struct {
	Records            int64
	Segments           int64 // SMS
	DurationSeconds    int64 // voice, video
	ParticipantSeconds int64 // video
	BillableSeconds    int64 // voice, video: of rated records
	Amount             decimal.Decimal
}

func (s Sums) plus(t Sums) Sums {
	return Sums{
		Records: s.Records + t.Records, Segments: s.Segments + t.Segments,
		DurationSeconds:    s.DurationSeconds + t.DurationSeconds,
		ParticipantSeconds: s.ParticipantSeconds + t.ParticipantSeconds,
		BillableSeconds:    s.BillableSeconds + t.BillableSeconds,
		Amount:             s.Amount.Add(t.Amount),
	}
}

// Sheet is what records come to, by group.
type Sheet map[Group]Sums

// Add counts a record and its price.
func (s Sheet) Add(r usage.Record, p pricing.Price) {
	g := Group{
		Direction: r.Direction, Status: r.Status, Country: r.Country, Channel: r.Channel, Category: r.Category,
		Price: p.Outcome,
	}
	one := Sums{
		Records: 1, Segments: told(r.Segments), DurationSeconds: told(r.DurationSeconds),
		ParticipantSeconds: told(r.ParticipantSeconds),
	}
	if p.Money != nil {
		g.Currency, one.Amount = p.Money.Currency, p.Money.Amount
	}
	if p.Why != nil {
		one.BillableSeconds = p.Why.Billable
	}
	s[g] = s[g].plus(one)
}

// Merge adds what stands on another sheet.
func (s Sheet) Merge(other Sheet) {
	for g, sums := range other {
		s[g] = s[g].plus(sums)
	}
}

// Coarse is the sheet of a month: by price and currency alone.
func (s Sheet) Coarse() Sheet {
	out := make(Sheet)
	for g, sums := range s {
		g = Group{Price: g.Price, Currency: g.Currency}
		out[g] = out[g].plus(sums)
	}
	return out
}

func told(quantity *int64) int64 {
	if quantity == nil {
		return 0
	}
	return *quantity
}

// Dated is the sheet of a customer's day, or month, of one product.
type Dated struct {
	usage.Log
	Day       Day // the first of a month where the sheet is a month's
	Zone      directory.TimeZone
	Sheet     Sheet
	UpdatedAt time.Time // when its totals last changed
	ExpiresAt time.Time // when the retention of the first of its records ends; zero: never
	Stale     bool      // it is being written: the sheet is what was counted last
}

// Dimension is what rows can be grouped by.
type Dimension string

const (
	ByCustomer    Dimension = "customer"
	ByDay         Dimension = "day"
	ByMonth       Dimension = "month"
	ByProduct     Dimension = "product"
	ByDirection   Dimension = "direction"
	ByStatus      Dimension = "status"
	ByCountry     Dimension = "country"
	ByChannel     Dimension = "channel"
	ByPriceStatus Dimension = "priceStatus"
)

// Key is where a row stands: a text for each dimension that was asked for, in that
// order; empty: the records do not tell.
type Key [3]string

// Charged is what records were charged for, in one currency.
type Charged struct {
	money.Money
	Records int64
}

// Row is what the records of a key come to. Records are the sum of Charged's and Unrated.
type Row struct {
	Key       Key
	Products  []usage.Product // of its records, which say what quantities it has
	Sums      Sums            // without an amount
	Charged   []Charged       // by code, of rated, free and recorded prices
	Unrated   int64
	UpdatedAt time.Time // the newest of its days
}

// Rows sums sheets by up to three dimensions, in the order of their keys: customers and
// words bytewise, days and months ascending, products as they are listed, what is not
// told last. A day without records shows only with emptied.
func Rows(sheets []Dated, by []Dimension, emptied bool) []Row {
	table := NewTable(by, Page{Emptied: emptied})
	for _, d := range sheets {
		table.Add(d)
	}
	rows, _, _ := table.Result()
	return rows
}

// value is what a group of a sheet is of a dimension.
func (d Dated) value(dimension Dimension, g Group) string {
	switch dimension {
	case ByCustomer:
		return string(d.Account)
	case ByDay:
		return string(d.Day)
	case ByMonth:
		return string(d.Day.Month())
	case ByProduct:
		return string(d.Product)
	case ByDirection:
		return string(g.Direction)
	case ByStatus:
		return string(g.Status)
	case ByCountry:
		return string(g.Country)
	case ByChannel:
		return string(g.Channel)
	case ByPriceStatus:
		return string(g.Price)
	}
	return ""
}

// tally is a row that is being added up.
type tally struct {
	sums     Sums
	charged  map[money.Currency]Charged
	unrated  int64
	products map[usage.Product]bool
	updated  time.Time
}

func (t *tally) add(d Dated, g Group, sums Sums) {
	if d.UpdatedAt.After(t.updated) {
		t.updated = d.UpdatedAt
	}
	if sums.Records == 0 {
		return
	}
	t.products[d.Product] = true
	if g.Price == pricing.Unrated {
		t.unrated += sums.Records
	} else {
		c := t.charged[g.Currency]
		c.Currency, c.Amount, c.Records = g.Currency, c.Amount.Add(sums.Amount), c.Records+sums.Records
		t.charged[g.Currency] = c
	}
	sums.Amount = decimal.Decimal{}
	t.sums = t.sums.plus(sums)
}

func (t *tally) row(key Key) Row {
	r := Row{Key: key, Sums: t.sums, Unrated: t.unrated, UpdatedAt: t.updated}
	for _, p := range usage.Products() {
		if t.products[p] {
			r.Products = append(r.Products, p)
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(t.charged)) {
		r.Charged = append(r.Charged, t.charged[currency])
	}
	return r
}

// compare orders two rows by their keys.
func compare(a, b Key, by []Dimension) int {
	for i, dimension := range by {
		order := cmp.Compare(rank(dimension, a[i]), rank(dimension, b[i]))
		if order = cmp.Or(order, cmp.Compare(a[i], b[i])); order != 0 {
			return order
		}
	}
	return 0
}

// rank puts products in their order, and what is not told behind all else.
func rank(dimension Dimension, value string) int {
	switch {
	case value == "":
		return 1
	case dimension == ByProduct:
		return slices.Index(usage.Products(), usage.Product(value)) - len(usage.Products())
	}
	return 0
}

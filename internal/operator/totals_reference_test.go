package operator_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// The reference: what totals must be, summed from the records that are stored and by no
// code of package totals.

// dayIn is the calendar day of an instant. Where clocks are put back over midnight, an
// instant is of the earliest day that a clock shows then or later.
func dayIn(t time.Time, zone *time.Location) totals.Day {
	day := t.In(zone).Format(time.DateOnly)
	if _, change := t.In(zone).ZoneBounds(); !change.IsZero() && change.Sub(t) < 48*time.Hour {
		day = min(day, change.In(zone).Format(time.DateOnly))
	}
	return totals.Day(day)
}

// sum is what records come to.
type sum struct {
	records, unrated                          int64
	segments, seconds, participants, billable int64
	charged                                   map[money.Currency]decimal.Decimal
	charges                                   map[money.Currency]int64
	products                                  map[usage.Product]bool
}

func newSum() *sum {
	return &sum{charged: map[money.Currency]decimal.Decimal{}, charges: map[money.Currency]int64{}, products: map[usage.Product]bool{}}
}

func (s *sum) add(r priced) {
	s.records++
	s.products[r.Product] = true
	for quantity, of := range map[*int64]*int64{&s.segments: r.Segments, &s.seconds: r.DurationSeconds, &s.participants: r.ParticipantSeconds} {
		if of != nil {
			*quantity += *of
		}
	}
	if r.price.Why != nil {
		s.billable += r.price.Why.Billable
	}
	if r.price.Outcome == pricing.Unrated {
		s.unrated++
		return
	}
	c := r.price.Money.Currency
	s.charged[c], s.charges[c] = s.charged[c].Add(r.price.Money.Amount), s.charges[c]+1
}

// String has the sum in one line, quantities as the API has them: null where no record is
// of a product that has them.
func (s *sum) String() string {
	of := func(n int64, products ...usage.Product) string {
		if slices.ContainsFunc(products, func(p usage.Product) bool { return s.products[p] }) {
			return fmt.Sprint(n)
		}
		return "null"
	}
	line := fmt.Sprintf("records %d segments %s seconds %s participants %s billable %s", s.records, of(s.segments, usage.SMS),
		of(s.seconds, usage.Voice, usage.Video), of(s.participants, usage.Video), of(s.billable, usage.Voice, usage.Video))
	for _, c := range slices.Sorted(maps.Keys(s.charged)) {
		line += fmt.Sprintf(" %s %s (%d)", c, money.Text(s.charged[c]), s.charges[c])
	}
	return line + fmt.Sprintf(" unrated %d", s.unrated)
}

// priced is a record, what it costs now, and its day in the calendar of its customer.
type priced struct {
	usage.Record
	price pricing.Price
	day   totals.Day
}

func (r priced) value(by totals.Dimension) string {
	switch by {
	case totals.ByCustomer:
		return string(r.Account)
	case totals.ByDay:
		return string(r.day)
	case totals.ByMonth:
		return string(r.day[:7])
	case totals.ByProduct:
		return string(r.Product)
	case totals.ByDirection:
		return string(r.Direction)
	case totals.ByStatus:
		return string(r.Status)
	case totals.ByCountry:
		return string(r.Country)
	case totals.ByChannel:
		return string(r.Channel)
	case totals.ByPriceStatus:
		return string(r.price.Outcome)
	}
	panic(by)
}

// reference is what is stored of those of some logs whose customers there are.
type reference struct {
	logs     []usage.Log
	products map[usage.AccountID][]usage.Product
	records  []priced
	expired  map[totals.LogDay]bool // days of which a record is past its retention
	zones    map[usage.AccountID]directory.TimeZone
}

// readReference reads all records, past their retention or not.
func readReference(ctx context.Context, s *dynamo.Store, logs []usage.Log, now time.Time) (reference, error) {
	ref := reference{products: map[usage.AccountID][]usage.Product{}, expired: map[totals.LogDay]bool{}, zones: map[usage.AccountID]directory.TimeZone{}}
	for _, log := range logs {
		customer, err := s.GetCustomer(ctx, log.Account)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return ref, err
		}
		ref.logs = append(ref.logs, log)
		ref.zones[log.Account], ref.products[log.Account] = customer.TimeZone, customer.Products
		zone, err := customer.TimeZone.Location()
		if err != nil {
			return ref, err
		}
		lists, err := s.AllPriceLists(ctx, log)
		if err != nil {
			return ref, err
		}
		book, err := pricing.NewBook(log, lists)
		if err != nil {
			return ref, err
		}
		page, err := s.Log(ctx, log, usage.Query{Order: usage.OldestFirst, Limit: 500})
		if err != nil {
			return ref, err
		}
		for _, r := range page.Records {
			p := priced{r, book.Price(r), dayIn(r.Timestamp, zone)}
			if !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt) {
				ref.expired[totals.LogDay{Log: log, Day: p.day}] = true
			}
			ref.records = append(ref.records, p)
		}
	}
	return ref, nil
}

// rows sums the records of days that are wholly retained.
func (ref reference) rows(by []totals.Dimension, of func(priced) bool) map[string]string {
	sums := map[string]*sum{}
	for _, r := range ref.records {
		if ref.expired[totals.LogDay{Log: r.Log, Day: r.day}] || !of(r) {
			continue
		}
		var key []string
		for _, dimension := range by {
			key = append(key, cmp.Or(r.value(dimension), "null"))
		}
		k := strings.Join(key, " ")
		if sums[k] == nil {
			sums[k] = newSum()
		}
		sums[k].add(r)
	}
	rows := make(map[string]string, len(sums))
	for k, s := range sums {
		rows[k] = s.String()
	}
	return rows
}

// textOf has the rows of package totals in the words of the reference.
func textOf(rows []totals.Row, by []totals.Dimension) map[string]string {
	texts := make(map[string]string, len(rows))
	for _, row := range rows {
		s := newSum()
		s.records, s.unrated, s.segments = row.Sums.Records, row.Unrated, row.Sums.Segments
		s.seconds, s.participants, s.billable = row.Sums.DurationSeconds, row.Sums.ParticipantSeconds, row.Sums.BillableSeconds
		for _, c := range row.Charged {
			s.charged[c.Currency], s.charges[c.Currency] = c.Amount, c.Records
		}
		for _, p := range row.Products {
			s.products[p] = true
		}
		var key []string
		for i := range by {
			key = append(key, cmp.Or(row.Key[i], "null"))
		}
		texts[strings.Join(key, " ")] = s.String()
	}
	return texts
}

package pricing

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"partnerview/internal/usage"
)

// Indexed is a price list without faults, made ready to find rates in. It does
// not change once made, so that a store may keep it for as long as the list is
// the same, and many goroutines may use it.
type Indexed struct {
	product usage.Product
	list    List
	levels  []level // most specific first
}

// level is the rates of a list that name the same selectors. A list has as many
// levels as it has such sets, mostly two or three and never more than 16, since
// no product has more than four selectors. A record is looked up once in each,
// until one answers; nothing walks the rates.
type level struct {
	names named
	lines map[Selectors]*line
}

// Index checks a list of that product and makes it ready. The error names every
// fault, but for a lack of rates: a list that was stored without any prices
// nothing, and is no failure. The rates are copied: changing l afterwards changes
// nothing here.
func Index(p usage.Product, l List) (*Indexed, error) {
	if faults := l.unusable(p); len(faults) > 0 {
		errs := make([]error, len(faults))
		for i, f := range faults {
			errs[i] = f
		}
		return nil, fmt.Errorf("%s price list of %s: %w", p, usage.FormatTime(l.EffectiveFrom), errors.Join(errs...))
	}
	l.Rates = slices.Clone(l.Rates)
	indexed := &Indexed{product: p, list: l}

	var count [namesAll + 1]int
	for i := range l.Rates {
		count[l.Rates[i].names()]++
	}
	var at [namesAll + 1]int
	for n := namesAll; n >= 0; n-- {
		if count[n] > 0 {
			at[n] = len(indexed.levels)
			indexed.levels = append(indexed.levels, level{named(n), make(map[Selectors]*line, count[n])})
		}
	}
	lines := make([]line, len(l.Rates))
	for i := range l.Rates {
		rate := &l.Rates[i]
		lines[i] = newLine(rate, partsOf(p), l.Rounding)
		indexed.levels[at[rate.names()]].lines[rate.Selectors] = &lines[i]
	}
	return indexed, nil
}

// EffectiveFrom is when the list takes effect.
func (l *Indexed) EffectiveFrom() time.Time { return l.list.EffectiveFrom }

// rate is the most specific rate that matches; nil if none does.
func (l *Indexed) rate(r *usage.Record) *line {
	for i := range l.levels {
		if rate := l.levels[i].match(r); rate != nil {
			return rate
		}
	}
	return nil
}

func (l *level) match(r *usage.Record) *line { return l.lines[l.names.of(r)] }

// named is the set of selectors that a rate names, one bit each. The bits stand
// in the order in which specificity compares, so the more specific of two sets
// is the larger number: one that names the operator is larger than any that does
// not, and so on down to the direction.
type named uint8

const (
	namesDirection named = 1 << iota
	namesChannel
	namesCategory
	namesCountry
	namesOperator

	namesAll = 1<<iota - 1
)

func (s Selectors) names() named {
	var n named
	if s.Direction != "" {
		n |= namesDirection
	}
	if s.Channel != "" {
		n |= namesChannel
	}
	if s.Category != "" {
		n |= namesCategory
	}
	if s.Country != "" {
		n |= namesCountry
	}
	if s.Operator != "" {
		n |= namesOperator
	}
	return n
}

// of is the record's own values of those selectors. Where the record does not
// tell one of them, no rate of that level is equal: its rates name it.
func (n named) of(r *usage.Record) (s Selectors) {
	if n&namesDirection != 0 {
		s.Direction = r.Direction
	}
	if n&namesChannel != 0 {
		s.Channel = r.Channel
	}
	if n&namesCategory != 0 {
		s.Category = r.Category
	}
	if n&namesCountry != 0 {
		s.Country = r.Country
	}
	if n&namesOperator != 0 {
		s.Operator = r.Operator
	}
	return s
}

// decisive is the name of the selector that sets two sets apart, as in a price
// list: the first, in the order of specificity, that only one of them has.
func (n named) decisive(m named) string {
	switch diff := n ^ m; {
	case diff >= namesOperator:
		return "operator"
	case diff >= namesCountry:
		return "country"
	case diff >= namesCategory:
		return "category"
	case diff >= namesChannel:
		return "channel"
	case diff >= namesDirection:
		return "direction"
	}
	return ""
}

package pricing

import (
	"math/bits"
	"slices"

	"partnerview/internal/usage"
)

// Selectors say for which records a rate is meant. An empty one is not named
// and matches every record; a named one matches only its equal.
type Selectors struct {
	Direction usage.Direction
	Channel   usage.Channel
	Category  usage.Category
	Country   usage.Country
	Operator  usage.Operator
}

// selectorNames stand in the order in which specificity compares.
var selectorNames = [...]string{"operator", "country", "category", "channel", "direction"}

// SelectorNames are the names of the selectors, as in a price list, in the order
// in which specificity compares: the first counts most.
func SelectorNames() []string { return slices.Clone(selectorNames[:]) }

// SelectorsOf are a record's own values of all selectors; empty: it is not told.
func SelectorsOf(r usage.Record) Selectors {
	return Selectors{r.Direction, r.Channel, r.Category, r.Country, r.Operator}
}

// Get is the value of the selector with that name; empty: it is not named.
func (s Selectors) Get(name string) string {
	if i := slices.Index(selectorNames[:], name); i >= 0 {
		return s.values()[i]
	}
	return ""
}

// selectorValues are the values of all selectors, in the order of their names.
type selectorValues [len(selectorNames)]string

func (s Selectors) values() selectorValues {
	return selectorValues{
		string(s.Operator), string(s.Country), string(s.Category), string(s.Channel), string(s.Direction),
	}
}

// mismatch is the name of the first selector that is named and has another value
// than a record has; empty: all that are named are equal.
func (v selectorValues) mismatch(record selectorValues) string {
	for i, name := range selectorNames {
		if v[i] != "" && v[i] != record[i] {
			return name
		}
	}
	return ""
}

// selectorMask is the set of selectors that a rate names, one bit each. The bits
// stand in the order in which specificity compares, so the more specific of two sets
// is the larger number: one that names the operator is larger than any that does
// not, and so on down to the direction.
type selectorMask uint8

const allSelectors selectorMask = 1<<len(selectorNames) - 1

// bit is that of the selector in that place.
func bit(i int) selectorMask { return 1 << (len(selectorNames) - 1 - i) }

func (v selectorValues) mask() (m selectorMask) {
	for i := range v {
		if v[i] != "" {
			m |= bit(i)
		}
	}
	return m
}

// of is a record's values of those selectors. Where the record does not tell one of
// them, no rate that names it is equal.
func (m selectorMask) of(record selectorValues) selectorValues {
	for i := range record {
		if m&bit(i) == 0 {
			record[i] = ""
		}
	}
	return record
}

// decisive is the name of the selector that sets two sets apart: the first, in the
// order of specificity, that only one of them has. Empty: they are the same.
func (m selectorMask) decisive(other selectorMask) string {
	if m == other {
		return ""
	}
	return selectorNames[len(selectorNames)-bits.Len8(uint8(m^other))]
}

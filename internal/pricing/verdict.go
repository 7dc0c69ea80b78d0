package pricing

import "partnerview/internal/usage"

// SelectorNames are the names of the selectors, as in a price list, in the order
// in which specificity compares: the first counts most.
func SelectorNames() []string {
	return []string{"operator", "country", "category", "channel", "direction"}
}

// Get is the value of the selector with that name; empty: it is not named.
func (s Selectors) Get(name string) string {
	switch name {
	case "operator":
		return string(s.Operator)
	case "country":
		return string(s.Country)
	case "category":
		return string(s.Category)
	case "channel":
		return string(s.Channel)
	case "direction":
		return string(s.Direction)
	}
	return ""
}

// SelectorsOf are a record's own values of all selectors; empty: it is not told.
func SelectorsOf(r usage.Record) Selectors { return named(namesAll).of(&r) }

// Verdict is what became of a rate when a record was priced.
type Verdict struct {
	Rate *Rate // as it stands in the list; do not change it
	// Differs is the selector, the first in the order of specificity, in which
	// the rate names another value than the record has. Empty: the rate matches.
	Differs string
	// LostBy is the selector that the winner names and this matching rate does
	// not: operator, country, category, channel or direction. Empty for the
	// winner, and where Differs is set.
	LostBy string
}

// Won tells whether this is the rate that prices the record.
func (v Verdict) Won() bool { return v.Differs == "" && v.LostBy == "" }

// Verdicts says for each rate of the list in force whether it won or why it lost:
// the winner first, then the others that match from the most specific to the
// least, then those that do not match in the order of the list. None match: there
// is no winner. No list is in force: an empty list. Whether a rate is used at all,
// [Book.Price] says.
func (b Book) Verdicts(r usage.Record) []Verdict {
	l := b.inForce(r.Timestamp)
	if l == nil || r.Log != b.log {
		return nil
	}
	verdicts := make([]Verdict, 0, len(l.list.Rates))
	var winner named
	for _, level := range l.levels {
		rate := level.match(&r)
		if rate == nil {
			continue
		}
		if len(verdicts) == 0 {
			winner = level.names
		}
		verdicts = append(verdicts, Verdict{Rate: rate.Rate, LostBy: winner.decisive(level.names)})
	}
	own := SelectorsOf(r)
	for i := range l.list.Rates {
		if rate := &l.list.Rates[i]; rate.differs(own) != "" {
			verdicts = append(verdicts, Verdict{Rate: rate, Differs: rate.differs(own)})
		}
	}
	return verdicts
}

// differs is the first selector that names another value than these; empty: all
// that are named are equal.
func (s Selectors) differs(own Selectors) string {
	for _, name := range SelectorNames() {
		if want := s.Get(name); want != "" && want != own.Get(name) {
			return name
		}
	}
	return ""
}

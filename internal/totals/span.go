package totals

// Span is a run of days, half-open: From is in it, To is not. An empty end is open.
type Span struct{ From, To Day }

// IsEmpty reports whether a closed span has no day.
func (s Span) IsEmpty() bool { return s.From >= s.To }

// Days is how many days a closed span has.
func (s Span) Days() int {
	if s.IsEmpty() {
		return 0
	}
	return int(s.To.utc().Sub(s.From.utc()).Hours() / 24)
}

// Months takes a closed span apart: the months that lie in it whole, and the days
// before and behind them. The tail, where there is one, begins with its month; what lies
// within one month and does not, is all head.
func (s Span) Months() (head Span, months []Month, tail Span) {
	if s.IsEmpty() {
		return Span{}, nil, Span{}
	}
	first := s.From.Month().First()
	if first < s.From {
		first = first.Month().Next().First()
	}
	if first >= s.To {
		return s, nil, Span{}
	}
	last := s.To.Month().First()
	for m := first.Month(); m.First() < last; m = m.Next() {
		months = append(months, m)
	}
	return Span{s.From, first}, months, Span{last, s.To}
}

// Span is the month's days.
func (m Month) Span() Span { return Span{m.First(), m.Next().First()} }

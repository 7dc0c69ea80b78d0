package usage

import (
	"slices"
	"time"
)

// Order is the direction in which a log is read.
type Order string

const (
	NewestFirst Order = "desc" // the exact reverse of OldestFirst
	OldestFirst Order = "asc"  // by timestamp, then by id bytewise
)

// Filter narrows a log to the records that match every condition it names; an
// empty condition matches all. Within Statuses, Channels and Countries one
// match is enough.
type Filter struct {
	Direction Direction
	Statuses  []Status
	Channels  []Channel
	Countries []Country
	FromLast4 Last4 // compared with the masked number
	ToLast4   Last4
}

// Matches reports whether r meets every condition. It is the one definition of
// the filters: a store that lets its engine pre-filter must agree with it.
func (f Filter) Matches(r Record) bool {
	return (f.Direction == "" || r.Direction == f.Direction) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, r.Status)) &&
		(len(f.Channels) == 0 || slices.Contains(f.Channels, r.Channel)) &&
		(len(f.Countries) == 0 || slices.Contains(f.Countries, r.Country)) &&
		(f.FromLast4 == "" || Last4(r.From.Last4()) == f.FromLast4) &&
		(f.ToLast4 == "" || Last4(r.To.Last4()) == f.ToLast4)
}

// Query asks for one page of a log.
type Query struct {
	Period Period
	Filter Filter
	Order  Order
	Limit  int       // 1 to 500 records
	After  *Position // continue behind this place; nil: from the start
	Now    time.Time // records whose retention has ended by now are not shown
}

// Page is a run of a log. It may hold fewer records than the limit, even none,
// and yet not be the last: only Next tells.
type Page struct {
	Records []Record
	Next    *Position // where the next page continues; nil: there is no more
}

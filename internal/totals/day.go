package totals

import (
	"fmt"
	"time"
	_ "time/tzdata" // a function has no zones of its own

	"partnerview/internal/usage"
)

// Day is a calendar day, as in "2026-11-03". In which zone is for whoever has it to know.
type Day string

// Month is a calendar month, as in "2026-11".
type Month string

// ParseDay reads "2026-11-03".
func ParseDay(text string) (Day, error) {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return "", fmt.Errorf("%q is not a day such as 2026-11-03", text)
	}
	return Day(text), nil
}

// DayOf is the day on which an instant lies in a zone.
func DayOf(t time.Time, zone *time.Location) Day {
	day := Day(t.In(zone).Format(time.DateOnly))
	if t.Before(day.begins(zone)) { // a clock that was put back over midnight: see begins
		return day.Add(-1)
	}
	return day
}

// Add is the day that many days later.
func (d Day) Add(days int) Day { return Day(d.utc().AddDate(0, 0, days).Format(time.DateOnly)) }

// Month is the month that the day is of.
func (d Day) Month() Month { return Month(d[:len("2006-01")]) }

// First is the month's first day.
func (m Month) First() Day { return Day(m + "-01") }

// Next is the month behind it.
func (m Month) Next() Month { return m.First().Add(31).Month() }

// Previous is the month before it.
func (m Month) Previous() Month { return m.First().Add(-1).Month() }

// number is the day's in its month, from 1.
func (d Day) number() int { return d.utc().Day() }

// Period is the day in a zone: it lasts 23 or 25 hours where clocks are changed, and days
// that follow each other leave neither gap nor overlap.
func (d Day) Period(zone *time.Location) usage.Period {
	return usage.Period{From: d.begins(zone), To: d.Add(1).begins(zone)}
}

func (d Day) utc() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d)) // it was made by ParseDay or DayOf
	return t
}

// begins is the instant from which on no clock of the zone shows an earlier day. Where
// midnight is left out the day begins at the change; where it comes twice, at the second,
// unless both are of this day.
func (d Day) begins(zone *time.Location) time.Time {
	utc := d.utc()
	midnight := time.Date(utc.Year(), utc.Month(), utc.Day(), 0, 0, 0, 0, zone)
	changed, changes := midnight.ZoneBounds()
	switch {
	case midnight.Format(time.DateOnly) < string(d): // there is no midnight: this is before the change
		return changes.UTC()
	case midnight.Hour() != 0 || midnight.Minute() != 0: // or behind it
		return changed.UTC()
	}
	// The change may lie within the day before or behind midnight, and show this hour twice.
	if !changes.IsZero() && changes.Format(time.DateOnly) < string(d) {
		_, before := midnight.Zone()
		_, after := changes.Zone()
		return midnight.Add(time.Duration(before-after) * time.Second).UTC()
	}
	if first := earlier(midnight, changed); first.Format(time.DateTime) == midnight.Format(time.DateTime) &&
		changed.Add(-time.Nanosecond).Format(time.DateOnly) == string(d) && changed.Format(time.DateOnly) == string(d) {
		return first.UTC()
	}
	return midnight.UTC()
}

// earlier is the instant at which the clock showed the same before it was changed.
func earlier(t, changed time.Time) time.Time {
	if changed.IsZero() {
		return t
	}
	_, after := t.Zone()
	_, before := changed.Add(-time.Nanosecond).Zone()
	return t.Add(time.Duration(after-before) * time.Second)
}

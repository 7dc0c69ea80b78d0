package totals

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Marquesas", "Australia/Lord_Howe", "America/Santiago",
	"Africa/Cairo", "Asia/Beirut", "America/St_Johns", "Pacific/Apia", "America/Havana", "Africa/Casablanca", "Pacific/Kiritimati", "America/Asuncion"}

func TestDaysFollowEachOtherWithoutGapOrOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(rapid.Int64Range(1_167_609_600, 1_900_000_000).Draw(t, "at"), 0) // 2007 to 2030
		day := DayOf(at, zone)
		p := day.Period(zone)
		if !p.Contains(at) {
			t.Fatalf("%s is of %s in %s, which is %v", at.UTC(), day, zone, p)
		}
		if next := day.Add(1).Period(zone); !next.From.Equal(p.To) || p.To.Sub(p.From) < 0 {
			t.Fatalf("%s in %s ends at %s, the next begins at %s", day, zone, p.To, next.From)
		}
		if got := DayOf(p.From, zone); got != day {
			t.Fatalf("%s in %s begins at %s, which is of %s", day, zone, p.From, got)
		}
		if got := DayOf(p.To.Add(-time.Nanosecond), zone); got != day {
			t.Fatalf("%s in %s ends at %s, and the instant before is of %s", day, zone, p.To, got)
		}
	})
}
